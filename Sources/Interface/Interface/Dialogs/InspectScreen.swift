import EngineAPI

/// All that is known of a container, in sections that fold.
struct InspectScreen: Hashable, Sendable {
    struct Section: Hashable, Sendable {
        var title: String
        var entries: [(name: String, value: String)]
        var isFolded = false

        static func == (left: Section, right: Section) -> Bool {
            left.title == right.title && left.isFolded == right.isFolded
                && left.entries.elementsEqual(right.entries) { $0 == $1 }
        }

        func hash(into hasher: inout Hasher) { hasher.combine(title) }
    }

    private(set) var sections: [Section]
    var pager: Pager
    let containerID: String

    init(_ details: ContainerDetails) {
        containerID = details.id
        sections = Self.sections(of: details)
        pager = Pager(title: "inspect \(details.name)")
        render()
    }

    /// Fresh facts in place of the old ones; what was folded stays so.
    mutating func update(_ details: ContainerDetails) {
        let folded = Set(sections.filter(\.isFolded).map(\.title))
        sections = Self.sections(of: details)
        for index in sections.indices { sections[index].isFolded = folded.contains(sections[index].title) }
        render()
    }

    /// Folds or unfolds the section that the cursor is in.
    mutating func fold() {
        var line = 0
        for index in sections.indices {
            let count = 1 + (sections[index].isFolded ? 0 : sections[index].entries.count)
            if pager.cursor < line + count {
                sections[index].isFolded.toggle()
                pager.cursor = line
                return render()
            }
            line += count
        }
    }

    /// The value in the cursor's line; at a section's title all of the section, `NAME=VALUE` a line.
    var chosenText: String {
        var line = 0
        for section in sections {
            let entries = section.isFolded ? [] : section.entries
            if pager.cursor == line {
                return section.entries.map { ($0.name.isEmpty ? "" : "\($0.name)=") + $0.value }.joined(separator: "\n")
            }
            if pager.cursor <= line + entries.count { return entries[pager.cursor - line - 1].value }
            line += 1 + entries.count
        }
        return ""
    }

    private mutating func render() {
        pager.lines = []
        for section in sections {
            let sign = section.isFolded ? "▸" : "▾"
            let count = section.isFolded ? " (\(section.entries.count))" : ""
            pager.lines.append(Pager.Line(text: "\(sign) \(section.title)\(count)", role: .header))
            guard !section.isFolded else { continue }
            let width = min(22, section.entries.map(\.name.count).max() ?? 0)
            for entry in section.entries {
                let fill = String(repeating: " ", count: max(0, width - entry.name.count))
                let lead = entry.name.isEmpty ? "    " : "    \(entry.name)\(fill)  "
                pager.lines.append(
                    Pager.Line(text: lead + entry.value, leadCount: lead.count, leadRole: .muted))
            }
        }
        pager.cursor = min(pager.cursor, max(0, pager.lines.count - 1))
    }
}

extension InspectScreen {
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
            Section(
                title: "labels", entries: details.spec.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }),
            Section(title: "security", entries: security(details.spec)),
        ].filter { !$0.entries.isEmpty }
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

    private static func splitVariable(_ text: String) -> (name: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : "")
    }

    static func quoted(_ argument: String) -> String {
        argument.isEmpty || argument.contains(" ") || argument.contains("'") || argument.contains("\"")
            ? "\"\(argument)\"" : argument
    }
}
