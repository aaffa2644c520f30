import EngineAPI

/// What of an object can be copied.
extension Model {
    /// What can be copied of the chosen row of a list.
    mutating func copyObject() {
        let facts = chosenFacts.filter { !$0.1.isEmpty }
        guard !facts.isEmpty else { return say("there is nothing to copy", .warning) }
        let items = facts.map { Menu.Item(label: $0, detail: String($1.prefix(40)), intent: .copy($1)) }
        dialogs.append(.menu(Menu(title: "copy", items: items)))
    }

    private var chosenFacts: [(String, String)] {
        switch listScreen?.kind {
        case .images:
            guard let row = selectedImage else { return [] }
            var facts = [("name", row.name ?? ""), ("id", row.image.id), ("short id", row.image.shortID)]
            facts += row.image.digests.map { ("digest", $0) }
            if let name = row.name { facts.append(("pull line", "gantry pull \(name)")) }
            return facts
        case .networks:
            switch selectedNetworkRow {
            case .network(let network):
                var facts = [("name", network.spec.name), ("id", network.id)]
                for pool in network.spec.pools { facts += [("subnet", pool.subnet), ("gateway", pool.gateway ?? "")] }
                return facts
            case .member(let network, let member):
                let endpoint = member.endpoint(in: network)
                return [
                    ("name", member.name), ("address", endpoint?.ipv4Address ?? ""),
                    ("IPv6 address", endpoint?.ipv6Address ?? ""), ("MAC", endpoint?.macAddress ?? ""),
                    ("id", member.id),
                ]
            case nil: return []
            }
        case .volumes:
            guard let volume = selectedVolume else { return [] }
            return [("name", volume.spec.name), ("directory", volume.mountpoint)]
        case .events:
            guard let event = selectedEvent else { return [] }
            return [
                ("name", event.objectName), ("id", event.actorID), ("time", wall.rfc3339(event.time)),
                ("what", [event.kind.rawValue, event.action, event.objectName, event.detail].joined(separator: " ")),
            ]
        case .usage:
            guard case .object(_, let name, _, _)? = selectedUsageRow else { return [] }
            return [("name", name)]
        case .commands, .files, nil: return []
        }
    }
}
