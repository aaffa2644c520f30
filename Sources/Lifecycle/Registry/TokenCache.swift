/// What registries gave for authentication, for as long as it is good.
actor TokenCache {
    /// What a token is good for, and for whom.
    struct Key: Hashable, Sendable {
        var origin: WebOrigin
        var scopes: [String]
        var credentials: RegistryCredentials?
    }

    private struct Entry {
        let field: String
        let goodUntil: ContinuousClock.Instant?
    }

    private var entries: [Key: Entry] = [:]
    private static let limit = 1024
    /// Given at a login, for whoever makes it.
    private var identityTokens: [RegistryCredentials: String] = [:]

    /// The value of an `Authorization` field.
    func field(for key: Key) -> String? {
        guard let entry = entries[key] else { return nil }
        if let end = entry.goodUntil, end <= .now {
            entries[key] = nil
            return nil
        }
        return entry.field
    }

    func keep(_ field: String, for key: Key, lifetime: Duration?) {
        if entries.count >= Self.limit { entries.removeAll() }
        entries[key] = Entry(field: field, goodUntil: lifetime.map { .now + $0 })
    }

    func forget(_ key: Key) { entries[key] = nil }

    // MARK: Tokens in place of passwords

    func keep(identityToken token: String, of credentials: RegistryCredentials) { identityTokens[credentials] = token }

    func identityToken(of credentials: RegistryCredentials) -> String? {
        identityTokens.removeValue(forKey: credentials)
    }

    func forgetAll(of credentials: RegistryCredentials) {
        identityTokens[credentials] = nil
        entries = entries.filter { $0.key.credentials != credentials }
    }
}
