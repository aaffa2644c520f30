import EngineAPI
import Glibc
import Linux

/// A container's processes where no cgroup tells them, as in an ordinary user's engine to which none is delegated: those
/// in the pid namespace of its first. Some 5 µs for each process of the machine that this user may look at.
package enum NamespaceMembers {
    /// - Returns: the first process alone where it has the engine's own pid namespace, which is no container's.
    package static func pids(of initial: Int32) -> [Int32] {
        guard let wanted = namespace(String(initial)) else { return [] }
        guard wanted != namespace("self") else { return [initial] }
        // /proc can be listed, or nothing works at all.
        return ((try? Directory.list("/proc")) ?? []).filter { namespace($0) == wanted }.compactMap { Int32($0) }
    }

    /// Nil for what is no process, is gone, or is another user's.
    private static func namespace(_ name: String) -> String? {
        guard name == "self" || name.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = readlink("/proc/\(name)/ns/pid", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}

/// Takes samples of one container's use of the machine.
package protocol ContainerSampler: AnyObject {
    /// The counters now; nil once there is nothing left to count.
    func sample(host: HostSample) -> ContainerStats?
}

/// Adds up what the container's processes say, where it has no cgroup: what ended processes used is missing, memory
/// that several share counts for each, and of blocks and limits nothing is known.
package final class NamespaceSampler: ContainerSampler {
    private let id: String
    private let name: String
    private let initPID: Int32
    private let network: KeptFile?
    private var buffer = [UInt8](repeating: 0, count: 4096)

    /// - Parameter networkPID: as for a `CgroupSampler`.
    package init(initPID: Int32, id: String, name: String, networkPID: Int32?) {
        self.id = id
        self.name = name
        self.initPID = initPID
        network = networkPID.flatMap { KeptFile("/proc/\($0)/net/dev") }
    }

    package func sample(host: HostSample) -> ContainerStats? {
        // A process that ended since it was listed has nothing to say.
        let processes = NamespaceMembers.pids(of: initPID).compactMap { try? ProcessStat.read(pid: $0) }
        guard !processes.isEmpty else { return nil }
        var stats = ContainerStats(id: id, name: name, time: host.time)
        stats.hostCPUNanoseconds = host.cpuNanoseconds
        stats.onlineCPUs = host.onlineCPUs
        stats.memoryLimitBytes = host.memoryBytes
        stats.pids = UInt64(processes.reduce(0) { $0 + $1.threads })
        for process in processes {
            stats.cpuUserNanoseconds += ClockTicks.nanoseconds(process.userTicks)
            stats.cpuSystemNanoseconds += ClockTicks.nanoseconds(process.systemTicks)
            stats.memoryTotalBytes += UInt64(max(0, process.residentPages)) * Self.pageBytes
        }
        stats.cpuNanoseconds = stats.cpuUserNanoseconds + stats.cpuSystemNanoseconds
        // As for a cgroup: the process may end first.
        _ = network?.read(into: &buffer) { stats.networks = CgroupSampler.networks(in: $0) }
        return stats
    }

    private static let pageBytes = UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
}
