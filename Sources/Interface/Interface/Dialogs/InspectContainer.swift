import EngineAPI

/// A container's sections.
extension InspectScreen {
    init(_ details: ContainerDetails) {
        self.init(details.name, id: details.id, Self.sections(of: details))
    }

    private static func sections(of details: ContainerDetails) -> [Section] {
        [
            Section(title: "container", entries: identity(details)), Section(title: "state", entries: state(details)),
            Section(title: "health", entries: health(details.state.health, details.spec.healthCheck)),
            Section(title: "launch", entries: launch(details.launch)),
            Section(title: "process", entries: process(details)),
            Section(title: "limits", entries: limits(details.spec.limits)),
            Section(title: "ports", entries: ports(details.ports)),
            Section(title: "networks", entries: details.networks.flatMap(endpoint)),
            Section(title: "mounts", entries: details.spec.mounts.map { ($0.target, describe($0)) }),
            Section(title: "environment", entries: details.environment.map(splitVariable)),
            Section(title: "labels", entries: pairs(details.spec.labels)),
            Section(title: "security", entries: security(details.spec)),
        ]
    }

    private static func identity(_ details: ContainerDetails) -> [(name: String, value: String)] {
        var entries = [
            ("id", details.id), ("name", details.name), ("image", details.spec.image), ("image id", details.imageID),
            ("created", details.createdAt.rfc3339Nano), ("hostname", details.hostname),
            ("network", details.spec.networkMode?.rawValue ?? "none"), ("runtime", details.runtime),
            ("restart policy", details.spec.restartPolicy.kind.rawValue), ("restarts", "\(details.restartCount)"),
        ]
        if let path = details.logPath { entries.append(("log", path)) }
        if let path = details.cgroupPath { entries.append(("cgroup", path)) }
        return entries
    }

    private static func state(_ details: ContainerDetails) -> [(name: String, value: String)] {
        let state = details.state
        var entries = [("status", state.status.rawValue)]
        if state.pid > 0 { entries.append(("pid", "\(state.pid)")) }
        if !state.isAlive { entries.append(("exit code", ExitWords.describe(state))) }
        if state.oomKilled { entries.append(("killed", "out of memory")) }
        if !state.error.isEmpty { entries.append(("error", state.error)) }
        if let time = state.startedAt { entries.append(("started", time.rfc3339Nano)) }
        if let time = state.finishedAt { entries.append(("finished", time.rfc3339Nano)) }
        if let health = state.health { entries.append(("health", health.status.rawValue)) }
        return entries
    }

    private static func process(_ details: ContainerDetails) -> [(name: String, value: String)] {
        var entries = [
            ("arguments", details.arguments.map(quoted).joined(separator: " ")),
            ("directory", details.workingDirectory), ("user", details.user.isEmpty ? "root" : details.user),
            ("terminal", details.spec.tty ? "yes" : "no"), ("stdin", details.spec.openStdin ? "open" : "closed"),
            ("stop signal", details.spec.stopSignal ?? "SIGTERM"),
        ]
        if !details.execIDs.isEmpty { entries.append(("execs", details.execIDs.joined(separator: " "))) }
        return entries
    }

    private static func limits(_ limits: ResourceLimits) -> [(name: String, value: String)] {
        var entries: [(name: String, value: String)] = []
        if let bytes = limits.memoryBytes.flatMap(LimitText.finite) {
            entries.append(("memory", Quantity.bytes(UInt64(clamping: bytes))))
        }
        if let bytes = limits.memorySwapBytes {
            entries.append(("memory + swap", bytes < 0 ? "unlimited" : Quantity.bytes(UInt64(clamping: bytes))))
        }
        if let cpus = limits.nanoCPUs { entries.append(("cpus", "\(Double(cpus) / 1e9)")) }
        if let shares = limits.cpuShares { entries.append(("cpu shares", "\(shares)")) }
        if let set = limits.cpusetCPUs { entries.append(("cpuset", set)) }
        if let pids = limits.pids { entries.append(("pids", "\(pids)")) }
        return entries
    }

    private static func security(_ spec: ContainerSpec) -> [(name: String, value: String)] {
        var entries = [
            ("privileged", spec.privileged ? "yes" : "no"), ("read-only root", spec.readOnlyRoot ? "yes" : "no"),
            ("new privileges", spec.noNewPrivileges ? "no" : "yes"),
            ("system-call filter", spec.seccompUnconfined || spec.privileged ? "off" : "default"),
        ]
        if !spec.addedCapabilities.isEmpty { entries.append(("added", spec.addedCapabilities.joined(separator: " "))) }
        if !spec.droppedCapabilities.isEmpty {
            entries.append(("dropped", spec.droppedCapabilities.joined(separator: " ")))
        }
        return entries
    }

    private static func describe(_ mount: MountSpec) -> String {
        let source = mount.kind == .tmpfs ? "tmpfs" : mount.source
        return source + (mount.readOnly ? " (read only)" : "")
    }

    static func splitVariable(_ text: String) -> (name: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : "")
    }

    static func quoted(_ argument: String) -> String {
        argument.isEmpty || argument.contains(" ") || argument.contains("'") || argument.contains("\"")
            ? "\"\(argument)\"" : argument
    }
}
