import EngineAPI
import Terminal

extension Model {
    /// Does what a key, a click or a menu asks for. A table: what is about dialogs and consoles is decided there.
    mutating func perform(_ intent: Intent) -> [Effect] {
        switch intent {
        case .move(let movement): move(movement)
        case .focus(let panel): return focus(on: panel)
        case .nextPanel: return focus(on: neighbour(1))
        case .previousPanel: return focus(on: neighbour(-1))
        case .filter: beginFilter()
        case .clearFilter: setFilter("")
        case .hideStopped:
            containers.hidesStopped.toggle()
            say(containers.hidesStopped ? "stopped containers are hidden" : "all containers are shown")
        case .sortNext:
            containers.sort = containers.sort.next
            say("sorted by \(containers.sort.rawValue)")
        case .sortReverse: containers.isReversed.toggle()
        case .zoom: layoutMode = layoutMode == .full ? .normal : .full
        case .largerPanel: layoutMode = layoutMode == .normal ? .half : .full
        case .smallerPanel: layoutMode = layoutMode == .full ? .half : .normal
        case .actionMenu: dialogs.append(.menu(.actions(self)))
        case .palette: dialogs.append(.menu(.palette(self)))
        case .help: dialogs.append(.help(.help(leader: leader)))
        case .copy(let text):
            say("copied \(text)")
            return [.copy(text)]
        case .back: return goBack()
        case .accept: return accept()
        case .agree: return agree()
        case .cancelJob: return cancelLastJob()
        case .redraw: return [.redraw]
        case .suspend: return [.suspend]
        case .quit: return [.quit]
        case .attach: return attach()
        case .detach, .nextConsole, .newExec, .scrollConsole, .searchConsole, .closeConsole, .sendLeader, .markLine,
            .copyLines:
            return performInConsole(intent)
        case .new, .newFromImage: return openNewForm()
        case .images, .loadImage, .removeImage, .pullImage, .tagImage, .askImagePrune, .pruneImages, .usage, .showUsage,
            .pruneUsage:
            return performInImages(intent)
        case .networks, .volumes, .newNetwork, .newVolume, .removeNetwork, .removeVolume, .pruneNetworks,
            .pruneVolumes, .connectContainer, .showMember, .openPort, .open:
            return performInNetworks(intent)
        case .nextField, .previousField, .nextChoice, .previousChoice, .search, .nextMatch, .previousMatch,
            .toggleFollow, .toggleTimestamps, .toggleWrap, .wholeLog, .fold:
            performInDialog(intent)
        case .start, .stop, .restart, .pauseOrResume, .signals, .remove, .removeWithVolumes, .rename, .shell,
            .shellAsking, .logs,
            .inspect, .kill, .copyMenu:
            guard let container = selectedContainer else { return [] }
            return perform(intent, on: container)
        }
        return []
    }

    /// What is done to the selected container.
    private mutating func perform(_ intent: Intent, on container: ContainerSummary) -> [Effect] {
        let target = target(container)
        let name = container.name
        switch intent {
        case .start: return begin(.start(target), "start \(name)")
        case .stop: return begin(.stop(target), "stop \(name)")
        case .restart: return begin(.restart(target), "restart \(name)")
        case .pauseOrResume:
            let isPaused = container.state.status == .paused
            return begin(isPaused ? .unpause(target) : .pause(target), "\(isPaused ? "resume" : "pause") \(name)")
        case .kill(let signal): return begin(.kill(target, signal: signal), "send SIG\(signal) to \(name)")
        case .signals: dialogs.append(.menu(.signals(name)))
        case .remove: confirmRemoval(container, volumes: false)
        case .removeWithVolumes: confirmRemoval(container, volumes: true)
        case .rename: dialogs.append(.form(.rename(target)))
        case .shell:
            // Asked for again while one is open: another command is wanted.
            if let exec = consoles.shownExec[container.id], consoles.open[exec]?.isLive == true {
                return perform(.shellAsking)
            }
            return openExec(in: target, Self.shell)
        case .shellAsking: dialogs.append(.form(.exec(target)))
        case .logs: dialogs.append(.logs(LogScreen(container: container, serial: takeNumber())))
        case .inspect: return [.inspect(container.id)]
        case .copyMenu: dialogs.append(.menu(copyMenu(container)))
        default: break
        }
        return []
    }

