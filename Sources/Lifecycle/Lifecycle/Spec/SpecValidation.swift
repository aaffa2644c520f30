import EngineAPI
import JSON
import Linux
import OCI

/// Whether a container can be made as asked: docker's rules, in docker's words.
package struct SpecValidation {
    private let spec: ContainerSpec
    private let host: HostFacts

    /// - Returns: what is granted otherwise than asked.
    /// - Throws: `invalid`, with the first rule that is broken.
    package static func check(_ spec: ContainerSpec, host: HostFacts) throws(EngineError) -> [String] {
        let validation = SpecValidation(spec: spec, host: host)
        try validation.checkNames()
        try validation.checkTexts()
        let limits = try LimitRules.check(spec, host: host)
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
        return limits
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

    /// The kernel reads a text up to its first NUL: what is called by a longer one would be another cgroup, another
    /// directory of the host's.
    private func checkTexts() throws(EngineError) {
        var texts = [
            ("cgroup parent", spec.cgroupParent), ("working directory", spec.workingDirectory),
            ("domainname", spec.domainname),
        ]
        for mount in spec.mounts { texts += [("mount source", mount.source), ("mount path", mount.target)] }
        for path in spec.anonymousVolumes { texts.append(("mount path", path)) }
        for device in spec.devices {
            texts += [("device path", device.hostPath), ("device path in the container", device.containerPath)]
        }
        for (name, text) in texts {
            try require(text?.utf8.contains(0) != true, "invalid \(name): nul byte in \(text ?? "")")
        }
    }

    /// An address or a name is a network's to give.
    private func checkNetworks() throws(EngineError) {
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

    static let ulimits: Set<String> = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ]
}

extension UInt8 {
    var isAlphanumeric: Bool { (48...57).contains(self) || (97...122).contains(self | 0x20) }
}
