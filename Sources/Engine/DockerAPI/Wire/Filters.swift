import EngineAPI
import JSON

/// The `filters` of list and event requests: names with their values.
package struct Filters: Hashable, Sendable {
    package private(set) var values: [String: [String]] = [:]

    package init() {}

    /// Reads `{"name":{"value":true}}` and the older `{"name":["value"]}`.
    package init(parsing text: String?) throws(EngineError) {
        guard let text, !text.isEmpty else { return }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: text)
        } catch {
            throw EngineError(.invalid, "invalid filter: \(error)")
        }
        guard let object = value.object else { throw EngineError(.invalid, "invalid filter: not an object") }
        for (name, entry) in object.members { values[name] = try Self.list(entry, name) }
    }

    private static func list(_ entry: JSONValue, _ name: String) throws(EngineError) -> [String] {
        switch entry {
        case .array(let elements):
            let texts = elements.compactMap(\.string)
            guard texts.count == elements.count else { break }
            return texts
        case .object(let object): return object.members.filter { $0.value.bool == true }.map(\.name)
        case .null: return []
        default: break
        }
        throw EngineError(.invalid, "invalid filter '\(name)'")
    }

    package subscript(name: String) -> [String] { values[name] ?? [] }

    package mutating func add(_ name: String, _ list: [String]) {
        if !list.isEmpty { values[name, default: []].append(contentsOf: list) }
    }

    /// Ports, `80`, `80/udp`, and ranges of them, `8000-8010/tcp`.
    fileprivate func ports(_ name: String) throws(EngineError) -> [PortRange] {
        var ports: [PortRange] = []
        for text in self[name] {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            let ends = parts.first?.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) } ?? []
            guard parts.count <= 2, (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                first > 0, first <= last,
                let transport = parts.count == 2 ? ContainerPort.Transport(rawValue: parts[1].lowercased()) : .tcp
            else { throw EngineError(.invalid, "invalid filter '\(name)=\(text)'") }
            ports.append(PortRange(first...last, transport))
        }
        return ports
    }

    /// Refuses a name that is not among `known`, in docker's words.
    package func check(known: Set<String>) throws(EngineError) {
        for name in values.keys.sorted() where !known.contains(name) {
            throw EngineError(.invalid, "invalid filter '\(name)'")
        }
    }

    /// The map form; nil where there is nothing to filter by.
    package var encoded: String? {
        if values.isEmpty { return nil }
        let members = values.sorted { $0.key < $1.key }.map { name, list in
            (name, JSONValue.object(JSONObject(list.map { ($0, .bool(true)) })))
        }
        return JSONValue.object(JSONObject(members)).compactText
    }
}

extension ContainerFilter {
    /// Reads the query of `GET /containers/json`.
    package init(dockerQuery query: QueryString) throws(EngineError) {
        let filters = try Filters(parsing: query["filters"])
        try filters.check(known: [
            "id", "name", "status", "label", "ancestor", "exited", "before", "since", "network", "volume", "health",
            "is-task", "publish", "expose", "isolation",
        ])
        // A status or a limit asks for containers that do not run, too.
        self.init(all: query.flag("all"))
        withSizes = query.flag("size")
        if let text = query["limit"], !text.isEmpty {
            guard let limit = Int(text) else {
                throw EngineError(.invalid, "strconv.Atoi: parsing \"\(text)\": invalid syntax")
            }
            if limit > 0 { (self.limit, all) = (limit, true) }
        }
        ids = filters["id"]
        names = filters["name"]
        labels = filters["label"]
        ancestors = filters["ancestor"]
        networks = filters["network"]
        volumes = filters["volume"]
        published = try filters.ports("publish")
        exposed = try filters.ports("expose")
        before = filters["before"].first
        since = filters["since"].first
        for text in filters["status"] {
            guard let status = ContainerStatus(rawValue: text) else {
                throw EngineError(.invalid, "invalid filter 'status=\(text)'")
            }
            statuses.append(status)
        }
        for text in filters["exited"] {
            guard let code = Int32(text) else { throw EngineError(.invalid, "invalid filter 'exited=\(text)'") }
            exitCodes.append(code)
        }
        for text in filters["health"] {
            guard let health = HealthState.Status(rawValue: text) else {
                throw EngineError(.invalid, "invalid filter 'health=\(text)'")
            }
            healths.append(health)
        }
        if !statuses.isEmpty || !exitCodes.isEmpty { all = true }
        // No container here is a swarm's task, and isolation is another system's.
        for text in filters["is-task"] where GoBool.parse(text) == nil {
            throw EngineError(.invalid, "invalid filter 'is-task=[\(text)]'")
        }
        matchesNone =
            filters["is-task"].contains { GoBool.parse($0) == true }
            || filters["isolation"].contains { !["", "default"].contains($0) }
    }

    package var dockerQuery: QueryString {
        var filters = Filters()
        filters.add("id", ids)
        filters.add("name", names)
        filters.add("label", labels)
        filters.add("ancestor", ancestors)
        filters.add("network", networks)
        filters.add("volume", volumes)
        filters.add("publish", published.map(\.description))
        filters.add("expose", exposed.map(\.description))
        if matchesNone { filters.add("is-task", ["true"]) }
        filters.add("status", statuses.map(\.rawValue))
        filters.add("exited", exitCodes.map(String.init))
        filters.add("health", healths.map(\.rawValue))
        filters.add("before", before.map { [$0] } ?? [])
        filters.add("since", since.map { [$0] } ?? [])
        var query = QueryString()
        query.add("all", all)
        query.add("limit", limit.map(String.init))
        query.add("size", withSizes)
        query.add("filters", filters.encoded)
        return query
    }
}

extension ImageFilter {
    /// Reads the query of `GET /images/json`.
    package init(dockerQuery query: QueryString, now: Timestamp = .now()) throws(EngineError) {
        self.init()
        let filters = try Filters(parsing: query["filters"])
        try filters.check(known: ["reference", "label", "label!", "dangling", "before", "since", "until"])
        before = filters["before"].first
        since = filters["since"].first
        until = try filters.until(now)
        withoutLabels = filters["label!"]
        references = filters["reference"]
        // Before 1.25 a pattern came as a parameter of its own.
        if let pattern = query["filter"], !pattern.isEmpty { references.append(pattern) }
        labels = filters["label"]
        dangling = try filters.isDangling
        withManifests = query.flag("manifests")
        all = query.flag("all")
    }

    package var dockerQuery: QueryString {
        var filters = Filters()
        filters.add("reference", references)
        filters.add("label", labels)
        filters.add("label!", withoutLabels)
        filters.add("dangling", dangling.map { [$0 ? "true" : "false"] } ?? [])
        filters.add("before", before.map { [$0] } ?? [])
        filters.add("since", since.map { [$0] } ?? [])
        filters.add("until", until.map { [WireTime.parameter($0)] } ?? [])
        var query = QueryString()
        query.add("filters", filters.encoded)
        query.add("manifests", withManifests)
        query.add("all", all)
        return query
    }
}

extension Filters {
    /// What `dangling` asks for; nil where it does not.
    var isDangling: Bool? {
        get throws(EngineError) {
            guard let text = self["dangling"].first else { return nil }
            switch text {
            case "1", "true": return true
            case "0", "false": return false
            default: throw EngineError(.invalid, "invalid filter 'dangling=[\(text)]'")
            }
        }
    }
}
