import JSON

/// Answers a registry's challenges for one repository and one person.
struct Authorizer: Sendable {
    let client: RegistryClient
    let key: TokenCache.Key
    /// Who is asked for tokens is trusted as the registry is.
    let endpoint: RegistryEndpoint
    let what: String

    private static let answerLimitBytes = 1 << 20
    /// A token is given up that much before its end, so that it is good when it arrives.
    private static let margin = Duration.seconds(5)

    /// What to send before anybody has asked.
    func field() async -> String? {
        if let token = key.credentials?.registryToken { return "Bearer \(token)" }
        return await client.tokens.field(for: key)
    }

    /// Gets what the challenges ask for; nil where there is nothing to answer with.
    func answer(_ challenges: [AuthChallenge]) async throws(RegistryError) -> String? {
        // What was sent before was not good enough.
        await client.tokens.forget(key)
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            let (token, lifetime) = try await token(bearer)
            let field = "Bearer \(token)"
            await client.tokens.keep(field, for: key, lifetime: lifetime)
            return field
        }
        guard challenges.contains(where: { $0.scheme == "basic" }), let field = key.credentials?.basicField else {
            return nil
        }
        await client.tokens.keep(field, for: key, lifetime: nil)
        return field
    }

    // MARK: The distribution project's token protocol

    private func token(_ challenge: AuthChallenge) async throws(RegistryError) -> (String, Duration) {
        guard let realm = challenge.parameters["realm"].flatMap({ WebAddress($0) }) else {
            throw RegistryError(.invalid, "\(what): the registry names no address to get a token from")
        }
        let request = tokenRequest(realm, challenge)
        guard realm.origin.scheme == .https || endpoint.origin.scheme == .http || !carriesSecret else {
            throw RegistryError(.denied, "\(what): the registry wants credentials sent to \(realm.bare) in the clear")
        }
        let response = try await client.perform(request, authorizer: nil)
        guard response.status == 200 else {
            throw await RegistryFailure.of(response, what: what, address: realm)
        }
        let bytes = try await client.collect(response, limitBytes: Self.answerLimitBytes, what: what)
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch {
            throw RegistryError(.invalid, "\(what): the answer of \(realm.bare): \(error)")
        }
        let token = json["token"]?.string ?? json["access_token"]?.string ?? ""
        // A line end in it would be a field of its own in the next request.
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw RegistryError(.invalid, "\(what): \(realm.bare) gave no token")
        }
        // Asked for by a login alone, which has no scope.
        if let credentials = key.credentials, key.scopes.isEmpty, let identity = json["refresh_token"]?.string,
            !identity.isEmpty
        {
            await client.tokens.keep(identityToken: identity, of: credentials)
        }
        let seconds = min(max(json["expires_in"]?.integer ?? 60, 10), 86400)
        return (token, .seconds(seconds) - Self.margin)
    }

    private var carriesSecret: Bool { key.credentials?.identityToken != nil || key.credentials?.basicField != nil }

    private func tokenRequest(_ realm: WebAddress, _ challenge: AuthChallenge) -> RegistryRequest {
        let service = challenge.parameters["service"]
        // The scopes of the request at hand; the challenge's own where it knows better.
        let scopes = key.scopes.isEmpty ? challenge.parameters["scope"].map { [$0] } ?? [] : key.scopes
        if let identityToken = key.credentials?.identityToken {
            var form = "grant_type=refresh_token&client_id=gantry"
            form += "&refresh_token=\(WebText.encoded(identityToken))"
            if let service { form += "&service=\(WebText.encoded(service))" }
            if !scopes.isEmpty { form += "&scope=\(WebText.encoded(scopes.joined(separator: " ")))" }
            return RegistryRequest(
                "POST", realm, endpoint: endpoint, what: what,
                fields: [WebField("Content-Type", "application/x-www-form-urlencoded")], body: .bytes(Array(form.utf8)))
        }
        var address = realm
        if let service { address = address.adding("service", service) }
        for scope in scopes { address = address.adding("scope", scope) }
        var request = RegistryRequest("GET", address, endpoint: endpoint, what: what)
        if let credentials = key.credentials, let field = credentials.basicField {
            request.address = address.adding("account", credentials.user)
            if key.scopes.isEmpty {
                request.address = request.address.adding("client_id", "gantry").adding("offline_token", "true")
            }
            request.fields.append(WebField("Authorization", field))
        }
        return request
    }
}
