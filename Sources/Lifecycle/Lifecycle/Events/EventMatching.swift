import EngineAPI
import JSON
import Storage

extension EventRequest {
    /// Whether the event is one of those asked for: of each kind of condition, one must hold; of labels, all.
    func accepts(_ event: EngineEvent) -> Bool {
        if let since, event.time < since { return false }
        if let until, event.time > until { return false }
        return (kinds.isEmpty || kinds.contains(event.kind))
            && (actions.isEmpty || actions.contains { event.matches(action: $0) })
            && (containers.isEmpty || event.kind == .container && containers.contains { event.matches(container: $0) })
            && (images.isEmpty || images.contains { event.matches(image: $0) })
            && (networks.isEmpty || event.kind == .network && networks.contains { event.matches(container: $0) })
            && (volumes.isEmpty || event.kind == .volume && volumes.contains(event.actorID))
            && (daemons.isEmpty || event.kind == .daemon && daemons.contains { event.matches(container: $0) })
            && labels.allSatisfy { event.matches(label: $0) }
    }
}

extension EngineEvent {
    /// `exec_start` is meant by its name alone, whatever command follows it.
    fileprivate func matches(action wanted: String) -> Bool {
        action == wanted || action.hasPrefix(wanted + ":")
    }

    fileprivate func matches(container: String) -> Bool {
        attributes["name"] == container || !container.isEmpty && actorID.hasPrefix(container)
    }

    fileprivate func matches(image: String) -> Bool {
        let name = kind == .image ? attributes["name"] ?? actorID : attributes["image"] ?? ""
        return actorID == image && kind == .image || name == image || name.hasPrefix(image + ":")
    }

    fileprivate func matches(label: String) -> Bool {
        guard let equals = label.firstIndex(of: "=") else { return attributes[label] != nil }
        return attributes[String(label[..<equals])] == String(label[label.index(after: equals)...])
    }
}

extension EventRow {
    package init(_ event: EngineEvent) {
        let members = event.attributes.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        self.init(
            time: event.time.nanosecondsSinceEpoch, kind: event.kind.rawValue, action: event.action,
            actor: event.actorID, attributes: JSONValue.object(JSONObject(members)).compactText)
    }
}

extension EngineEvent {
    /// Nil for a row that a later version wrote in its own way.
    package init?(_ row: EventRow) {
        guard let kind = Kind(rawValue: row.kind),
            let object = try? JSONValue(parsing: row.attributes).object  // As above.
        else { return nil }
        var attributes: [String: String] = [:]
        for member in object.members { attributes[member.name] = member.value.string }
        self.init(
            kind: kind, action: row.action, actorID: row.actor, attributes: attributes,
            time: Timestamp(nanosecondsSinceEpoch: row.time))
    }
}
