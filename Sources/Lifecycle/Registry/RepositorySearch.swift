import JSON
import OCI

/// What a registry tells of a repository that it has found.
package struct FoundRepository: Hashable, Sendable {
    package var name: String
    package var text: String
    package var stars: Int64
    package var isOfficial: Bool
    package var isAutomated: Bool
}

/// What to search for, and where.
package struct RepositorySearch: Hashable, Sendable {
    /// As references name it.
    package let registry: String
    package let term: String

    /// Docker Hub's search has a host of its own.
    private static let dockerHub = "index.docker.io"

    /// Reads docker's argument: a term, which may begin with the registry that is meant.
    ///
    /// - Throws: `invalid` for one with a scheme.
    package init(_ text: String) throws(RegistryError) {
        guard !text.contains("://") else {
            throw RegistryError(.invalid, "invalid repository name: repository name (\(text)) should not have a scheme")
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isHost = parts.count == 2 && (parts[0].contains { $0 == "." || $0 == ":" } || parts[0] == "localhost")
        let isHub = !isHost || [Reference.defaultDomain, Self.dockerHub].contains(parts[0])
        registry = isHub ? Reference.defaultDomain : parts[0]
        let rest = isHost ? parts[1] : text
        term = isHub && rest.hasPrefix("library/") ? String(rest.dropFirst(8)) : rest
    }

    var host: String { registry == Reference.defaultDomain ? Self.dockerHub : registry }
}

extension RegistryClient {
    private static let answerLimitBytes = 4 << 20

    /// Searches by the registry's `/v1/search`, which Docker Hub and a few others have.
    package func search(
        _ search: RepositorySearch, limit: Int, _ credentials: RegistryCredentials?
    ) async throws(RegistryError) -> [FoundRepository] {
        var last = RegistryError(.invalid, "`\(search.host)` is no host's name")
        for place in EndpointPlan.endpoints(
            for: search.host, configuration.entry(for: search.registry), forPull: false)
        {
            let address = WebAddress(place.origin, "\(place.prefix)/v1/search").adding("q", search.term)
                .adding("n", String(limit))
            do throws(RegistryError) { return try await found(address, place, credentials) } catch {
                last = error
                guard error.kind == .unavailable else { throw error }
            }
        }
        throw last
    }

    private func found(
        _ address: WebAddress, _ place: RegistryEndpoint, _ credentials: RegistryCredentials?
    ) async throws(RegistryError) -> [FoundRepository] {
        let what = "search \(address.origin.authority)"
        var request = RegistryRequest("GET", address, endpoint: place, what: what)
        if let field = credentials?.basicField { request.fields.append(WebField("Authorization", field)) }
        let response = try await perform(request, authorizer: nil)
        guard response.status == 200 else {
            throw RegistryError(
                RegistryFailure.kind(response.status), "\(what): Unexpected status code \(response.status)")
        }
        let bytes = try await collect(response, limitBytes: Self.answerLimitBytes, what: what)
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch {
            throw RegistryError(.invalid, "\(what): \(error)")
        }
        guard let results = json["results"]?.array else {
            throw RegistryError(.invalid, "\(what): the answer has no list of results")
        }
        return results.compactMap { result in
            guard let name = result["name"]?.string else { return nil }
            return FoundRepository(
                name: RegistryError.harmless(name), text: RegistryError.harmless(result["description"]?.string ?? ""),
                stars: result["star_count"]?.integer ?? 0, isOfficial: result["is_official"]?.bool ?? false,
                isAutomated: result["is_automated"]?.bool ?? false)
        }
    }
}
