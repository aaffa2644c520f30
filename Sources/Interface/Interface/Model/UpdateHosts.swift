import EngineAPI

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
        dialogs.append(.menu(menu))
    }

    mutating func useHost(_ name: String) -> [Effect] {
        guard name != host else { return [] }
        say("connecting to \(name)…")
        return [.connectHost(name)]
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
