import EngineAPI
import Glibc
import Linux
import OCI

extension ResourceLimits {
    /// Without those that this machine has nothing for, which `SpecValidation` has warned of.
    func kept(by host: HostFacts) -> ResourceLimits {
        guard !host.hasBlockWeight else { return self }
        var limits = self
        (limits.blockIOWeight, limits.blockIODeviceWeights) = (nil, nil)
        return limits
    }
}

/// A container's limits as the runtime takes them, without its devices.
struct LimitResources {
    let limits: ResourceLimits
    let host: HostFacts
    /// The numbers of the block devices that the limits name.
    var devices: [String: DeviceNumber] = [:]

    var resources: LinuxResources {
        var resources = LinuxResources()
        resources.memory = memory
        resources.cpu = cpu
        resources.blockIO = blockIO
        if let pids = limits.pids, pids != 0 { resources.pids = LinuxPids(limit: pids < 0 ? -1 : pids) }
        return resources
    }

    /// As `resources`, with what is unlimited said expressly: for a cgroup that has limits from before.
    var explicitResources: LinuxResources {
        var resources = resources
        var memory = resources.memory ?? LinuxMemory()
        memory.limitBytes = memory.limitBytes ?? -1
        resources.memory = memory
        var cpu = resources.cpu ?? LinuxCPU()
        cpu.quotaMicroseconds = cpu.quotaMicroseconds ?? -1
        resources.cpu = cpu
        resources.pids = resources.pids ?? LinuxPids(limit: -1)
        resources.keep(host.controllers)
        return resources
    }

    private var cpu: LinuxCPU? {
        var cpu = LinuxCPU()
        cpu.shares = Self.positive(limits.cpuShares)
        cpu.periodMicroseconds = Self.positive(limits.cpuPeriodMicroseconds)
        cpu.quotaMicroseconds = limits.cpuQuotaMicroseconds.flatMap { $0 != 0 ? $0 : nil }
        if let nano = limits.nanoCPUs, nano > 0 {
            cpu.periodMicroseconds = 100_000
            cpu.quotaMicroseconds = nano / 10_000
        }
        cpu.realtimePeriodMicroseconds = Self.positive(limits.cpuRealtimePeriodMicroseconds)
        cpu.realtimeRuntimeMicroseconds = limits.cpuRealtimeRuntimeMicroseconds.flatMap { $0 != 0 ? $0 : nil }
        cpu.cpus = limits.cpusetCPUs.flatMap { $0.isEmpty ? nil : $0 }
        cpu.mems = limits.cpusetMemoryNodes.flatMap { $0.isEmpty ? nil : $0 }
        return cpu == LinuxCPU() ? nil : cpu
    }

    private var memory: LinuxMemory? {
        var memory = LinuxMemory()
        memory.reservationBytes = limits.memoryReservationBytes.flatMap { $0 > 0 ? $0 : nil }
        if let bytes = limits.memoryBytes, bytes > 0 {
            memory.limitBytes = bytes
            // As docker: as much swap again, unless said otherwise.
            if host.hasSwapLimit {
                let swap = limits.memorySwapBytes ?? 0
                let (twice, isBeyond) = bytes.multipliedReportingOverflow(by: 2)
                memory.swapBytes = swap != 0 ? swap : isBeyond ? .max : twice
            }
        }
        if !host.isUnified {
            memory.swappiness = limits.memorySwappiness.flatMap { $0 >= 0 ? UInt64($0) : nil }
            if limits.oomKillDisabled == true { memory.disableOOMKiller = true }
        }
        return memory == LinuxMemory() ? nil : memory
    }

    private var blockIO: LinuxBlockIO? {
        var io = LinuxBlockIO()
        io.weight = limits.blockIOWeight.flatMap { $0 > 0 ? UInt16(clamping: $0) : nil }
        io.weightDevice = (limits.blockIODeviceWeights ?? []).compactMap { entry in
            devices[entry.path].map { number in
                LinuxBlockWeight(major: number.major, minor: number.minor, weight: UInt16(clamping: entry.rate))
            }
        }
        io.throttleReadBytesPerSecond = throttles(limits.blockIOReadBytesPerSecond)
        io.throttleWriteBytesPerSecond = throttles(limits.blockIOWriteBytesPerSecond)
        io.throttleReadOperationsPerSecond = throttles(limits.blockIOReadsPerSecond)
        io.throttleWriteOperationsPerSecond = throttles(limits.blockIOWritesPerSecond)
        return io == LinuxBlockIO() ? nil : io
    }

