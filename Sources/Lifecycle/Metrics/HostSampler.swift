import Glibc
import Linux

/// What the samples of one round have in common.
package struct HostSample: Hashable, Sendable {
    package var time: Timestamp
    /// CPU time of all cores since boot, idle time included: the whole of which a container's share is told.
    package var cpuNanoseconds: UInt64
    package var onlineCPUs: Int
    package var memoryBytes: UInt64

    package init(time: Timestamp, cpuNanoseconds: UInt64, onlineCPUs: Int, memoryBytes: UInt64) {
        self.time = time
        self.cpuNanoseconds = cpuNanoseconds
        self.onlineCPUs = onlineCPUs
        self.memoryBytes = memoryBytes
    }
}

/// Samples the host, once a round for all containers. Confined to whoever made it; a sample takes some microseconds.
package final class HostSampler {
    private let file = KeptFile("/proc/stat")
    /// The first line is all that is read; the text behind it is long on large machines.
    private var buffer = [UInt8](repeating: 0, count: 512)
    private let memoryBytes =
        UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))

    package init() {}

    package func sample(at time: Timestamp = .now()) -> HostSample {
        var ticks: UInt64 = 0
        file?.readBeginning(into: &buffer) { ticks = Self.cpuTicks($0) }
        return HostSample(
            time: time, cpuNanoseconds: ClockTicks.nanoseconds(ticks),
            onlineCPUs: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), memoryBytes: memoryBytes)
    }

    /// user, nice, system, idle, iowait, irq and softirq of proc(5), as docker sums them.
    static func cpuTicks(_ text: StatText) -> UInt64 {
        var ticks: UInt64 = 0
        text.forEachLine { line in
            var fields = line
            guard fields.nextIs("cpu") else { return }
            for _ in 0..<7 { ticks += fields.nextNumber() ?? 0 }
        }
        return ticks
    }
}

/// The unit that the kernel tells CPU times in.
enum ClockTicks {
    static let perSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    static func nanoseconds(_ ticks: UInt64) -> UInt64 { ticks &* (1_000_000_000 / perSecond) }
}
