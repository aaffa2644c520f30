import EngineAPI
import Glibc
import Linux

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
