import DockerAPI
import EngineAPI
import JSON

/// List, inspect, create, remove, prune.
let volumeRoutes: [Route] = [
    Route("GET", "/volumes") { exchange in
        let volumes = try await exchange.engine.volumes(VolumeFilter(dockerQuery: exchange.query))
        try await exchange.send(200, ["Volumes": .array(volumes.map(\.dockerBody)), "Warnings": .null])
    },
    Route("GET", "/volumes/{name}") { exchange in
        try await exchange.send(200, try await exchange.engine.inspectVolume(exchange.parameter("name")).dockerBody)
    },
    Route("POST", "/volumes/create") { exchange in
        let spec = try VolumeSpec(dockerBody: try await exchange.body())
        try await exchange.send(201, try await exchange.engine.createVolume(spec).dockerBody)
    },
    Route("DELETE", "/volumes/{name}") { exchange in
        try await exchange.engine.removeVolume(exchange.parameter("name"), force: exchange.query.flag("force"))
        try await exchange.send(204)
    },
    Route("POST", "/volumes/prune") { exchange in
        var filter = try VolumeFilter(dockerQuery: exchange.query)
        // Before 1.42 a prune took all that no container has.
        if exchange.version < APIVersion(1, 42) { filter.all = true }
        let result = try await exchange.engine.pruneVolumes(filter)
        try await exchange.send(
            200,
            [
                "VolumesDeleted": .array(result.removed.map { .string($0) }),
                "SpaceReclaimed": .integer(result.reclaimedBytes),
            ])
    },
]
