import EngineAPI
import Terminal

extension Model {
    /// Gives the keys to the selected container's console.
    mutating func attach() -> [Effect] {
        guard let container = selectedContainer, let id = shownConsoleID else { return [] }
        let console = consoles.open[id]
        guard container.state.isAlive || console != nil else {
            say("\(container.name) is not running: S starts it", .warning)
            return []
        }
        guard container.state.status != .paused || console?.phase == .attached else {
            say("\(container.name) is paused: \(key(.pauseOrResume)) resumes it", .warning)
            return []
        }
        focus = .console
        consoles.isCaptured = true
        if !id.isExec, container.state.isAlive { commands.begin(["attach", container.name], at: now) }
        consoles.closed.remove(id)
        consoles.open[id]?.isHurried = true
        sayWhetherTyped(to: id)
        if console == nil || (console?.isEnded == true && container.state.isAlive && !id.isExec) {
            return openOwnConsole(container, hurried: true)
        }
        return []
    }

    /// Who attaches to a process that reads nothing is told at once, and not by the first key that does nothing.
    private mutating func sayWhetherTyped(to id: ConsoleID) {
        guard consoles.isCaptured, id == shownConsoleID, let console = consoles.open[id], console.takesNoKeys,
            // Of one that was just made that is less than that it runs.
            status?.running == nil || status?.running != selectedContainer?.name
        else { return }
        say("\(console.refusal ?? ""), \(key(.shell)) then opens a shell", .warning)
    }

    /// Attaches to the container's own stdio, or reads what its log holds where it does not run.
    mutating func openOwnConsole(_ container: ContainerSummary, hurried: Bool) -> [Effect] {
        let id = ConsoleID.container(container.id)
        var source = ContainerSource(
            id: container.id, isAlive: container.state.isAlive, isTTY: container.tty, isHurried: hurried)
        // What was shown before is still there: only this run's output is added.
        if let console = consoles.open[id] { source.replaySince = console.lostAt ?? container.state.startedAt }
        return openConsole(id, .container(source), title: container.name, isTTY: container.tty)
    }

    mutating func openExec(in target: EngineAction.Target, _ spec: ExecSpec) -> [Effect] {
        let id = ConsoleID.exec(containerID: target.id, number: takeNumber())
        consoles.shownExec[target.id] = id
        focus = .console
        consoles.isCaptured = true
        let command = spec.command.first ?? ""
        commands.begin(spec.words(in: target.name), at: now, from: .console(id))
        return openConsole(
            id, .exec(containerID: target.id, spec), title: "\(target.name) \(command)", isTTY: spec.tty)
    }

    mutating func openConsole(_ id: ConsoleID, _ source: ConsoleSource, title: String, isTTY: Bool) -> [Effect] {
        let emulator = consoles.open[id]?.emulator ?? makeEmulator(initialConsoleGrid)
        var console = Console(id: id, title: title, emulator: emulator, isTTY: isTTY)
        console.startedAt = container(id.containerID)?.state.startedAt
        console.lastShown = takeNumber()
        if case .container(let source) = source { console.isHurried = source.isHurried }
        consoles.open[id] = console
        return [.openConsole(id, source, console.size)]
    }

    /// Drops a console; the process runs on.
    mutating func closeConsole(_ id: ConsoleID) -> [Effect] {
        guard consoles.open.removeValue(forKey: id) != nil else { return [] }
        if consoles.shownExec[id.containerID] == id { consoles.shownExec[id.containerID] = nil }
        return [.closeConsole(id)]
    }

    mutating func take(_ news: ConsoleNews, of id: ConsoleID) -> [Effect] {
        // Of one that was left, what was under way comes late.
        guard var console = consoles.open[id], console.phase != .left else { return [] }
        var effects: [Effect] = []
        switch news {
        case .replay(let bytes):
            console.show(bytes)
            // Questions that were asked long ago are not answered now.
            _ = console.emulator.takeOutput()
        case .attached(let takesInput, let tty):
            console.phase = .attached
            console.takesInput = takesInput
            console.isTTY = tty
            if tty { effects.append(.consoleRepaint(id, console.size)) }
        case .output(.stdout(let bytes)), .output(.stderr(let bytes)):
            console.show(bytes)
            effects += countUnseen(bytes.count, of: &console)
        case .output(.lost(let count)):
            console.lostBytes += count
            console.note("\(Quantity.bytes(count)) of output lost: this screen was too slow")
        case .ended(let reason):
            console.phase = .ended(reason)
            commands.end(.console(id), .done(reason), at: now)
            console.takesInput = false
            console.note(reason)
        case .paused:
            (console.phase, console.lostAt) = (.paused, now)
        case .lost:
            console.phase = .ended("connection lost")
            console.lostAt = now
        }
        if console.isScrolling { console.keepWithinScrollback() }
        if console.emulator.takeBells() > 0, id == shownConsoleID { effects.append(.bell) }
        effects += Self.answers(of: &console)
        consoles.open[id] = console
        if case .attached = news { sayWhetherTyped(to: id) }
        return effects
    }

