import EngineAPI

/// From one object to those that belong to it.
extension Model {
    /// What the chosen container is made of, or which containers have the chosen object.
    mutating func showRelated() -> [Effect] {
        var (title, items): (String, [Menu.Item]) = ("", [])
        if let screen = listScreen {
            (title, items) = holders(in: screen)
        } else if let container = selectedContainer {
            (title, items) = parts(of: container)
        }
        guard items.count != 1 else { return perform(items[0].intent) }
        guard !items.isEmpty else {
            say(title.isEmpty ? "nothing is chosen" : "no container has \(title)", .warning)
            return []
        }
        dialogs.append(.menu(Menu(title: title, items: items)))
        return []
    }

    private func parts(of container: ContainerSummary) -> (String, [Menu.Item]) {
        func item(_ label: String, _ name: String, _ intent: Intent) -> Menu.Item {
            Menu.Item(label: "\(label) \(name)", detail: "", intent: intent)
        }
        let volumes = container.mounts.filter { $0.kind == .volume }.map(\.source)
        var items = [item("image", container.image, .showObject(.images, id: container.imageID))]
        items += container.networks.map { item("network", $0.networkName, .showObject(.networks, id: $0.networkID)) }
        items += Set(volumes).sorted { NaturalName($0) < NaturalName($1) }
            .map { item("volume", $0, .showObject(.volumes, id: $0)) }
        if let reference = NetworkMode(rawValue: container.networkMode).container,
            let other = containers.all.first(where: { $0.id == reference || $0.name == reference })
        {
            items.append(item("network of", other.name, .showContainer(id: other.id)))
        }
        return ("to what \(container.name) has", items)
    }

    /// The containers that have the chosen row of a list.
    private func holders(in screen: ListScreen) -> (String, [Menu.Item]) {
        let (name, found): (String, [ContainerSummary]) =
            switch screen.kind {
            case .images:
                selectedImage.map { row in (row.displayName, containers.all.filter { $0.imageID == row.image.id }) }
                    ?? ("", [])
            case .networks: selectedNetworkRow.map { ($0.network.spec.name, members(of: $0.network)) } ?? ("", [])
            case .volumes:
                selectedVolume.map { volume in
                    let names = Set(users(of: volume))
                    return (volume.spec.name, containers.all.filter { names.contains($0.name) })
                } ?? ("", [])
            case .usage, .events, .commands, .files: ("", [])
            }
        let items = found.sorted { (NaturalName($0.name), $0.id) < (NaturalName($1.name), $1.id) }.map {
            Menu.Item(label: $0.name, detail: $0.state.status.rawValue, intent: .showContainer(id: $0.id))
        }
        return (items.count > 1 ? "containers with \(name)" : name, items)
    }

    /// Opens a list at one of its rows.
    mutating func show(_ kind: ListScreen.Kind, at id: String) -> [Effect] {
        let effects = open(kind)
        sought = Sought(kind: kind, id: id, known: nil)
        return effects
    }
}
