import EngineAPI
import Terminal

extension Model {
    /// Brings what depends on other things in line after a message: rows, scrolling, which consoles are open, their size.
    ///
    /// - Parameter changesLists: rows of a list may be others than before.
    mutating func settle(changesLists: Bool) -> [Effect] {
        previewTheme()
        // Whoever does something with a container has found the one that was looked for.
        if !dialogs.isEmpty || consoles.isCaptured { containers.stayWithChosen() }
        containers.arrange(stats.histories)
        containers.keepSelectionVisible(page: max(0, (layout.content(of: .containers)?.rows ?? 0) - 1))
        if changesLists { followLists() }
        resumeLogs()
        siftLogs()
        if processes.containerID != nil, processes.containerID != selectedContainer?.id || !isSelectedAlive {
            processes.clear()
        }
        return askWhyStopped() + settleConsoles()
    }

    /// Of a container that does not run, details are asked for once for each state that it comes to.
    private mutating func askWhyStopped() -> [Effect] {
        guard showsPanel(.stats), connection.isUp, let container = selectedContainer, !container.state.isAlive else {
            return []
        }
        let reason = StatsPanel.Stop(container)
        guard stats.askedStop != reason else { return [] }
        stats.askedStop = reason
        return [.inspect(container.id, .explainStop)]
    }

    private var isSelectedAlive: Bool { selectedContainer?.state.isAlive ?? false }

    private mutating func settleConsoles() -> [Effect] {
        guard connection.isUp else { return resizeShownConsole() }
        return dropConsolesOfTheGone() + dropPassedBy() + openShownConsole() + limitConsoles() + resizeShownConsole()
    }

    private mutating func dropConsolesOfTheGone() -> [Effect] {
        let gone = consoles.open.keys.filter { !containers.holds($0.containerID) }
        consoles.closed = consoles.closed.filter { containers.holds($0.containerID) }
        let effects = gone.flatMap { closeConsole($0) }
        settleHolder()
        return effects
    }

    /// What is typed for one container is never another's, which the list has chosen in its place, and commands nothing.
    private mutating func settleHolder() {
        guard consoles.isCaptured, !consoles.isHolderGone else { return }
        if let holder = consoles.holder, !containers.rows.contains(where: { $0.id == holder.id }) {
            consoles.isHolderGone = true
            consoles.holdsMouse = false
            say("\(holder.name) is not in the list any more: what is typed goes nowhere; esc goes back", .error)
        } else if let container = selectedContainer, shownConsole != nil {
            consoles.holder = EngineAction.Target(id: container.id, name: container.name)
        } else {
            consoles.isCaptured = false
            if focus == .console { focus = .containers }
        }
    }

    /// Consoles that were not yet open when the selection moved on are not opened.
    private mutating func dropPassedBy() -> [Effect] {
        let shown = shownConsoleID
        let passed = consoles.open.values.filter {
            $0.phase == .opening && !$0.isHurried && $0.id != shown && !$0.id.isExec
        }
        return passed.flatMap { closeConsole($0.id) }
    }

    /// Opens the console of the selected container while its panel is seen: at first sight, and for each new run.
    private mutating func openShownConsole() -> [Effect] {
        guard showsPanel(.console), let container = selectedContainer, let id = shownConsoleID, !id.isExec,
            container.state.status != .created
        else { return [] }
        guard let console = consoles.open[id] else {
            return consoles.closed.contains(id) ? [] : openOwnConsole(container, hurried: false)
        }
        let isResumed = console.phase == .paused && container.state.status != .paused
        if console.phase == .left || isResumed { return openOwnConsole(container, hurried: console.isHurried) }
        // Of one that has ended since its connection was lost the rest is read, and how it ended.
        guard console.isEnded, container.state.isAlive || console.lostAt != nil else { return [] }
        // Not at once after a loss: the engine may still be on its way out.
        let isBack = console.lostAt.map { now.nanosecondsSinceEpoch - $0.nanosecondsSinceEpoch > 500_000_000 } ?? false
        guard isBack || container.state.startedAt != console.startedAt else { return [] }
        return openOwnConsole(container, hurried: console.isHurried)
    }

    private mutating func limitConsoles() -> [Effect] {
        guard let id = shownConsoleID, consoles.open[id] != nil else { return [] }
        let newest = consoles.open.values.map(\.lastShown).max() ?? 0
        if consoles.open[id]?.lastShown != newest {
            let number = takeNumber()
            consoles.open[id]?.lastShown = number
        }
        let excess = consoles.open.count - ConsolesPanel.limit
        guard excess > 0 else { return [] }
        let oldest = consoles.open.values.sorted { $0.lastShown < $1.lastShown }.prefix(excess)
        return oldest.flatMap { closeConsole($0.id) }
    }

    private mutating func resizeShownConsole() -> [Effect] {
        guard let grid = consoleGrid, !coversPanels, let id = shownConsoleID, var console = consoles.open[id],
            console.emulator.size != grid
        else { return [] }
        console.emulator.resize(to: grid)
        if console.isScrolling { console.showCursorLine() }
        consoles.open[id] = console
        return console.isTTY && !console.isEnded ? [.consoleResize(id, console.size)] : []
    }
}
