import EngineAPI

/// An engine that was asked for and has not answered yet.
struct HostAttempt: Hashable, Sendable {
    let name: String
    let startedAt: Timestamp
}

/// Whose engine the screen is of.
extension Model {
    /// The name of the context that is our own engine, or the environment's.
    static let ownHost = "default"

    mutating func showHosts(_ list: [HostBook.Entry]) {
        let items = list.map { entry in
            Menu.Item(
                label: entry.name, detail: entry.name == host ? "in use" : entry.address, intent: .useHost(entry.name))
        }
        var menu = Menu(title: "engines, by docker's contexts", items: items)
        menu.choose(.useHost(host ?? ""))
        open(.menu(menu), late: "engines")
    }

    /// Asks first where there is something that would not be heard of any more.
    mutating func useHost(_ name: String) -> [Effect] {
        guard name != host else { return [] }
        guard !jobs.isEmpty else { return leave(for: name) }
        dialogs.append(
            .confirmation(
                Confirmation(
                    title: "go to \(name)?", lines: Self.farewells(to: jobs), verb: "go", steps: [],
                    intent: .leaveForHost(name), choosesYes: false)))
        return []
    }

    /// What becomes of jobs that nobody hears of any more.
    static func farewells(to jobs: [Job]) -> [String] {
        let lines = jobs.map { job in
            let action = job.action
            let end = action.undoesItself ? "is undone" : action.endsWithItsCaller ? "is given up" : "goes on unseen"
            return "\(job.label): \(end)."
        }
        return lines.count > 6 ? lines.prefix(5) + ["… \(lines.count) in all"] : lines
    }

    mutating func leave(for name: String) -> [Effect] {
        reaching = HostAttempt(name: name, startedAt: now)
        status = nil
        return [.connectHost(name)]
    }

    /// One that cannot be reached, unless somebody has given it up already.
    mutating func fail(toReach name: String, _ reason: String) {
        guard reaching?.name == name else { return }
        reaching = nil
        say("\(name): \(reason)", .error)
    }

    /// Stays where it is.
    mutating func stopReaching() -> [Effect] {
        guard let attempt = reaching else { return [] }
        reaching = nil
        say("not connected to \(attempt.name)", .warning)
        return [.leaveHost]
    }

    /// A screen of the same looks for another engine, of which nothing is known yet.
    func moved(to host: String) -> Model {
        var fresh = Model(now: now, size: size, theme: theme, leader: leader, makeEmulator: makeEmulator)
        fresh.preferences = preferences
        (fresh.themes, fresh.chosenTheme) = (themes, chosenTheme)
        (fresh.bindings, fresh.keyFilePath) = (bindings, keyFilePath)
        (fresh.customCommands, fresh.notices) = (customCommands, notices)
        (fresh.hasDesktop, fresh.saidContainersRunOn) = (hasDesktop, saidContainersRunOn)
        fresh.commands = commands
        fresh.commands.leave(at: now)
        (fresh.host, fresh.hasHosts) = (host, hasHosts)
        fresh.say("on \(host)", .success)
        return fresh
    }
}