    private static var shell: ExecSpec {
        var spec = ExecSpec(command: ["sh"])
        spec.environment = ["TERM=xterm-256color"]
        spec.tty = true
        spec.attachStdin = true
        return spec
    }

    private mutating func confirmRemoval(_ container: ContainerSummary, volumes: Bool) {
        let isActive = container.state.isActive
        var lines = isActive ? ["It is \(container.state.status.rawValue): its processes will be killed."] : []
        lines.append("What it wrote in its own file system is lost.")
        lines.append(
            volumes ? "Volumes without a name go with it, and their files." : "Its volumes stay; D removes them, too.")
        dialogs.append(
            .confirmation(
                Confirmation(
                    title: "remove \(container.name)?", lines: lines, verb: isActive ? "kill and remove" : "remove",
                    action: .remove(target(container), force: isActive, volumes: volumes),
                    label: "remove \(container.name)", choosesYes: !isActive && !volumes)))
    }

    private mutating func openNewForm() -> [Effect] {
        let preferred = selectedImage?.name
        guard images?.isEmpty != true else {
            say("no image in the store: pull or load one first (I, then p or L)", .warning)
            return [.refreshImages]
        }
        dialogs.append(.form(.newContainer(images: images ?? [], preferred: preferred, networks: networkNames)))
        return [.refreshImages, .refreshNetworks]
    }

    private func copyMenu(_ container: ContainerSummary) -> Menu {
        let facts =
            [
                ("name", container.name), ("id", container.id), ("short id", String(container.id.prefix(12))),
                ("image", container.image), ("command", container.command),
                ("attach line", "gantry attach \(container.name)"), ("logs line", "gantry logs -f \(container.name)"),
            ]
            + container.networks.filter { !$0.ipv4Address.isEmpty }.map {
                ("address in \($0.networkName)", $0.ipv4Address)
            }
            + container.portAddresses.map { ("published port", $0) }
        return Menu(
            title: "copy", items: facts.map { Menu.Item(label: $0, detail: String($1.prefix(40)), intent: .copy($1)) })
    }

    private mutating func move(_ movement: Movement) {
        let page = pageRows
        switch dialogs.last {
        case .some: moveInDialog(movement, page: page)
        case nil:
            switch focus {
            case .containers:
                containers.move(movement, page: page)
            case .processes: processes.move(movement, page: page)
            case .stats: break
            case .console: scrollConsole(movement, page: page)
            }
        }
    }

    private mutating func focus(on panel: Panel) -> [Effect] {
        focus = panel
        consoles.isCaptured = false
        return []
    }

    private func neighbour(_ step: Int) -> Panel {
        let all = Panel.allCases
        return all[((focus.rawValue - 1 + step) % all.count + all.count) % all.count]
    }

    /// Out of what is innermost.
    private mutating func goBack() -> [Effect] {
        if dialogs.isEmpty, keyContext == .search {
            withSearch { $0.giveUp() }
            return []
        }
        if keyContext == .scrollback { return performInConsole(.back) }
        if isEditingFilter {
            setFilter("")
            endFilter()
        } else if let screen = listScreen, !screen.filter.isEmpty {
            setFilter("")
        } else if let dialog = dialogs.last {
            return close(dialog)
        } else if !jobs.isEmpty {
            return cancelLastJob()
        } else if layoutMode != .normal {
            layoutMode = .normal
        } else if !containers.filter.isEmpty {
            containers.filter = ""
        } else {
            focus = .containers
            status = nil
        }
        return []
    }
}
