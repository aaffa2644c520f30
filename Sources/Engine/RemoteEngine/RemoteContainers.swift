import DockerAPI
import EngineAPI
import JSON
import Transport

/// The path of a container's route.
func containerPath(_ reference: String, _ action: String = "") -> String {
    "/containers/\(Percent.encoded(reference))" + (action.isEmpty ? "" : "/\(action)")
}

extension DockerEngine {
    package func containers(_ filter: ContainerFilter) async throws(EngineError) -> [ContainerSummary] {
        let body = try await client.json("GET", "/containers/json", filter.dockerQuery)
        return (body.array ?? []).compactMap { ContainerSummary(dockerBody: $0) }
    }

    package func inspect(_ reference: String) async throws(EngineError) -> ContainerDetails {
        let body = try await client.json("GET", containerPath(reference, "json"), object: reference)
        guard let details = ContainerDetails(dockerBody: body) else { throw Self.unreadable("inspection", reference) }
        return details
    }

    package func create(_ spec: ContainerSpec, name: String?) async throws(EngineError) -> CreatedContainer {
        var query = QueryString()
        query.add("name", name)
        let body = try await client.json(
            "POST", "/containers/create", query, body: spec.dockerCreateBody, object: spec.image)
        guard let id = body.filledText("Id") else { throw Self.unreadable("creation", spec.image) }
        return CreatedContainer(id: id, warnings: body.texts("Warnings"))
    }

    package func start(_ reference: String) async throws(EngineError) {
        try await client.perform("POST", containerPath(reference, "start"), object: reference)
    }

    package func stop(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try await end("stop", reference, signal, timeoutSeconds)
    }

    package func restart(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try await end("restart", reference, signal, timeoutSeconds)
    }

    private func end(
        _ action: String, _ reference: String, _ signal: String?, _ seconds: Int?
    ) async throws(EngineError) {
        var query = QueryString()
        query.add("signal", signal)
        query.add("t", seconds.map(String.init))
        try await client.perform("POST", containerPath(reference, action), query, object: reference)
    }

    package func kill(_ reference: String, signal: String) async throws(EngineError) {
        var query = QueryString()
        query.add("signal", signal)
        try await client.perform("POST", containerPath(reference, "kill"), query, object: reference)
    }

    package func pause(_ reference: String) async throws(EngineError) {
        try await client.perform("POST", containerPath(reference, "pause"), object: reference)
    }

    package func unpause(_ reference: String) async throws(EngineError) {
        try await client.perform("POST", containerPath(reference, "unpause"), object: reference)
    }

    package func rename(_ reference: String, to name: String) async throws(EngineError) {
        var query = QueryString()
        query.add("name", name)
        try await client.perform("POST", containerPath(reference, "rename"), query, object: reference)
    }

    package func update(_ reference: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        let body = try await client.json(
            "POST", containerPath(reference, "update"), body: update.dockerBody, object: reference)
        return body.texts("Warnings")
    }

    package func remove(_ reference: String, force: Bool, volumes: Bool) async throws(EngineError) {
        var query = QueryString()
        query.add("force", force)
        query.add("v", volumes)
        try await client.perform("DELETE", containerPath(reference), query, object: reference)
    }

    package func removeLink(_ name: String) async throws(EngineError) {
        var query = QueryString()
        query.add("link", true)
        try await client.perform("DELETE", containerPath(name), query, object: name)
    }

    /// The server's head comes once the wait stands, so this returns then.
    package func beginWait(
        _ reference: String, for condition: WaitCondition
    ) async throws(EngineError) -> ExitWait {
        var query = QueryString()
        query.add("condition", condition.rawValue)
        let response = try await client.send("POST", containerPath(reference, "wait"), query, object: reference)
        let client = client
        return ExitWait { () throws(EngineError) in
            let body = try EngineClient.parse(try await client.bytes(of: response))
            if let error = body.field("Error"), let kind = EngineError.Kind(rawValue: error.text("Kind")) {
                throw EngineError(kind, error.text("Message"), object: reference, isAnswer: true)
            }
            guard let result = WaitResult(dockerBody: body) else {
                throw EngineError(.unavailable, "the wait for `\(reference)` was cut", object: reference)
            }
            return result
        }
    }

    package func top(_ reference: String, psArguments: [String]) async throws(EngineError) -> ProcessTable {
        var query = QueryString()
        if !psArguments.isEmpty { query.add("ps_args", psArguments.joined(separator: " ")) }
        return ProcessTable(
            dockerBody: try await client.json("GET", containerPath(reference, "top"), query, object: reference))
    }

    package func processes(_ reference: String) async throws(EngineError) -> [ProcessNode] {
        guard try await client.server().isGantry else {
            let nodes = try await top(reference, psArguments: ProcessTable.treeArguments).processNodes(at: .now())
            // Podman reads other options than ps's, and answers these with a table that has none of the columns.
            return try await nodes.isEmpty ? top(reference, psArguments: []).processNodes(at: .now()) : nodes
        }
        let body = try await client.json("GET", "/gantry" + containerPath(reference, "processes"), object: reference)
        return (body.array ?? []).compactMap { ProcessNode(gantryBody: $0) }
    }

    static func unreadable(_ what: String, _ object: String) -> EngineError {
        EngineError(.internal, "the engine's \(what) of `\(object)` cannot be read", object: object)
    }
}
