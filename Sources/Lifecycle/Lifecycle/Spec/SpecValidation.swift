import EngineAPI
import JSON
import Linux
import OCI

/// Whether a container can be made as asked: docker's rules, in docker's words.
package struct SpecValidation {
    private let spec: ContainerSpec
    private let host: HostFacts

    /// What is granted otherwise than asked.
    private var warnings: [String] = []

    /// - Throws: `invalid`, with the first rule that is broken.
    package static func check(_ spec: ContainerSpec, host: HostFacts) throws(EngineError) -> [String] {
        var validation = SpecValidation(spec: spec, host: host)
        try validation.checkNames()
        try validation.checkMemory()
        try validation.checkCPU()
        try validation.checkBlockIO()
        try validation.checkRestart()
        try validation.checkProcess()
        try validation.checkHealth()
        try validation.checkSharing()
        try validation.checkLabels()
        try MountRules.check(spec.mounts)
        try validation.require(
            host.makesTreesReadOnly || !spec.mounts.contains { $0.readOnlyDepth == .all },
            "failed to set up recursively read-only mounts: the kernel does not support them")
        try validation.checkNetworks()
        validation.checkRights()
        return validation.warnings
    }

    private init(spec: ContainerSpec, host: HostFacts) {
        self.spec = spec
        self.host = host
    }

    private func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(EngineError) {
        if !condition { throw EngineError(.invalid, message()) }
    }

    private func checkNames() throws(EngineError) {
        if let name = spec.hostname {
            // The kernel takes any name of this length, and docker does: `my_app` is common. What would end a word or a
            // line of the files that tell of it is no name.
            let isValid = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
            try require(isValid, "invalid hostname format: \(name)")
        }
        for variable in spec.environment {
            try require(
                !variable.isEmpty && !variable.hasPrefix("="), "invalid environment variable: \(variable)")
            try require(!variable.utf8.contains(0), "invalid environment variable: nul byte in \(variable)")
        }
        if let directory = spec.workingDirectory, !directory.isEmpty {
            try require(
                directory.hasPrefix("/"),
                "the working directory '\(directory)' is invalid, it needs to be an absolute path")
        }
        if let signal = spec.stopSignal {
            try require(Signal.number(signal) ?? 0 > 0, "invalid signal: \(signal)")
        }
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

    /// An address or a name is a network's to give.
    private func checkNetworks() throws(EngineError) {
        for endpoint in spec.networks.values { try endpoint.checkOptions() }
        for (name, endpoint) in spec.networks
        where ["none", "host"].contains(name) || name.hasPrefix("container:") {
            try require(
                endpoint.ipv4Address == nil && endpoint.ipv6Address == nil,
                "user specified IP address is supported on user defined networks only")
            try require(
                endpoint.aliases.isEmpty,
                "network-scoped alias is supported only for containers in user defined networks")
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

    /// Where the kernel has no such modules the words are kept and mean nothing, as on docker.
    private func checkLabels() throws(EngineError) {
        guard host.hasSELinux, let label = spec.securityLabels.first(where: { $0 != "disable" }) else { return }
        throw EngineError(.unsupported, "the security option `label=\(label.prefix(80))` is not supported yet")
    }

    private func checkHealth() throws(EngineError) {
        guard let check = spec.healthCheck else { return }
        let durations = [
            ("Interval", check.interval), ("Timeout", check.timeout), ("StartPeriod", check.startPeriod),
            ("StartInterval", check.startInterval),
        ]
        for (name, value) in durations {
            try require(
                value ?? .seconds(1) >= .milliseconds(1), "\(name) in Healthcheck cannot be less than 1ms")
        }
        try require(check.retries ?? 0 >= 0, "Retries in Healthcheck cannot be negative")
        if let kind = check.test.first {
            try require(["NONE", "CMD", "CMD-SHELL"].contains(kind), "Unknown healthcheck type '\(kind)'")
        }
    }

    private func checkSharing() throws(EngineError) {
        try checkRemapping()
        if spec.utsMode == .host {
            try require(spec.hostname == nil, "conflicting options: hostname and the UTS mode")
            try require(spec.domainname == nil, "conflicting options: domainname and the UTS mode")
        }
        if spec.networkMode?.container != nil {
            // What another container's network decides.
            let conflict = "conflicting options: "
            try require(spec.hostname == nil, conflict + "hostname and the network mode")
            try require(spec.dnsServers.isEmpty, conflict + "dns and the network mode")
            try require(spec.extraHosts.isEmpty, conflict + "custom host-to-IP mapping and the network mode")
            try require(
                spec.exposedPorts.isEmpty, conflict + "port exposing and the container type network mode")
        }
        for rule in spec.deviceRules { _ = try LinuxDeviceRule(dockerRule: rule) }
        for device in spec.devices {
            try require(
                device.containerPath.hasPrefix("/"), "invalid device path in the container: \(device.containerPath)")
            try require(
                !device.permissions.isEmpty && device.permissions.allSatisfy { "rwm".contains($0) },
                "invalid device mode: \(device.permissions)")
        }
        if let text = spec.seccompProfile {
            do {
                _ = try DockerSeccomp.profile(
                    JSONValue(parsing: text), capabilities: [], architecture: Platform.host.architecture,
                    kernel: host.kernelRelease)
            } catch { throw EngineError(.invalid, "decoding seccomp profile failed: \(error)") }
        }
    }

    /// What only the host's root may do needs the host's root inside.
    private func checkRemapping() throws(EngineError) {
        guard host.remap(for: spec.userMode) != nil else { return }
        try require(
            !spec.privileged,
            "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace "
                + "when running privileged mode")
        try require(
            spec.networkMode != .host, "cannot share the host's network namespace when user namespaces are enabled")
        try require(spec.pidMode != .host, "cannot share the host PID namespace when user namespaces are enabled")
    }

    /// What an ordinary user's engine cannot do is said, and left out.
    private mutating func checkRights() {
        for limit in spec.limits.unkept(host.controllers) {
            warnings.append(
                "Your kernel does not support a \(limit) here: no cgroup with that controller is delegated to this user. "
                    + "The \(limit) is discarded.")
        }
    }

    private func checkRestart() throws(EngineError) {
        let policy = spec.restartPolicy
        try require(
            policy.maximumRetries >= 0, "invalid restart policy: maximum retry count cannot be negative")
        try require(
            policy.maximumRetries == 0 || policy.kind == .onFailure,
            "invalid restart policy: maximum retry count can only be used with 'on-failure'")
        try require(
            !spec.autoRemove || policy.kind == .no, "can't create 'AutoRemove' container with restart policy")
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
            throw EngineError(.invalid, "Invalid value \(wanted) for cpuset \(name)")
        }
        guard let present = IntegerSet.parse(available), !numbers.isSubset(of: present) else { return }
        throw EngineError(
            .invalid, "Requested \(words) are not available - requested \(wanted), available: \(available)")
    }

    private func checkProcess() throws(EngineError) {
        if let score = spec.oomScoreAdjustment {
            try require(
                (-1000...1000).contains(score), "Invalid value \(score), range for oom score adj is [-1000, 1000]")
        }
        _ = try CapabilityPlan.resolve(spec, host: host)
        for limit in spec.ulimits {
            try require(Self.ulimits.contains(limit.name), "invalid ulimit type: \(limit.name)")
            try require(
                limit.hard < 0 || limit.soft >= 0 && limit.soft <= limit.hard,
                "ulimit soft limit must be less than or equal to hard limit: \(limit.soft) > \(limit.hard)")
        }
        for key in spec.sysctls.keys where spec.networkMode == .host && key.hasPrefix("net.") {
            throw EngineError(.invalid, "sysctl \(key) is not allowed in the host's network namespace")
        }
    }

    private static let ulimits: Set<String> = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ]
}

/// A set of numbers as cpuset(7) writes it: `0-2,4`.
enum IntegerSet {
    static func parse(_ text: String) -> Set<Int>? {
        var numbers: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, ends.count <= 2, let last = ends.last ?? nil, first <= last,
                first >= 0, last < 8192
            else { return nil }
            numbers.formUnion(first...last)
        }
        return numbers
    }
}

extension UInt8 {
    var isAlphanumeric: Bool { (48...57).contains(self) || (97...122).contains(self | 0x20) }
}
