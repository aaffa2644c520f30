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
        case .sortNext where listScreen != nil: sortListByNext()
        case .sortReverse where listScreen != nil: reverseList()
        case .sortMenu where listScreen != nil: dialogs.append(.menu(listSortMenu))
        case .sortList(let key): sortList(by: key)
        case .related: return showRelated()
        case .showObject(let kind, let id): return show(kind, at: id)
        case .showContainer(let id): return showContainer(id)
        case .copyObject: copyObject()
        case .sortNext:
            containers.sort = containers.sort.next
            containers.followTop()
            say("sorted by \(containers.sort.rawValue)")
        case .sortBy(let sort): self.sort(by: sort)
        case .copyLine: return copyLine()
        case .nextProcessOrder: processes.sortNext()
        case .sortMenu: dialogs.append(.menu(.sorts(self)))
        case .foldProject: containers.foldProject()
        case .groupProjects:
            containers.groupsProjects.toggle()
            say(containers.groupsProjects ? "grouped by compose project" : "projects are not grouped")
        case .sortReverse:
            containers.isReversed.toggle()
            containers.followTop()
        case .columns: dialogs.append(.menu(columnMenu))
        case .changeColumn(let kind): changeColumn(kind)
        case .mark, .markAll: mark(intent)
        case .bulk: askBulk()
        case .ofAll(let bulk): return act(bulk)
        case .zoom: layoutMode = layoutMode == .full ? .normal : .full
        case .largerPanel: layoutMode = layoutMode == .normal ? .half : .full
        case .smallerPanel: layoutMode = layoutMode == .full ? .half : .normal
        case .actionMenu: dialogs.append(.menu(listScreen == nil ? .actions(self) : .listActions(self)))
        case .palette: dialogs.append(.menu(.palette(self)))
        case .help:
            let place = keyContext == .captured ? .leader : keyContext
            dialogs.append(.help(.help(bindings, leader: leader, at: place, columns: layout.body.columns)))
        case .hosts: return [.listHosts]
        case .useHost(let name): return useHost(name)
        case .leaveForHost(let name): return leave(for: name)
        case .settings: dialogs.append(.menu(settingsMenu))
        case .useTheme(let name): useTheme(name)
        case .writeKeys: return writeKeys()
        case .notices:
            let lines = notices.flatMap { TextWrap.lines(of: $0, columns: max(20, layout.body.columns - 1)) }
            dialogs.append(.help(Pager(title: "notices", lines: lines.map { Pager.Line(text: $0) })))
        case .custom(let name): return runCommand(name)
        case .runOnTerminal(let runs): return runOnTerminal(runs)
        case .copy(let text):
            say("copied \(text)")
            return [.copy(text)]
        case .back: return goBack()
        case .accept: return accept()
        case .agree: return agree()
        case .cancelJob: return cancelLastJob()
        case .redraw: return [.redraw]
        case .suspend: return [.suspend]
        case .quit: return quit()
        case .quitAtOnce: return [.quit]
        case .attach: return attach()
        case .detach, .nextConsole, .newExec, .scrollConsole, .searchConsole, .closeConsole, .sendLeader, .markLine,
            .copyLines:
            return performInConsole(intent)
        case .new, .newFromImage: return openNewForm()
        case .images, .loadImage, .removeImage, .pullImage, .tagImage, .inspectImage, .askImagePrune, .pruneImages,
            .usage, .showUsage, .pruneUsage:
            return performInImages(intent)
        case .events: return open(.events)
        case .files, .openFile, .viewFile, .parentDirectory, .copyFileOut, .copyFileIn, .copyFilePath, .refreshFiles,
            .changedFiles, .goToFile:
            return performInFiles(intent)
        case .commands: return open(.commands)
        case .showCommand: showCommand()
        case .copyCommand: copyCommand()
        case .showEventObject: return showEventObject()
        case .networks, .volumes, .newNetwork, .newVolume, .removeNetwork, .removeVolume, .pruneNetworks,
            .pruneVolumes, .connectContainer, .showMember, .inspectNetwork, .inspectVolume, .openPort, .open:
            return performInNetworks(intent)
        case .completePath: return completePath()
        case .nextField, .previousField, .nextChoice, .previousChoice, .search, .nextMatch, .previousMatch,
            .fold:
            if case .logs? = dialogs.last, [.nextChoice, .previousChoice].contains(intent) {
                return performInLogs(intent)
            }
            performInDialog(intent)
        case .toggleFollow, .toggleTimestamps, .toggleWrap, .readLog, .askLogReach, .filterLog, .clearLogFilter,
            .toggleSurroundings, .copyLogLine, .saveLog:
            return performInLogs(intent)
        case .start, .stop, .restart, .pauseOrResume, .kill, .remove, .removeWithVolumes: return act(intent)
        case .logs: openLogs()
        case .signals:
            dialogs.append(.menu(.signals(containers.targets)))
        case .rename, .limits, .recreate, .endRecreation, .shell, .shellAsking, .inspect, .copyMenu:
            guard let container = selectedContainer else { return [] }
            return perform(intent, on: container)
        }
        return []
    }

    /// What is done to the selected container.
    private mutating func perform(_ intent: Intent, on container: ContainerSummary) -> [Effect] {
        let target = target(container)
        switch intent {
        case .limits: return [.inspect(container.id, .editLimits)]
        case .rename: dialogs.append(.form(.rename(target)))
        case .recreate: return recreate(container)
        case .endRecreation(let end): askToEndRecreation(of: container, end)
        case .shell:
            // Asked for again while one is open: another command is wanted.
            if let exec = consoles.shownExec[container.id], consoles.open[exec]?.isLive == true {
                return perform(.shellAsking)
            }
            return openExec(in: target, Self.shell)
        case .shellAsking: dialogs.append(.form(.exec(target)))
        case .inspect:
            commands.begin(["inspect", container.name], at: now, from: .inspection(container.id))
            return [.inspect(container.id, .show)]
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

    private mutating func openNewForm() -> [Effect] {
        let preferred = selectedImage?.name
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

    private var columnMenu: Menu {
        Menu(
            title: "columns",
            items: ContainerColumn.Kind.allCases.filter { $0 != .state && $0 != .name }.map { kind in
                let choice = containers.columns[kind]
                let word = choice == nil ? "where there is room" : choice == true ? "always" : "never"
                return Menu.Item(label: kind.rawValue, detail: word, intent: .changeColumn(kind))
            })
    }

    /// Where there is room, always, never, and from the beginning; the menu stays open.
    private mutating func changeColumn(_ kind: ContainerColumn.Kind) {
        switch containers.columns[kind] {
        case nil: containers.columns[kind] = true
        case true?: containers.columns[kind] = false
        case false?: containers.columns[kind] = nil
        }
        var menu = columnMenu
        menu.choose(.changeColumn(kind))
        dialogs.append(.menu(menu))
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
        if giveUpLogFilter() { return [] }
        if isEditingFilter {
            setFilter("")
            endFilter()
        } else if unmarkList() {
            return []
        } else if let screen = listScreen, !screen.filter.isEmpty {
            setFilter("")
        } else if case .logs(let screen)? = dialogs.last, !screen.filter.isEmpty {
            return performInLogs(.clearLogFilter)
        } else if let dialog = dialogs.last {
            return close(dialog)
        } else if !jobs.isEmpty || reaching != nil {
            return cancelLastJob()
        } else if !containers.cursor.marked.isEmpty {
            containers.unmark()
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
