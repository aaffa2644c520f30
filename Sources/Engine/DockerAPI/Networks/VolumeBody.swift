import EngineAPI
import JSON

extension VolumeDetails {
    package var dockerBody: JSONValue {
        var body = JSONObject([
            ("CreatedAt", .string(WireTime.text(createdAt))), ("Driver", .string(spec.driver)),
            ("Labels", spec.labels.isEmpty ? .null : .textMap(spec.labels)), ("Mountpoint", .string(mountpoint)),
            ("Name", .string(spec.name)),
            ("Options", spec.options.isEmpty ? .null : .textMap(spec.options)), ("Scope", "local"),
        ])
        if let sizeBytes {
            body["UsageData"] = ["Size": .integer(sizeBytes), "RefCount": .count(users?.count ?? -1)]
        }
        if let users { body["Gantry"] = ["Users": .texts(users)] }
        return .object(body)
    }

    /// Reads an entry of any engine's list, or an inspection; nil where it has no name.
    package init?(dockerBody body: JSONValue) {
        guard let name = body.filledText("Name") else { return nil }
        var spec = VolumeSpec(name: name)
        spec.driver = body.text("Driver")
        spec.options = body.textMap("Options")
        spec.labels = body.textMap("Labels")
        self.init(
            spec: spec, createdAt: WireTime.parse(body.text("CreatedAt")) ?? Timestamp(nanosecondsSinceEpoch: 0),
            mountpoint: body.text("Mountpoint"))
        sizeBytes = body.field("UsageData")?.whole("Size")
        users = body.field("Gantry")?.texts("Users")
    }
}

extension VolumeSpec {
    /// The body of `POST /volumes/create`.
    package init(dockerBody body: BodyReader) throws(EngineError) {
        self.init(name: try body.text("Name"))
        driver = try body.filledText("Driver") ?? "local"
        options = try body.textMap("DriverOpts")
        labels = try body.textMap("Labels")
        if body.value.field("ClusterVolumeSpec")?.isEmptyValue == false {
            throw EngineError(.unsupported, "cluster volumes are of swarms, and not supported")
        }
    }

    package var dockerCreateBody: JSONValue {
        [
            "Name": .string(name), "Driver": .string(driver), "DriverOpts": .textMap(options),
            "Labels": .textMap(labels),
        ]
    }
}

extension VolumeFilter {
    package init(dockerQuery query: QueryString) throws(EngineError) {
        self.init()
        let filters = try Filters(parsing: query["filters"])
        try filters.check(known: ["name", "driver", "label", "label!", "dangling", "all"])
        (names, drivers, labels) = (filters["name"], filters["driver"], filters["label"])
        withoutLabels = filters["label!"]
        dangling = try Self.flag(filters, "dangling")
        all = try Self.flag(filters, "all") ?? false
    }

    private static func flag(_ filters: Filters, _ name: String) throws(EngineError) -> Bool? {
        guard let text = filters[name].first else { return nil }
        guard ["1", "true", "0", "false"].contains(text) else {
            throw EngineError(.invalid, "invalid filter '\(name)=[\(text)]'")
        }
        return text == "1" || text == "true"
    }

    package var dockerQuery: QueryString {
        var filters = Filters()
        filters.add("name", names)
        filters.add("driver", drivers)
        filters.add("label", labels)
        filters.add("label!", withoutLabels)
        filters.add("dangling", dangling.map { [$0 ? "true" : "false"] } ?? [])
        if all { filters.add("all", ["true"]) }
        var query = QueryString()
        query.add("filters", filters.encoded)
        return query
    }
}
