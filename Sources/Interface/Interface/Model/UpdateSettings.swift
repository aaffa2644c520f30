import EngineAPI

/// Settings that are changed in place.
extension Model {
    var settingsMenu: Menu {
        var items = themes.map { theme in
            Menu.Item(
                label: "theme \(theme.name)", detail: theme.name == chosenTheme.name ? "in use" : "",
                intent: .useTheme(theme.name))
        }
        if let path = keyFilePath {
            items.append(
                Menu.Item(label: "write all actions and keys to a file", detail: Self.example(path), intent: .writeKeys)
            )
        }
        if !notices.isEmpty {
            items.append(Menu.Item(label: "what was odd at the start", detail: "\(notices.count)", intent: .notices))
        }
        var menu = Menu(title: "settings", items: items)
        menu.choose(.useTheme(chosenTheme.name))
        return menu
    }

    /// While one goes through the themes, each is seen.
    mutating func previewTheme() {
        var name = chosenTheme.name
        if case .menu(let menu)? = dialogs.last, case .useTheme(let shown)? = menu.chosen?.intent { name = shown }
        guard name != theme.name else { return }
        theme = themes.first { $0.name == name } ?? chosenTheme
    }

    mutating func useTheme(_ name: String) {
        guard let found = themes.first(where: { $0.name == name }) else { return }
        chosenTheme = found
        theme = found
        keptTheme = name
        say("theme \(name)")
    }

    /// What can be changed, as a file beside the one that is read.
    mutating func writeKeys() -> [Effect] {
        guard let path = keyFilePath else { return [] }
        let example = Self.example(path)
        let text = Keymap.template(Keymap.withoutCommands(bindings))
        return begin(.saveText(path: example, text, replaces: true), "write \(example)")
    }

    private static func example(_ path: String) -> String {
        path.hasSuffix(".toml") ? "\(path.dropLast(5)).example.toml" : "\(path).example"
    }
}
