import EngineAPI
import JSON

extension EngineEvent {
    /// One object of `GET /events`, with the members of today and those that clients before 1.22 read.
    package var dockerBody: JSONValue {
        var body = JSONObject()
        if kind == .container || kind == .image {
            body["status"] = .string(action)
            body["id"] = .string(actorID)
            if kind == .container, let image = attributes["image"] { body["from"] = .string(image) }
        }
        body["Type"] = .string(kind.rawValue)
        body["Action"] = .string(action)
        body["Actor"] = ["ID": .string(actorID), "Attributes": .textMap(attributes)]
        body["scope"] = "local"
        body["time"] = .integer(time.secondsSinceEpoch)
        body["timeNano"] = .integer(time.nanosecondsSinceEpoch)
        return .object(body)
    }

    /// Reads an event of any engine; nil for a kind that these values do not have.
    package init?(dockerBody body: JSONValue) {
        guard let kind = Kind(rawValue: body.text("Type")) else { return nil }
        let actor = body.field("Actor") ?? .null
        let seconds = body.whole("time") ?? 0
        self.init(
            kind: kind, action: body.filledText("Action") ?? body.text("status"),
            actorID: actor.filledText("ID") ?? body.text("id"), attributes: actor.textMap("Attributes"),
            time: WireTime.clamped(
                Timestamp(
                    nanosecondsSinceEpoch: body.whole("timeNano") ?? seconds.multipliedSaturated(by: 1_000_000_000))))
    }
}

extension EventRequest {
    /// Reads the query of `GET /events`.
    package init(dockerQuery query: QueryString) throws(EngineError) {
        self.init()
        since = try Self.time(query, "since")
        until = try Self.time(query, "until")
        if let since, let until, until < since {
            throw EngineError(
                .invalid,
                "`since` time (\(since.secondsSinceEpoch)) cannot be after `until` time "
                    + "(\(until.secondsSinceEpoch))")
        }
        let filters = try Filters(parsing: query["filters"])
        try filters.check(known: [
            "config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret",
            "service", "type", "volume",
        ])
        // What never happens here leaves nothing to see, which an empty list of kinds would not say.
        let names = filters["type"]
        kinds = names.compactMap(EngineEvent.Kind.init(rawValue:))
        let absent = ["config", "node", "plugin", "secret", "service"].filter { !filters[$0].isEmpty }
        let isElsewhere = !filters["scope"].isEmpty && !filters["scope"].contains("local")
        if !names.isEmpty && kinds.isEmpty || !absent.isEmpty || isElsewhere {
            kinds = []
            actions = ["none of these can happen: \((names + absent).joined(separator: ", "))"]
            return
        }
        actions += filters["event"]
        containers = filters["container"]
        images = filters["image"]
        networks = filters["network"]
        volumes = filters["volume"]
        daemons = filters["daemon"]
        labels = filters["label"]
    }

    private static func time(_ query: QueryString, _ name: String) throws(EngineError) -> Timestamp? {
        guard let text = query[name], !text.isEmpty else { return nil }
        guard let time = WireTime.parameter(text) else {
            throw EngineError(.invalid, "invalid value for \"\(name)\": \"\(text)\"")
        }
        return time
    }

    package var dockerQuery: QueryString {
        var filters = Filters()
        filters.add("type", kinds.map(\.rawValue))
        filters.add("event", actions)
        filters.add("container", containers)
        filters.add("image", images)
        filters.add("network", networks)
        filters.add("volume", volumes)
        filters.add("daemon", daemons)
        filters.add("label", labels)
        var query = QueryString()
        query.add("since", since.map(WireTime.parameter))
        query.add("until", until.map(WireTime.parameter))
        query.add("filters", filters.encoded)
        return query
    }
}
