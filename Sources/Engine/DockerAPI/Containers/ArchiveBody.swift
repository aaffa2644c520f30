import EngineAPI
import JSON
import OCI

extension PathStat {
    /// The header of archive routes that holds a path's facts.
    package static let dockerField = "X-Docker-Container-Path-Stat"

    /// The header's value: base64 of JSON, with the mode as Go writes it.
    package var dockerHeader: String { Base64Text.encoded(dockerBody.compactBytes) }

    /// What the header holds; an entry of our own `GET /containers/{id}/directory`.
    package var dockerBody: JSONValue {
        [
            "name": .string(name), "size": .integer(sizeBytes), "mode": .integer(Int64(GoFileMode.encoded(mode))),
            "mtime": .string(WireTime.text(modifiedAt)), "linkTarget": .string(linkTarget ?? ""),
        ]
    }

    /// Nil for what is no such header.
    package init?(dockerHeader text: String) {
        guard let bytes = Base64Text.decoded(text), let body = try? JSONValue(parsing: bytes) else { return nil }
        self.init(dockerBody: body)
    }

    package init(dockerBody body: JSONValue) {
        self.init(
            name: body.text("name"), sizeBytes: body.whole("size") ?? 0,
            mode: GoFileMode.decoded(UInt32(truncatingIfNeeded: body.unsigned("mode"))),
            modifiedAt: WireTime.parse(body.text("mtime")) ?? Timestamp(nanosecondsSinceEpoch: 0),
            linkTarget: body.filledText("linkTarget"))
    }
}

/// Go's `os.FileMode`: permissions as the kernel has them, types as single bits from the top.
enum GoFileMode {
    private static let types: [(kernel: UInt32, go: UInt32)] = [
        (0o040000, 1 << 31), (0o120000, 1 << 27), (0o060000, 1 << 26), (0o010000, 1 << 25), (0o140000, 1 << 24),
        (0o020000, 1 << 26 | 1 << 21), (0o100000, 0),
    ]
    private static let extras: [(kernel: UInt32, go: UInt32)] = [
        (0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20),
    ]
    private static let typeBits: UInt32 = types.reduce(0) { $0 | $1.go }

    static func encoded(_ mode: UInt32) -> UInt32 {
        let type = types.first { $0.kernel == mode & 0o170000 }?.go ?? 0
        return extras.reduce(mode & 0o777 | type) { mode & $1.kernel != 0 ? $0 | $1.go : $0 }
    }

    static func decoded(_ mode: UInt32) -> UInt32 {
        let type = types.first { $0.go == mode & typeBits }?.kernel ?? 0o100000
        return extras.reduce(mode & 0o777 | type) { mode & $1.go != 0 ? $0 | $1.kernel : $0 }
    }
}

extension PathChange {
    /// An entry of `GET /containers/{id}/changes`.
    package var dockerBody: JSONValue { ["Path": .string(path), "Kind": .count(kind.rawValue)] }

    package init?(dockerBody body: JSONValue) {
        guard let kind = body.whole("Kind").flatMap({ Kind(rawValue: Int(clamping: $0)) }) else { return nil }
        self.init(kind: kind, path: body.text("Path"))
    }
}

extension PruneFilter {
    /// Reads the query of `POST /containers/prune`.
    package init(dockerQuery query: QueryString, now: Timestamp) throws(EngineError) {
        self.init()
        let filters = try Filters(parsing: query["filters"])
        try filters.check(known: ["until", "label", "label!"])
        labels = filters["label"]
        withoutLabels = filters["label!"]
        until = try filters.until(now)
    }

    package var dockerQuery: QueryString {
        var filters = Filters()
        filters.add("until", until.map { [WireTime.parameter($0)] } ?? [])
        filters.add("label", labels)
        filters.add("label!", withoutLabels)
        var query = QueryString()
        query.add("filters", filters.encoded)
        return query
    }
}

extension Filters {
    /// `until`: a time, a day, or an age before now.
    func until(_ now: Timestamp) throws(EngineError) -> Timestamp? {
        guard let text = self["until"].first else { return nil }
        if let time = WireTime.moment(text, now: now) { return time }
        throw EngineError(.invalid, "failed to parse value as time or duration: \"\(text)\"")
    }
}

extension PruneResult {
    package var containersDockerBody: JSONValue {
        [
            "ContainersDeleted": .texts(removed.isEmpty ? nil : removed), "SpaceReclaimed": .integer(reclaimedBytes),
        ]
    }

    package init(containersDockerBody body: JSONValue) {
        self.init(removed: body.texts("ContainersDeleted"), reclaimedBytes: body.whole("SpaceReclaimed") ?? 0)
    }
}
