import DockerAPI
import EngineAPI
import JSON
import Transport

extension DockerEngine {
    package func pullImage(_ request: ImagePullRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>
    {
        var query = QueryString()
        let (name, tag) = ImageName.parts(request.reference)
        query.add("fromImage", name)
        if !request.allTags { query.add("tag", tag ?? "latest") }
        query.add("platform", request.platform)
        let response = try await client.send(
            "POST", "/images/create", query, fields: Self.fields(request.credentials), object: request.reference)
        return progress(of: response)
    }

    package func pushImage(_ request: ImagePushRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress>
    {
        var query = QueryString()
        let (name, tag) = ImageName.parts(request.reference)
        if !request.allTags { query.add("tag", tag ?? "latest") }
        // Docker wants the field even where nobody authenticates.
        let fields = Self.fields(request.credentials ?? ImageCredentials(user: "", password: ""))
        let response = try await client.send(
            "POST", "/images/\(Percent.encodedPath(name))/push", query, fields: fields, object: request.reference)
        return progress(of: response)
    }

    package func checkCredentials(
        _ credentials: ImageCredentials, at registry: String
    ) async throws(EngineError) -> String? {
        let body = try await client.json(
            "POST", "/auth", body: credentials.dockerBody(at: registry), object: registry)
        return body.filledText("IdentityToken")
    }

    package func imageDistribution(
        _ reference: String, credentials: ImageCredentials?
    ) async throws(EngineError) -> ImageDistribution {
        let path = "/distribution/\(Percent.encodedPath(reference))/json"
        let body = try await client.json("GET", path, fields: Self.fields(credentials), object: reference)
        guard let found = ImageDistribution(dockerBody: body) else {
            throw Self.unreadable("distribution", reference)
        }
        return found
    }

    package func searchImages(_ request: ImageSearchRequest) async throws(EngineError) -> [ImageSearchResult] {
        let body = try await client.json(
            "GET", "/images/search", request.dockerQuery, fields: Self.fields(request.credentials), object: request.term
        )
        return (body.array ?? []).map { ImageSearchResult(dockerBody: $0) }
    }

    package func tagImage(_ reference: String, as name: String) async throws(EngineError) {
        var query = QueryString()
        let (repository, tag) = ImageName.parts(name)
        query.add("repo", repository)
        query.add("tag", tag)
        let path = "/images/\(Percent.encodedPath(reference))/tag"
        try await client.perform("POST", path, query, object: reference)
    }

    package func imageHistory(_ reference: String) async throws(EngineError) -> [ImageHistoryStep] {
        let path = "/images/\(Percent.encodedPath(reference))/history"
        let body = try await client.json("GET", path, object: reference)
        return (body.array ?? []).map { ImageHistoryStep(dockerBody: $0) }
    }

    package func saveImages(_ references: [String]) async throws(EngineError) -> EngineStream<[UInt8]> {
        var query = QueryString()
        for reference in references { query.add("names", reference) }
        let response = try await client.send("GET", "/images/get", query, object: references.first)
        let client = client
        return EngineStream {
            try await client.perform("read the archive") { _ throws(TransportError) in try await response.body.next() }
        }
    }

    package func importImage(_ request: ImageImportRequest) async throws(EngineError) -> String {
        var query = QueryString()
        query.add("fromSrc", request.address ?? "-")
        if let name = request.name {
            let (repository, tag) = ImageName.parts(name)
            query.add("repo", repository)
            query.add("tag", tag)
        }
        query.add("message", request.message)
        query.add("platform", request.platform)
        for change in request.changes { query.add("changes", change) }
        let archive = request.archive
        let response = try await client.send(
            "POST", "/images/create", query,
            body: request.address == nil ? .stream { try await archive.next() } : .none)
        var id = ""
        do {
            for try await line in client.lines(of: response) {
                if let error = ProgressError.error(line) { throw error }
                id = line.filledText("status") ?? id
            }
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(.cancelled, "import: cancelled")
        }
        return ImageSummary.fullID(id)
    }

    package func commitContainer(
        _ reference: String, _ request: ContainerCommitRequest
    ) async throws(EngineError) -> String {
        let query = request.dockerQuery(container: reference)
        let body = try await client.json("POST", "/commit", query, body: [:], object: reference)
        guard let id = body.filledText("Id") ?? body.filledText("ID") else {
            throw Self.unreadable("commit", reference)
        }
        return ImageSummary.fullID(id)
    }

    package func pruneImages(all: Bool, filter: ImageFilter) async throws(EngineError) -> ImagePruneResult {
        var filter = filter
        filter.dangling = !all
        return ImagePruneResult(dockerBody: try await client.json("POST", "/images/prune", filter.dockerQuery))
    }

    private func progress(of response: HTTPResponse) -> EngineStream<ImageTransferProgress> {
        client.lines(of: response).compactMapped { line in
            if let error = ProgressError.error(line) { throw error }
            return ImageTransferProgress(dockerBody: line)
        }
    }

    private static func fields(_ credentials: ImageCredentials?) -> HTTPFields {
        guard let credentials else { return [:] }
        return [ImageCredentials.dockerField: credentials.dockerField]
    }
}
