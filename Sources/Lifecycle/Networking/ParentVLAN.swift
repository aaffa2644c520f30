import EngineAPI
import Netlink

/// The VLAN that a parent called like `eth0.10` is: that of the number 10 over the device `eth0`. Where no device is called
/// so the engine makes it, as docker does, and takes it away with the last network over it.
struct ParentVLAN: Hashable {
    let device: String
    let id: UInt16

    /// - Throws: `invalid`, in docker's words, for a name of another form.
    init(_ name: String) throws(EngineError) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else {
            throw EngineError(
                .invalid, "invalid subinterface vlan name \(name), example formatting is eth0.10", object: name)
        }
        guard parts.count == 2 else {
            throw EngineError(
                .invalid,
                "required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received \(name)",
                object: name)
        }
        guard let number = Int(parts[1]) else {
            throw EngineError(
                .invalid, "unable to parse a valid vlan id from: \(parts[1]) (ex. eth0.10 for vlan 10)", object: name)
        }
        guard (1...4094).contains(number) else {
            throw EngineError(.invalid, "vlan id must be between 1-4094, received: \(number)", object: name)
        }
        (device, id) = (parts[0], UInt16(number))
    }
}

extension HostLinks {
    /// Makes a network's parent, which is not there. Blocking.
    ///
    /// - Throws: `invalid` for a name that is no VLAN's, `notFound` where the device is not there that it would be over.
    func makeVLAN(_ name: String, _ socket: inout NetlinkSocket) throws(EngineError) -> Link {
        let vlan = try ParentVLAN(name)
        do throws(NetlinkError) {
            if let device = try found(vlan.device, &socket) {
                try socket.createVLAN(name, over: device.index, id: vlan.id, alias: mark)
                return try socket.link(name)
            }
        } catch { throw EngineError(error) }
        throw EngineError(
            .notFound, "-o parent interface was not found on the host: \(vlan.device)", object: vlan.device)
    }
}
