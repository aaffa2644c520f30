import EngineAPI

/// What is done to the marked objects at once, or to the chosen one.
extension Model {
    /// Marks in the list on top, or among the containers.
    mutating func mark(_ intent: Intent) {
        guard var screen = listScreen else {
            if intent == .markAll { containers.markAll() } else { containers.mark() }
            return
        }
        let rows = rowIDs(of: screen)
        if intent == .markAll { screen.cursor.markAll(of: rows) } else { screen.cursor.mark(of: rows) }
        replaceDialog(.list(screen))
    }

    /// Starts, stops and the like. Of several containers, those are meant that the action can be done to.
    mutating func act(_ intent: Intent) -> [Effect] {
        let isOfSeveral = !containers.cursor.marked.isEmpty || containers.selectedProject != nil
        return act(intent, on: containers.targets, isOfSeveral: isOfSeveral)
    }

    /// - Parameters:
    ///   - isOfSeveral: more than the chosen container are meant, which is asked about whatever it is.
    ///   - isBulk: it was asked for by a line that says which, and not by a key.
    mutating func act(
        _ intent: Intent, on wanted: [ContainerSummary], isOfSeveral: Bool, isBulk: Bool = false
    ) -> [Effect] {
        let able = wanted.filter { Self.takes(intent, $0) }
        let runs = able.contains { $0.state.status == .running }
        // Pausing leaves out those that are paused already.
        let targets = able.filter { intent != .pauseOrResume || !runs || $0.state.status == .running }
        guard !targets.isEmpty else {
            if isOfSeveral { say("it can be done to none of these containers", .warning) }
            return []
        }
        let steps = targets.compactMap { step(intent, $0, runs: runs) }
        // What does not run loses nothing by a restart.
        let isAsked = intent == .restart ? targets[0].state.isActive : Self.endsSomething.contains(intent)
        guard isOfSeveral || isAsked else {
            return begin(steps, title: steps.first?.label ?? "")
        }
        dialogs.append(.confirmation(question(intent, targets, steps, isBulk: isBulk)))
        return []
    }

    private static let endsSomething: Set<Intent> = [.stop, .remove, .removeWithVolumes]

    private static func takes(_ intent: Intent, _ container: ContainerSummary) -> Bool {
        switch intent {
        case .start: !container.state.isActive
        case .stop: container.state.isActive
        case .pauseOrResume, .kill: container.state.isAlive
        default: true
        }
    }

    /// - Parameter runs: one of the containers runs: then pausing is meant, and not resuming.
    private func step(_ intent: Intent, _ container: ContainerSummary, runs: Bool) -> Confirmation.Step? {
        let target = target(container)
        let made: (action: EngineAction, verb: String)? =
            switch intent {
            case .start: (.start(target), "start")
            case .stop: (.stop(target), "stop")
            case .restart: (.restart(target), "restart")
            case .pauseOrResume: runs ? (.pause(target), "pause") : (.unpause(target), "resume")
            case .kill(let signal): (.kill(target, signal: signal), "send SIG\(signal) to")
            case .remove, .removeWithVolumes:
                (
                    .remove(target, force: container.state.isActive, volumes: intent == .removeWithVolumes), "remove"
                )
            default: nil
            }
        return made.map { Confirmation.Step(action: $0.action, label: "\($0.verb) \(container.name)") }
    }

    private func question(
        _ intent: Intent, _ targets: [ContainerSummary], _ steps: [Confirmation.Step], isBulk: Bool
    ) -> Confirmation {
        let isRemoval = intent == .remove || intent == .removeWithVolumes
        let active = targets.filter(\.state.isActive)
        // A label is a verb and a name: `send SIGHUP to web`.
        let phrase = steps.first.map { $0.label.dropLast(targets[0].name.count + 1) } ?? ""
        let verb = phrase.prefix { $0 != " " }
        var lines = targets.count > 1 ? Self.names(targets.map(\.name)) : []
        if isRemoval {
            if active.count == 1, targets.count == 1 {
                lines.append("It is \(active[0].state.status.rawValue): its processes will be killed.")
            } else if !active.isEmpty {
                let words = active.count == 1 ? "runs: its" : "run: their"
                lines.append("\(active.count) of them \(words) processes will be killed.")
            }
            lines.append(
                targets.count > 1
                    ? "What they wrote in their own file systems is lost."
                    : "What it wrote in its own file system is lost.")
            // The other key is about what is marked or chosen.
            let hint = isBulk ? "" : "; \(key(.removeWithVolumes)) removes unnamed ones, too"
            lines.append(
                intent == .removeWithVolumes
                    ? "Volumes without a name go, too, and their files." : "Volumes stay\(hint).")
        }
        if [.stop, .restart].contains(intent), targets.count == 1, !active.isEmpty {
            lines = ["Its processes are asked to end, and killed if they do not."]
            // In k9s and others the same key opens a shell.
            if intent == .stop { lines.append("\(key(.shell)) opens a shell in it.") }
        }
        let object = targets.count == 1 ? targets[0].name : "\(steps.count) containers"
        return Confirmation(
            title: "\(phrase) \(object)?", lines: lines,
            verb: isRemoval && !active.isEmpty ? "kill and remove" : String(verb),
            steps: steps, choosesYes: Self.choosesYes(intent, ofActive: !active.isEmpty, isBulk: isBulk))
    }

    /// Whether Enter alone does it: not what kills, or loses volumes; and of all containers at once only what starts them,
    /// since their menu takes an Enter, too.
    private static func choosesYes(_ intent: Intent, ofActive isActive: Bool, isBulk: Bool) -> Bool {
        switch intent {
        case .remove: !isActive && !isBulk
        case .removeWithVolumes: false
        default: !isBulk || intent == .start
        }
    }

    /// Names in rows, not too many.
    static func names(_ names: [String]) -> [String] {
        var rows = TextWrap.lines(of: names.joined(separator: " "), columns: 60)
        if rows.count > 6 { rows = rows.prefix(5) + ["… \(names.count) in all"] }
        return rows
    }
}
