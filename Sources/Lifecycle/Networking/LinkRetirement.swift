import AsyncIO
import EngineAPI
import Glibc
import Linux
import Netlink

/// Devices that containers no longer have. Taken out of use they carry nothing and their names are free at once; they are
/// deleted a moment later, many in one go, for the kernel lets all who change links wait for that.
extension HostLinks {
    /// Of the retired devices of all engines: whoever deletes them, they are nobody's any more. "gant" in ASCII.
    static let retiredGroup: UInt32 = 0x6761_6E74

    /// Takes a container's device of a network away: when this returns no packet passes by it, and the container has
    /// neither its addresses nor its routes, whatever the container has made of the device. May be done again, wherever it
    /// was cut short. Blocking.
    ///
    /// - Parameter others: the container's parts in other networks over the same device of the host.
    /// - Returns: whether a retired device is to be deleted: of a bridge's network on the host, and with it the other end
    ///   in the container; of the others' in the container.
    package func disconnect(
        _ endpoint: EndpointRecord, of network: NetworkDefinition, in container: Descriptor,
        besides others: [EndpointRecord] = []
    ) throws(EngineError) -> Bool {
        do {
            var inside = try NetlinkSocket(in: container)
            let devices =
                network.driver == .bridge
                ? try retirePort(endpoint, &inside) : try devices(endpoint, network, besides: others, &inside)
            for device in devices.inside {
                try Self.removeAddresses(of: device, &inside)
                try inside.retire(device, as: Self.retiredName(), group: Self.retiredGroup)
            }
            return devices.isRetired
        } catch let error as NetlinkError where error.errno == .noDevice {
            // The container took its device away itself just now.
            return true
        } catch { throw EngineError(.internal, "\(error)") }
    }

    /// The host's end first: it is out of the bridge whatever the container does with its own. By that end the other is
    /// known, whatever it is called.
    private func retirePort(
        _ endpoint: EndpointRecord, _ inside: inout NetlinkSocket
    ) throws -> (isRetired: Bool, inside: [Int32]) {
        var socket = try socket()
        let port = try found(endpoint.linkName, &socket)
        if let port { try socket.retire(port.index, as: Self.retiredName(), group: Self.retiredGroup) }
        let device = try inside.links().first { link in
            guard let port else { return link.name == endpoint.deviceName }
            return link.kind == "veth" && link.index == port.parent && link.parent == port.index
        }
        return (port != nil, device.map { [$0.index] } ?? [])
    }

    /// The device of a network without a bridge, by its parent, for a container may call it and its address what it likes;
    /// and those that the container has made of it, which the kernel hangs on the same parent.
    private func devices(
        _ endpoint: EndpointRecord, _ network: NetworkDefinition, besides others: [EndpointRecord],
        _ inside: inout NetlinkSocket
    ) throws -> (isRetired: Bool, inside: [Int32]) {
        var socket = try socket()
        // Without their parent they are gone.
        guard let parent = try found(network.linkName, &socket)?.index else { return (true, []) }
        let kept = Set(others.compactMap(\.mac))
        let kinds = network.driver == .macvlan ? ["macvlan", "macvtap"] : ["ipvlan", "ipvtap"]
        let devices = try inside.links().filter { link in
            kinds.contains(link.kind) && link.parent == parent && link.isParentElsewhere
                && link.address.map(kept.contains) != true
        }
        return (true, devices.map(\.index))
    }

    /// Those of version 4 stay on a device that is down, and answer within the container.
    private static func removeAddresses(of index: Int32, _ inside: inout NetlinkSocket) throws(NetlinkError) {
        for one in try inside.addresses(of: index) {
            do throws(NetlinkError) {
                try inside.deleteAddress(one.address, prefixLength: one.prefixLength, from: index)
            } catch  where error.errno.rawValue == EADDRNOTAVAIL {
                // A second address of a subnet went with its first.
            }
        }
    }

    /// Of 15 bytes at most, and met by no other.
    private static func retiredName() -> String { "gx" + NetworkID.make().prefix(12) }

    /// Deletes what was retired, on the host and in containers. Blocking.
    func deleteRetired(in containers: [Descriptor]) throws(EngineError) {
        do {
            var host = try socket()
            try host.deleteLinks(ofGroup: Self.retiredGroup)
            for container in containers {
                var inside = try NetlinkSocket(in: container)
                try inside.deleteLinks(ofGroup: Self.retiredGroup)
            }
        } catch let error as NetlinkError {
            throw EngineError(error)
        } catch { throw EngineError(.internal, "\(error)") }
    }
}

extension NetworkService {
    /// For how long retired devices are gathered: one that comes back to a network at once, as scripts do, does not wait
    /// for its old device.
    private static let gathering = Duration.milliseconds(300)

    /// Has the retired devices deleted on the side.
    ///
    /// - Parameter container: a namespace with such a device, which this takes over.
    func sweepLater(in container: Descriptor? = nil) {
        if let container { retiredInside.append(container) }
        guard sweep == nil else { return }
        sweep = Task {
            // At the engine's end at once.
            try? await clock.sleep(for: Self.gathering)
            await deleteRetired()
        }
    }

    private func deleteRetired() async {
        // What is retired from here on is for the next time.
        sweep = nil
        faults.pass(.disconnectBeforeDeletion)
        let (links, containers) = (self.links, retiredInside)
        retiredInside = []
        defer { for container in containers { container.close() } }
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in try links.deleteRetired(in: containers) }
        } catch { note("delete devices that containers had: \(error)") }
    }

    /// For how long the kernel may be taking a container's network away.
    private static let fading = Duration.seconds(1)

    /// Has the devices of containers that have ended looked for once they should be gone. One is still there where
    /// somebody holds the container's network: it would stay a port of the bridge for as long.
    func lookLater(for records: [EndpointRecord]) {
        endedLinks += records.filter { definitions[$0.networkID]?.driver == .bridge }.map(\.linkName)
        guard lookingForEnded == nil, !endedLinks.isEmpty else { return }
        lookingForEnded = Task {
            // At the engine's end the next one looks.
            guard (try? await clock.sleep(for: Self.fading)) != nil else { return }
            await deleteEnded()
        }
    }

    private func deleteEnded() async {
        lookingForEnded = nil
        let (links, ended) = (self.links, Set(endedLinks))
        endedLinks = []
        let failures = await BlockingPool.shared.run {
            ended.compactMap { name -> EngineError? in
                do throws(EngineError) { try links.delete(name) } catch { return error }
                return nil
            }
        }
        for failure in failures { note("delete a device that a container had: \(failure)") }
    }

    /// At the engine's end: nothing that was begun is left to the next.
    package func finish() async {
        lookingForEnded?.cancel()
        await leaveFilter()
        let sweep = self.sweep
        sweep?.cancel()
        await sweep?.value
        await forgetting?.value
    }
}