    private func throttles(_ rates: [DeviceRate]?) -> [LinuxThrottle] {
        (rates ?? []).compactMap { entry in
            devices[entry.path].map { number in
                LinuxThrottle(major: number.major, minor: number.minor, ratePerSecond: entry.rate)
            }
        }
    }

    private static func positive(_ value: Int64?) -> UInt64? { value.flatMap { $0 > 0 ? UInt64($0) : nil } }
}

extension LinuxResources {
    /// Leaves out what cannot be limited here; nil limits all.
    mutating func keep(_ controllers: Set<String>?) {
        guard let controllers else { return }
        if !controllers.contains("memory") { memory = nil }
        if !controllers.contains("pids") { pids = nil }
        if !controllers.contains("io") { blockIO = nil }
        guard var kept = cpu else { return }
        if !controllers.contains("cpuset") { (kept.cpus, kept.mems) = (nil, nil) }
        if !controllers.contains("cpu") {
            let sets = (kept.cpus, kept.mems)
            kept = LinuxCPU()
            (kept.cpus, kept.mems) = sets
        }
        cpu = kept == LinuxCPU() ? nil : kept
    }
}

extension ResourceLimits {
    /// What of these an engine without these controllers cannot do, in words.
    func unkept(_ controllers: Set<String>?) -> [String] {
        guard let controllers else { return [] }
        let asked: [(String, String, Bool)] = [
            (
                "memory", "memory limit",
                [memoryBytes, memoryReservationBytes, memorySwapBytes].contains { $0 ?? 0 != 0 }
            ),
            (
                "cpu", "CPU limit",
                [nanoCPUs, cpuShares, cpuQuotaMicroseconds, cpuPeriodMicroseconds].contains { $0 ?? 0 != 0 }
            ),
            ("cpuset", "cpuset", !(cpusetCPUs ?? "").isEmpty || !(cpusetMemoryNodes ?? "").isEmpty),
            ("pids", "PIDs limit", pids ?? 0 > 0),
            (
                "io", "block I/O limit",
                blockIOWeight ?? 0 != 0
                    || [
                        blockIODeviceWeights, blockIOReadBytesPerSecond, blockIOWriteBytesPerSecond,
                        blockIOReadsPerSecond, blockIOWritesPerSecond,
                    ].contains { !($0 ?? []).isEmpty }
            ),
        ]
        return asked.filter { $0.2 && !controllers.contains($0.0) }.map(\.1)
    }

    /// The host's block devices that these limits name, by what their nodes say now. Blocking.
    ///
    /// - Throws: `invalid` for a path that is no device.
    func blockDevices() throws(EngineError) -> [String: DeviceNumber] {
        var numbers: [String: DeviceNumber] = [:]
        let lists = [
            blockIODeviceWeights, blockIOReadBytesPerSecond, blockIOWriteBytesPerSecond, blockIOReadsPerSecond,
            blockIOWritesPerSecond,
        ]
        for entry in lists.flatMap({ $0 ?? [] }) {
            guard let number = DeviceNumber(ofNode: entry.path) else {
                let isThere = access(entry.path, F_OK) == 0
                throw EngineError(
                    .invalid,
                    isThere ? "no such device: \(entry.path)" : "stat \(entry.path): no such file or directory",
                    object: entry.path)
            }
            numbers[entry.path] = number
        }
        return numbers
    }
}

/// The two numbers by which the kernel knows a device.
struct DeviceNumber: Hashable, Sendable {
    let major: Int64
    let minor: Int64

    /// The kernel's 12 and 20 bits, as glibc spreads them over 64.
    init(_ device: dev_t) {
        major = Int64(device >> 8 & 0xFFF | device >> 32 & ~0xFFF)
        minor = Int64(device & 0xFF | device >> 12 & 0xFFF00)
    }

    /// Nil where the path leads to no device.
    init?(ofNode path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0, [S_IFBLK, S_IFCHR].contains(facts.st_mode & S_IFMT) else { return nil }
        self.init(facts.st_rdev)
    }
}
