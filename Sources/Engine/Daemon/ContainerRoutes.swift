import DockerAPI
import EngineAPI
import JSON

/// List, inspect, create, rename, remove, top.
let containerRoutes: [Route] = [
    Route("GET", "/containers/json") { exchange in try await listContainers(exchange) },
    Route("GET", "/containers/{id}/json") { exchange in
        // Read before the engine is asked, as for the list.
        let revision = exchange.engine.containersRevision
        let details = try await exchange.engine.inspect(exchange.container)
        guard exchange.query.flag("size") else {
            let text = exchange.inspections.text(details.id, details) { $0.dockerBody.compactBytes + [10] }
            let term = revision.map { KeptAnswers.Term(revision: $0, from: .now(), until: nil) }
            return try await exchange.send(200, text: text, keepingFor: term)
        }
        var filter = ContainerFilter(all: true)
        (filter.ids, filter.withSizes) = ([details.id], true)
        try await exchange.send(200, details.dockerBody(sizes: try await exchange.engine.containers(filter).first))
    },
    Route("POST", "/containers/create") { exchange in try await createContainer(exchange) },
    Route("POST", "/containers/{id}/rename") { exchange in
        guard let name = exchange.query["name"], !name.isEmpty else {
            throw EngineError(.invalid, "Neither old nor new names may be empty", object: exchange.container)
        }
        try await exchange.engine.rename(exchange.container, to: name.hasPrefix("/") ? String(name.dropFirst()) : name)
        try await exchange.send(204)
    },
    Route("POST", "/containers/{id}/update") { exchange in
        let body = try await exchange.body()
        let update = try ContainerUpdate(dockerBody: body)
        let warnings =
            try await exchange.engine.update(exchange.container, update) + ContainerUpdate.warnings(dockerBody: body)
        try await exchange.send(200, ["Warnings": .array(warnings.map { .string($0) })])
    },
    // With slashes: a link is called `OWNER/ALIAS`.
    Route("DELETE", "/containers/{id...}") { exchange in
        if exchange.query.flag("link") {
            try await exchange.engine.removeLink(exchange.container)
        } else {
            try await exchange.engine.remove(
                exchange.container, force: exchange.query.flag("force"), volumes: exchange.query.flag("v"))
        }
        try await exchange.send(204)
    },
    Route("GET", "/containers/{id}/top") { exchange in
        let arguments = exchange.query["ps_args"] ?? ""
        let table = try await exchange.engine.top(
            exchange.container,
            psArguments: arguments.isEmpty ? ["-ef"] : arguments.split(separator: " ").map(String.init))
        try await exchange.send(200, table.dockerBody)
    },
]

private func listContainers(_ exchange: Exchange) async throws {
    let filter = try ContainerFilter(dockerQuery: exchange.query)
    let target = exchange.request.target
    // What else a list may tell of, sizes and what an ancestor means, changes without a container's doing.
    let revision = filter.ancestors.isEmpty && !filter.withSizes ? exchange.engine.containersRevision : nil
    let known = revision.flatMap { exchange.kept.rows(of: target, at: $0) }
    let rows: ContainerListRows =
        if let known { known } else { exchange.lists.rows(try await exchange.engine.containers(filter)) }
    let now = Timestamp.now()
    let (text, until) = rows.text(now: now)
    let term = revision.map { KeptAnswers.Term(revision: $0, from: now, until: until) }
    try await exchange.send(200, text: text, keepingFor: term, rows: rows)
}

private func createContainer(_ exchange: Exchange) async throws {
    let request = try CreateRequest(dockerBody: try await exchange.body(), version: exchange.version)
    if let platform = exchange.query["platform"], !platform.isEmpty {
        try await exchange.engine.version().checkPlatform(platform)
        // Docker's clients pull what is not found, for the platform that they asked for.
        try await exchange.engine.check([request.spec.image], areFor: platform)
    }
    let name = exchange.query["name"].flatMap { $0.isEmpty ? nil : $0 }
    let created: CreatedContainer
    do throws(EngineError) {
        created = try await exchange.engine.create(
            request.spec, name: name.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 })
    } catch {
        // Docker's CLI takes a 404 here for a missing image, which it then pulls.
        guard error.kind == .notFound, !error.isNoSuchImage else { throw error }
        throw EngineError(.invalid, error.message, object: error.object)
    }
    let warnings = created.warnings + request.warnings.filter { !created.warnings.contains($0) }
    let body: JSONValue = ["Id": .string(created.id), "Warnings": .array(warnings.map { .string($0) })]
    try await exchange.send(201, body)
}
