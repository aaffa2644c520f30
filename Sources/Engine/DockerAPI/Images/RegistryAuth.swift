import EngineAPI
import JSON

extension ImageCredentials {
    package static let dockerField = "X-Registry-Auth"

    /// The value of `X-Registry-Auth`: JSON in base64 for URLs.
    package var dockerField: String {
        var object = JSONObject([("username", .string(user)), ("password", .string(password))])
        if let identityToken { object["identitytoken"] = .string(identityToken) }
        if let registryToken { object["registrytoken"] = .string(registryToken) }
        return Base64Text.encoded(JSONValue.object(object).compactBytes, isForURLs: true)
    }

    /// Nil for a field that is absent, or holds nothing to authenticate with: docker's CLI sends `{}` then.
    ///
    /// - Throws: `invalid` for one that cannot be read.
    package static func reading(dockerField text: String?) throws(EngineError) -> ImageCredentials? {
        guard let text, !text.isEmpty else { return nil }
        guard let bytes = Base64Text.decoded(text) else {
            throw EngineError(.invalid, "invalid \(dockerField) header: it is not base64")
        }
        if bytes.isEmpty { return nil }
        return try ImageCredentials(dockerBody: BodyReader(parsing: bytes))
    }

    /// The body of `POST /auth`, or the JSON of the field.
    package init?(dockerBody body: BodyReader) throws(EngineError) {
        self.init(
            user: try body.text("username"), password: try body.text("password"),
            identityToken: try body.filledText("identitytoken"), registryToken: try body.filledText("registrytoken"))
        if user.isEmpty, identityToken == nil, registryToken == nil { return nil }
    }

    /// The body of `POST /auth`.
    package func dockerBody(at registry: String) -> JSONValue {
        ["username": .string(user), "password": .string(password), "serveraddress": .string(registry)]
    }

    /// `https://index.docker.io/v1/` and such, as references name the registry.
    package static func registry(serverAddress text: String) -> String {
        var name = text[...]
        for scheme in ["https://", "http://"] where name.hasPrefix(scheme) { name = name.dropFirst(scheme.count) }
        let host = String(name.prefix { $0 != "/" })
        return host.isEmpty || host == "index.docker.io" || host == "registry-1.docker.io" ? "docker.io" : host
    }
}

extension ImageHistoryStep {
    /// An entry of `GET /images/{name}/history`.
    package var dockerBody: JSONValue {
        [
            "Id": .string(id ?? "<missing>"), "Created": .integer(createdAt?.secondsSinceEpoch ?? 0),
            "CreatedBy": .string(createdBy), "Tags": tags.isEmpty ? .null : .texts(tags), "Size": .integer(sizeBytes),
            "Comment": .string(comment),
        ]
    }

    package init(dockerBody body: JSONValue) {
        let id = body.filledText("Id")
        let created = body.whole("Created") ?? 0
        self.init(
            id: id == "<missing>" ? nil : id,
            createdAt: created == 0 ? nil : Timestamp(seconds: created),
            createdBy: body.text("CreatedBy"), comment: body.text("Comment"), tags: body.texts("Tags"),
            sizeBytes: body.whole("Size") ?? 0)
    }
}

extension ImagePruneResult {
    /// The answer of `POST /images/prune`.
    package var dockerBody: JSONValue {
        [
            "ImagesDeleted": removals.isEmpty ? .null : .array(removals.map(\.dockerBody)),
            "SpaceReclaimed": .integer(reclaimedBytes),
        ]
    }

    package init(dockerBody body: JSONValue) {
        self.init(
            removals: body.elements("ImagesDeleted").compactMap { ImageRemoval(dockerBody: $0) },
            reclaimedBytes: body.whole("SpaceReclaimed") ?? 0)
    }
}
