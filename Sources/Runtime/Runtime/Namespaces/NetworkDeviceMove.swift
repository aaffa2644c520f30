import CLinux
import Glibc
import Linux
import Netlink

/// The moving of devices of the host into a container's network namespace, each with its name, its permanent addresses
/// and up. They are the namespace's from then on; `create` gives them back only where it fails.
final class NetworkDeviceMove {
    private struct Moved {
        let plan: NetworkDevicePlan
        /// In the container.
        let index: Int32
        let wasUp: Bool
        let addresses: [PermanentAddress]
    }

    private let namespace: Descriptor
    private let own: Descriptor
    private var host: NetlinkSocket
    private var container: NetlinkSocket
    private var moved: [Moved] = []

    /// Moves a container's devices, all or none of them.
    ///
    /// - Parameters:
    ///   - pid: of its first process, whose network namespace it is where none is joined.
    ///   - keepingMoved: whether one that the host lacks and the namespace has under its name there stays: a namespace
    ///     that is joined outlives the container that brought the device.
    /// - Returns: what can take it back; nil where there are no devices.
    static func all(
        of plan: ContainerPlan, pid: Int32, keepingMoved: Bool = false
    ) throws(RuntimeError) -> NetworkDeviceMove? {
        guard !plan.networkDevices.isEmpty else { return nil }
        let joined = plan.namespaces.joined.first { $0.kind == .network }
        let move = try NetworkDeviceMove(into: joined?.path ?? "/proc/\(pid)/ns/net")
        do throws(RuntimeError) {
            try move.move(plan.networkDevices, keepingMoved: keepingMoved && joined != nil)
        } catch {
            move.undo()
            throw error
        }
        return move
    }

    /// - Parameter path: the namespace's file.
    private init(into path: String) throws(RuntimeError) {
        do throws(KernelError) {
            namespace = try Descriptor.open(path, O_RDONLY)
            own = try Descriptor.open("/proc/self/ns/net", O_RDONLY)
            let (theirs, mine) = (try namespace.status(), try own.status())
            guard theirs.st_ino != mine.st_ino || theirs.st_dev != mine.st_dev else {
                throw KernelError("move devices to the runtime's own network namespace", path, .invalidArgument)
            }
            host = try NetlinkSocket()
            container = try Self.socket(in: namespace, from: own)
        } catch {
            // What was opened goes with this program, which ends by the failure.
            throw RuntimeError("linux.netDevices: \(error)")
        }
    }

    deinit {
        namespace.close()
        own.close()
    }

    /// A socket stays in the namespace in which it was made. This program has no other thread that would be left behind.
    private static func socket(
        in namespace: Descriptor, from own: Descriptor
    ) throws(KernelError) -> NetlinkSocket {
        let flag: Int32 = 0x4000_0000
        try kernelCall("enter the network namespace") { gantry_setns(namespace.rawValue, flag) }
        let socket: NetlinkSocket
        do throws(KernelError) {
            socket = try NetlinkSocket()
        } catch {
            gantry_setns(own.rawValue, flag)
            throw error
        }
        try kernelCall("leave the network namespace") { gantry_setns(own.rawValue, flag) }
        return socket
    }

    private func move(_ plans: [NetworkDevicePlan], keepingMoved: Bool) throws(RuntimeError) {
        for plan in plans {
            do throws(NetlinkError) {
                if keepingMoved, try hasMoved(plan) { continue }
                try move(plan)
            } catch {
                throw RuntimeError("\(plan.property): \(error)")
            }
        }
    }

    private func hasMoved(_ plan: NetworkDevicePlan) throws(NetlinkError) -> Bool {
        if try host.links().contains(where: { $0.name == plan.name }) { return false }
        return try container.links().contains { $0.name == plan.inside }
    }

    private func move(_ plan: NetworkDevicePlan) throws(NetlinkError) {
        let link = try host.link(plan.name)
        let addresses = try host.permanentAddresses(of: link.index)
        let before = try container.links()
        // The kernel would find out only when it has moved the device already.
        guard plan.isTemplate || !before.contains(where: { $0.name == plan.inside }) else {
            throw NetlinkError("move link to the namespace as", plan.inside, .exists)
        }
        try host.move(link.index, to: namespace, as: plan.inside)
        let known = Set(before.map(\.index))
        guard let index = try container.links().first(where: { !known.contains($0.index) })?.index else {
            throw NetlinkError("find the moved link", plan.inside, .noDevice)
        }
        moved.append(Moved(plan: plan, index: index, wasUp: link.isUp, addresses: addresses))
        for address in addresses { try container.add(address, to: index) }
        try container.setUp(index)
    }

    /// Gives back what was moved, as it was.
    func undo() {
        for device in moved.reversed() {
            // Best effort: what led here is what the caller is told, and a virtual device may have gone already.
            _ = try? giveBack(device)
        }
        moved = []
    }

    private func giveBack(_ device: Moved) throws(NetlinkError) {
        try container.move(device.index, to: own, as: device.plan.name)
        let link = try host.link(device.plan.name)
        for address in device.addresses { try host.add(address, to: link.index) }
        if device.wasUp { try host.setUp(link.index) }
    }
}
