import EngineAPI

/// Whether a container's resources can be limited as asked: docker's rules, in docker's words.
struct LimitRules {
    private let spec: ContainerSpec
    private let host: HostFacts
    /// What is granted otherwise than asked.
    private var warnings: [String] = []

    /// - Returns: what is granted otherwise than asked.
    /// - Throws: `invalid`, with the first rule that is broken.
    static func check(_ spec: ContainerSpec, host: HostFacts) throws(EngineError) -> [String] {
        var rules = LimitRules(spec: spec, host: host)
        try rules.checkMemory()
        try rules.checkCPU()
        try rules.checkBlockIO()
        rules.checkRights()
        return rules.warnings
    }

    private init(spec: ContainerSpec, host: HostFacts) {
        self.spec = spec
        self.host = host
    }

    private func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(EngineError) {
        if !condition { throw EngineError(.invalid, message()) }
    }

    private mutating func checkMemory() throws(EngineError) {
        let limits = spec.limits
        let minimum: Int64 = 6 << 20
        let memory = limits.memoryBytes ?? 0
        try require(memory == 0 || memory >= minimum, "Minimum memory limit allowed is 6MB")
        if let swap = limits.memorySwapBytes, swap > 0 {
            try require(memory > 0, "You should always set the Memory limit when using Memoryswap limit, see usage")
            try require(
                swap >= memory, "Minimum memoryswap limit should be larger than memory limit, see usage")
        }
        if let reservation = limits.memoryReservationBytes, reservation != 0 {
            try require(reservation >= minimum, "Minimum memory reservation allowed is 6MB")
            try require(
                memory == 0 || reservation <= memory,
                "Minimum memory limit can not be less than memory reservation limit, see usage")
        }
        if memory > 0, !host.hasSwapLimit, host.controllers?.contains("memory") != false {
            warnings.append(
                "Your kernel does not support swap limit capabilities or the cgroup is not mounted. "
                    + "Memory limited without swap.")
        }
        try require(spec.shmSizeBytes ?? 0 >= 0, "SHM size can not be less than 0")
        try checkMemoryHabits()
    }

    /// What version 2 of cgroups no longer has is said, not refused, as docker does it.
    private mutating func checkMemoryHabits() throws(EngineError) {
        let limits = spec.limits
        if let swappiness = limits.memorySwappiness, swappiness != -1 {
            try require(
                (0...100).contains(swappiness), "Invalid value: \(swappiness), valid memory swappiness range is 0-100")
            if host.isUnified {
                warnings.append(
                    "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. "
                        + "Memory swappiness discarded.")
            }
        }
        if limits.oomKillDisabled == true {
            if host.isUnified {
                warnings.append(
                    "Your kernel does not support OomKillDisable. OomKillDisable discarded.")
            } else if limits.memoryBytes ?? 0 == 0 {
                warnings.append(
                    "OOM killer is disabled for the container, but no memory limit is set, this can result in the "
                        + "system running out of resources.")
            }
        }
    }

    private mutating func checkBlockIO() throws(EngineError) {
        let limits = spec.limits
        if !host.hasBlockWeight, limits.blockIOWeight ?? 0 != 0 {
            warnings.append(
                "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.")
        }
        if !host.hasBlockWeight, limits.blockIODeviceWeights?.isEmpty == false {
            warnings.append(
                "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. "
                    + "Weight-device discarded.")
        }
        guard host.hasBlockWeight else { return }
        if let weight = limits.blockIOWeight, weight != 0 {
            try require((10...1000).contains(weight), "Range of blkio weight is from 10 to 1000")
        }
        for entry in limits.blockIODeviceWeights ?? [] {
            try require(
                (10...1000).contains(entry.rate),
                "Range of blkio weight is from 10 to 1000: \(entry.path):\(entry.rate)")
        }
    }

    private func checkCPU() throws(EngineError) {
        let limits = spec.limits
        let period = limits.cpuPeriodMicroseconds ?? 0
        let quota = limits.cpuQuotaMicroseconds ?? 0
        if let nano = limits.nanoCPUs, nano != 0 {
            try require(period == 0, "Conflicting options: Nano CPUs and CPU Period cannot both be set")
            try require(quota == 0, "Conflicting options: Nano CPUs and CPU Quota cannot both be set")
            try require(
                nano >= 10_000_000 && nano <= Int64(host.cpuCount) * 1_000_000_000,
                "Range of CPUs is from 0.01 to \(host.cpuCount).00, as there are only \(host.cpuCount) CPUs available")
        }
        try require(
            period == 0 || (1000...1_000_000).contains(period),
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
        try require(quota <= 0 || quota >= 1000, "CPU cfs quota can not be less than 1ms (i.e. 1000)")
        try require(
            limits.cpuRealtimeRuntimeMicroseconds ?? 0 <= limits.cpuRealtimePeriodMicroseconds ?? 1_000_000,
            "cpu real-time runtime cannot be higher than cpu real-time period")
        try require(limits.cpuShares ?? 0 >= 0, "CPU shares can not be less than 0")
        try checkSet(limits.cpusetCPUs, host.onlineCPUs, "cpus", "CPUs")
        try checkSet(limits.cpusetMemoryNodes, host.memoryNodes, "mems", "memory nodes")
    }

    private func checkSet(
        _ wanted: String?, _ available: String, _ name: String, _ words: String
    ) throws(EngineError) {
        guard let wanted, !wanted.isEmpty else { return }
        guard let numbers = IntegerSet.parse(wanted) else {
            throw EngineError(.invalid, "Invalid value \(wanted) for cpuset \(name): invalid format: \(wanted)")
        }
        guard let present = IntegerSet.parse(available), !numbers.isSubset(of: present) else { return }
        throw EngineError(
            .invalid, "Requested \(words) are not available - requested \(wanted), available: \(available)")
    }

    /// What an ordinary user's engine cannot do is said, and left out.
    private mutating func checkRights() {
        for limit in spec.limits.unkept(host.controllers) {
            warnings.append(
                "Your kernel does not support a \(limit) here: no cgroup with that controller is delegated to this user. "
                    + "The \(limit) is discarded.")
        }
    }
}
