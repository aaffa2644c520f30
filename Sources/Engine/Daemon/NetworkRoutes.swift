import DockerAPI
import EngineAPI
import JSON

/// The networks `none` and `host`; bridges are not offered yet.
let networkRoutes: [Route] = [
    Route("GET", "/networks") { exchange in
        let filters = try Filters(parsing: exchange.query["filters"])
        let names = NetworkBody.names.filter { name in
            let wanted = filters["name"]
            let drivers = filters["driver"]
            let ids = filters["id"]
            return (wanted.isEmpty || wanted.contains { name.contains($0) })
                && (drivers.isEmpty || drivers.contains(name == "none" ? "null" : name))
                && (ids.isEmpty || ids.contains { NetworkBody.id(name).hasPrefix($0) })
                && filters["label"].isEmpty && !filters["type"].contains("custom")
        }
        let now = Timestamp.now()
        try await exchange.send(200, .array(names.map { NetworkBody.body($0, created: now) }))
    },
    Route("GET", "/networks/{id}") { exchange in
        try await exchange.send(200, NetworkBody.body(try exchange.network(), created: .now()))
    },
    Route("DELETE", "/networks/{id}") { exchange in
        let name = try exchange.network()
        throw EngineError(.denied, "\(name) is a pre-defined network and cannot be removed", object: name)
    },
    Route("POST", "/networks/create") { _ in
        throw EngineError(.unsupported, "creating networks is not supported yet: use `none` or `host`")
    },
    Route("POST", "/networks/prune") { exchange in try await exchange.send(200, ["NetworksDeleted": .null]) },
    Route("POST", "/networks/{id}/connect") { exchange in
        _ = try exchange.network()
        throw EngineError(.unsupported, "connecting containers to networks is not supported yet")
    },
    Route("POST", "/networks/{id}/disconnect") { exchange in
        _ = try exchange.network()
        throw EngineError(.unsupported, "disconnecting containers from networks is not supported yet")
    },
]

extension Exchange {
    fileprivate func network() throws -> String {
        let reference = parameter("id")
        guard let name = NetworkBody.find(reference) else {
            throw EngineError(.notFound, "network \(reference) not found", object: reference)
        }
        return name
    }
}

/// No volumes yet: the list is empty, and none is found.
let volumeRoutes: [Route] = [
    Route("GET", "/volumes") { exchange in try await exchange.send(200, ["Volumes": [], "Warnings": .null]) },
    Route("GET", "/volumes/{name}") { exchange in throw exchange.noSuchVolume },
    Route("DELETE", "/volumes/{name}") { exchange in
        if exchange.query.flag("force") { return try await exchange.send(204) }
        throw exchange.noSuchVolume
    },
    Route("POST", "/volumes/create") { _ in throw EngineError(.unsupported, "volumes are not supported yet") },
    Route("POST", "/volumes/prune") { exchange in
        try await exchange.send(200, ["VolumesDeleted": .null, "SpaceReclaimed": 0])
    },
]

extension Exchange {
    fileprivate var noSuchVolume: EngineError {
        EngineError(.notFound, "get \(parameter("name")): no such volume", object: parameter("name"))
    }
}
