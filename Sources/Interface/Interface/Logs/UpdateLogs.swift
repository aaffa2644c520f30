import EngineAPI
import Terminal

/// Logs: opening them, what is asked in them, and what comes.
extension Model {
    /// Of the marked containers together, or of the chosen one or project.
    mutating func openLogs() {
        let shown = containers.targets
        guard !shown.isEmpty else { return }
        for container in shown {
            commands.begin(["logs", "-f", "-n", "\(LogSource.firstTail)", container.name], at: now)
        }
        var screen = LogScreen(shown, serial: takeNumber(), wall: wall)
        (screen.times, screen.wraps) = (logLook.times, logLook.wraps)
        dialogs.append(.logs(screen))
    }

    mutating func take(_ news: LogNews, of subscription: LogSubscription) {
        for index in dialogs.indices {
            guard case .logs(var screen) = dialogs[index],
                screen.sources.contains(where: { $0.subscription == subscription })
            else { continue }
            // The stack lets go of its lines first: otherwise each entry would copy all of them.
            dialogs[index] = .help(Pager(title: ""))
            screen.add(news, of: subscription)
            dialogs[index] = .logs(screen)
        }
    }

    /// What a filter says of lines that it was asked about.
    mutating func take(_ places: [Int], ofPiece number: Int) {
        for index in dialogs.indices {
            guard case .logs(var screen) = dialogs[index], screen.sieve?.piece?.number == number else { continue }
            // As above.
            dialogs[index] = .help(Pager(title: ""))
            screen.take(places, of: number)
            dialogs[index] = .logs(screen)
        }
    }

    /// Has filters look at what has come.
    mutating func siftLogs() {
        for index in dialogs.indices {
            guard case .logs(var screen) = dialogs[index], screen.wantsSifting else { continue }
            screen.sift(number: takeNumber())
            dialogs[index] = .logs(screen)
        }
    }

    /// Logs that ended with their container go on with its next run.
    mutating func resumeLogs() {
        for index in dialogs.indices {
            guard case .logs(var screen) = dialogs[index], screen.sources.contains(where: { $0.end != nil }) else {
                continue
            }
            screen.resume(containers.all) { takeNumber() }
            dialogs[index] = .logs(screen)
        }
    }

    /// What a key asks for in a log. A table of the intents.
    mutating func performInLogs(_ intent: Intent) -> [Effect] {
        guard case .logs(var screen)? = dialogs.last else { return [] }
        switch intent {
        case .toggleFollow:
            screen.follows.toggle()
            // From far back the way to the newest is not through all between.
            if screen.horizon != nil { screen.read(screen.reach, now: now, serial: takeNumber()) }
            if screen.follows { screen.move(.bottom, page: pageRows) }
        case .toggleTimestamps:
            screen.showTimes(nextAfter: wall, at: now)
            logLook.times = screen.times
        case .toggleWrap:
            screen.wraps.toggle()
            logLook.wraps = screen.wraps
            screen.column = 0
        case .readLog(let reach): screen.read(reach, now: now, serial: takeNumber())
        case .askLogReach:
            let items = LogReach.choices.map { Menu.Item(label: $0.label, detail: "", intent: .readLog($0)) }
            var menu = Menu(title: "how far back", items: items)
            menu.choose(.readLog(screen.reach))
            dialogs.append(.menu(menu))
            return []
        case .filterLog: screen.filterEditor = LineEditor(screen.filter)
        case .clearLogFilter: return setLogFilter("")
        case .toggleSurroundings: return changeFilter { screen throws(FormError) in try screen.toggleSurroundings() }
        case .copyLogLine:
            guard screen.count > 0 else { return [] }
            let text = screen.copiedText
            say("copied the line")
            return [.copy(text)]
        case .saveLog:
            guard screen.count > 0 else {
                say("there is nothing to save", .warning)
                return []
            }
            dialogs.append(.form(.saveLog(screen, at: now)))
            return []
        case .nextChoice: if !screen.wraps { screen.column += 8 }
        case .previousChoice: screen.column = max(0, screen.column - 8)
        default: break
        }
        replaceDialog(.logs(screen))
        return []
    }

    /// Enter in the line of the filter: it is taken where it is one, else it stays to be mended.
    mutating func acceptLogFilter() {
        guard case .logs(let screen)? = dialogs.last, let editor = screen.filterEditor else { return }
        _ = setLogFilter(editor.text)
    }

    mutating func giveUpLogFilter() -> Bool {
        guard case .logs(var screen)? = dialogs.last, screen.filterEditor != nil else { return false }
        screen.filterEditor = nil
        replaceDialog(.logs(screen))
        return true
    }

    private mutating func setLogFilter(_ text: String) -> [Effect] {
        changeFilter { screen throws(FormError) in try screen.setFilter(text) }
    }

    /// Stays at the line of the cursor, for which the log may have to be read once more.
    private mutating func changeFilter(_ change: (inout LogScreen) throws(FormError) -> Void) -> [Effect] {
        guard case .logs(var screen)? = dialogs.last else { return [] }
        let before = screen
        do throws(FormError) {
            try change(&screen)
            screen.filterEditor = nil
            if screen.filter != before.filter, screen.lacksLines {
                let goal = screen.follows || before.count == 0 ? nil : before.line(before.cursor)
                screen.readAgain(now: now, serial: takeNumber(), goal: goal)
            }
            replaceDialog(.logs(screen))
        } catch {
            say(error.message, .error)
        }
        return []
    }

    /// The lines that the log below the form shows, as they are saved.
    var savedLog: String? {
        guard dialogs.count > 1, case .logs(let screen) = dialogs[dialogs.count - 2] else { return nil }
        return screen.savedText
    }
}

extension Form {
    /// Where the lines that are shown go.
    static func saveLog(_ screen: LogScreen, at now: Timestamp) -> Form {
        let stamp = screen.wall.stamp(now)
        let name = screen.isMerged ? "logs" : screen.sources.first?.name ?? "log"
        var path = Field(name: .path, label: "File", kind: .text(LineEditor("\(name)-\(stamp).log")))
        path.isRequired = true
        path.place = .machine
        let lines = screen.count == 1 ? "1 line" : "\(screen.count) lines"
        return Form(.saveLog, title: "save \(lines)", fields: [path])
    }
}
