import DockerAPI
import EngineAPI
import JSON

/// A container's files: copy in and out, changes, export; and the removal of those that do not run.
let fileRoutes: [Route] = [
    Route("HEAD", "/containers/{id}/archive") { exchange in
        let stat = try await exchange.engine.statPath(exchange.container, path: try exchange.path())
        var fields = exchange.commonFields
        fields[PathStat.dockerField] = stat.dockerHeader
        try await exchange.writer.send(200, fields)
    },
    // Not docker's: it knows a directory by the archive of all below it alone.
    Route("GET", "/containers/{id}/directory") { exchange in
        let members = try await exchange.engine.listDirectory(exchange.container, path: try exchange.path())
        try await exchange.send(200, .array(members.map(\.dockerBody)))
    },
    Route("GET", "/containers/{id}/archive") { exchange in
        let archive = try await exchange.engine.copyOut(exchange.container, path: try exchange.path())
        var fields = exchange.commonFields
        fields["Content-Type"] = "application/x-tar"
        fields[PathStat.dockerField] = archive.stat.dockerHeader
        try await exchange.writer.begin(200, fields)
        for try await bytes in archive.bytes { try await exchange.writer.write(bytes) }
        try await exchange.writer.end()
    },
    Route("PUT", "/containers/{id}/archive") { exchange in
        var options = CopyOptions()
        options.keepsKinds = exchange.query.flag("noOverwriteDirNonDir")
        options.takesOwner = exchange.query.flag("copyUIDGID")
        let body = exchange.request.body
        try await exchange.engine.copyIn(
            exchange.container, path: try exchange.path(), archive: EngineStream { try await body.next() },
            options: options)
        try await exchange.send(200)
    },
    Route("GET", "/containers/{id}/changes") { exchange in
        let changes = try await exchange.engine.changes(exchange.container)
        try await exchange.send(200, changes.isEmpty ? .null : .array(changes.map(\.dockerBody)))
    },
    Route("GET", "/containers/{id}/export") { exchange in
        let bytes = try await exchange.engine.export(exchange.container)
        try await exchange.begin("application/octet-stream")
        for try await piece in bytes { try await exchange.writer.write(piece) }
        try await exchange.writer.end()
    },
    Route("POST", "/containers/prune") { exchange in
        let filter = try PruneFilter(dockerQuery: exchange.query, now: .now())
        try await exchange.send(200, try await exchange.engine.pruneContainers(filter).containersDockerBody)
    },
]

extension Exchange {
    fileprivate func path() throws -> String {
        guard let path = query["path"], !path.isEmpty else {
            throw EngineError(.invalid, "bad parameter: path cannot be empty")
        }
        return path
    }
}