    /// Lets go of a console that floods while nobody sees it. Only of output that nobody types to: what a closed
    /// connection means to a process that reads is its engine's affair.
    private func countUnseen(_ count: Int, of console: inout Console) -> [Effect] {
        guard !console.isTTY, !console.takesInput, !console.id.isExec, console.phase == .attached,
            console.id != shownConsoleID || !showsPanel(.console)
        else {
            console.unseen = UnseenOutput()
            return []
        }
        guard console.unseen.isFlood(adding: count, at: now) else { return [] }
        console.unseen = UnseenOutput()
        (console.phase, console.lostAt) = (.left, now)
        console.note("not followed while it was not seen; the log has all of it")
        return [.closeConsole(console.id)]
    }

    /// Changes the console that is shown, and sends on what its emulator then has to say.
    mutating func withShownConsole(_ change: (inout Console) -> Void) -> [Effect] {
        guard let id = shownConsoleID, var console = consoles.open[id] else { return [] }
        change(&console)
        let effects = Self.answers(of: &console)
        consoles.open[id] = console
        return effects
    }

    private static func answers(of console: inout Console) -> [Effect] {
        let bytes = console.emulator.takeOutput()
        guard !bytes.isEmpty, !console.isEnded, console.isTTY else { return [] }
        return [.consoleInput(console.id, bytes)]
    }

    /// A key while every key goes to the container.
    mutating func pressInConsole(_ key: Key) -> [Effect] {
        if consoles.isHolderGone { return pressForTheGone(key) }
        guard let id = shownConsoleID, let console = consoles.open[id] else {
            consoles.isCaptured = false
            return []
        }
        let controlP = Key(.character("p"), .control)
        if key == leader {
            consoles.open[id]?.isLeaderPending = true
            // It begins no detaching any more, and so is the program's.
            guard console.isControlPPending, !console.isEnded else { return [] }
            consoles.open[id]?.isControlPPending = false
            return send(controlP, to: id)
        }
        if console.isEnded { return pressInEndedConsole(key, id) }
        if console.takesNoKeys, Self.leaving.contains(key) { return performInConsole(.detach) }
        if console.isControlPPending {
            consoles.open[id]?.isControlPPending = false
            if key == Key(.character("q"), .control) { return performInConsole(.detach) }
            let before = send(controlP, to: id)
            if key != controlP { return before + send(key, to: id) }
            consoles.open[id]?.isControlPPending = true
            return before
        }
        if key == controlP {
            consoles.open[id]?.isControlPPending = true
            return []
        }
        return send(key, to: id)
    }

    /// What leaves a console that nobody types to, beside the keys that leave every one.
    private static let leaving = [Key(.escape), Key(.character("q")), Key(.character("c"), .control)]

    /// Only what closes it has a meaning, so that what was typed for the program commands nothing here.
    private mutating func pressInEndedConsole(_ key: Key, _ id: ConsoleID) -> [Effect] {
        guard key == Key(.enter) || Self.leaving.contains(key) else { return [] }
        consoles.isCaptured = false
        focus = .containers
        return id.isExec ? closeConsole(id) : []
    }

    /// Only what no line of typing holds ends it: enter would let the next line command the list.
    private mutating func pressForTheGone(_ key: Key) -> [Effect] {
        guard key == Key(.escape) || key == Key(.character("c"), .control) else { return [] }
        consoles.isCaptured = false
        focus = .containers
        status = nil
        return []
    }

    mutating func pressAfterLeader(_ key: Key) -> [Effect] {
        guard let id = shownConsoleID else { return [] }
        consoles.open[id]?.isLeaderPending = false
        if key == leader { return send(key, to: id) }
        guard let intent = Keymap.intent(of: key, in: .leader, self) else {
            say("\(leader) \(key) is no command; \(leader) ? lists them", .warning)
            return []
        }
        return intent == .back ? [] : perform(intent)
    }

    private mutating func send(_ key: Key, to id: ConsoleID) -> [Effect] {
        guard var console = consoles.open[id] else { return [] }
        var effects: [Effect] = []
        if let refusal = console.refusal {
            say(refusal, .warning)
        } else if console.isTTY {
            console.emulator.send(key)
            effects = Self.answers(of: &console)
        } else {
            effects = typeLine(key, &console)
        }
        consoles.open[id] = console
        return effects
    }

    /// Text that was pasted while every key goes to the container.
    mutating func pasteIntoConsole(_ text: String) -> [Effect] {
        // What is said of that stays until the person has seen it.
        if consoles.isHolderGone { return [] }
        if let refusal = shownConsole?.refusal {
            say(refusal, .warning)
            return []
        }
        return withShownConsole { console in
            if console.isTTY { console.emulator.paste(text) } else { console.pendingLine.insert(text) }
        }
    }

    /// A line for a process without a terminal: edited here, sent whole.
    private func typeLine(_ key: Key, _ console: inout Console) -> [Effect] {
        switch (key.code, key.modifiers) {
        case (.enter, _):
            let line = console.pendingLine.text
            console.pendingLine = LineEditor()
            console.show(Array("\(line)\n".utf8))
            return [.consoleInput(console.id, Array("\(line)\n".utf8))]
        case (.character("d"), .control) where console.pendingLine.text.isEmpty:
            console.note("end of input")
            return [.consoleEndOfInput(console.id)]
        default:
            _ = console.pendingLine.handle(key)
            return []
        }
    }
}
