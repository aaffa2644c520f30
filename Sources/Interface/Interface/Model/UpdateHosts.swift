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

    mutating func useHost(_ name: String) -> [Effect] {
        guard name != host else { return [] }
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
        (fresh.hasDesktop, fresh.saidContainersRunOn) = (hasDesktop, saidContainersRunOn)
        fresh.commands = commands
        (fresh.host, fresh.hasHosts) = (host, hasHosts)
        fresh.say("on \(host)", .success)
        return fresh
    }
}
