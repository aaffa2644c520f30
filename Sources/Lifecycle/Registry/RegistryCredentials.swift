import JSON

/// Who asks a registry: a name with a password, or a token that stands for both.
package struct RegistryCredentials: Hashable, Sendable {
    package var user: String
    package var password: String
    /// An OAuth 2 refresh token in place of the password; docker's `identitytoken`.
    package var identityToken: String?
    /// A bearer token that is sent as it is; docker's `registrytoken`.
    package var registryToken: String?

    package init(user: String, password: String, identityToken: String? = nil, registryToken: String? = nil) {
        self.user = user
        self.password = password
        self.identityToken = identityToken
        self.registryToken = registryToken
    }

    /// The value of an `Authorization` field; nil without a name.
    package var basicField: String? {
        guard !user.isEmpty, identityToken == nil else { return nil }
        return "Basic " + Base64Text.encoded(Array("\(user):\(password)".utf8))
    }

    var isEmpty: Bool { user.isEmpty && identityToken == nil && registryToken == nil }
}

extension RegistryCredentials: CustomStringConvertible, CustomDebugStringConvertible {
    /// Never the secret: values end up in logs.
    package var description: String { "credentials of `\(user)`" }
    package var debugDescription: String { description }
}

extension RegistryCredentials {
    /// Reads an entry of `auths` in docker's config.json, or the body of docker's `X-Registry-Auth`; nil where it holds
    /// nothing to authenticate with.
    package init?(_ entry: JSONValue) {
        var user = entry["username"]?.string ?? ""
        var password = entry["password"]?.string ?? ""
        if let text = entry["auth"]?.string, !text.isEmpty, let bytes = Base64Text.decoded(text) {
            let parts = bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 {
                user = String(decoding: parts[0], as: UTF8.self)
                // Very old files end the password with a NUL.
                password = String(decoding: parts[1].prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        self.init(
            user: user, password: password, identityToken: Self.filled(entry["identitytoken"]),
            registryToken: Self.filled(entry["registrytoken"]))
        if isEmpty { return nil }
    }

    /// As docker's config.json keeps it.
    package var entry: JSONValue {
        var object = JSONObject()
        if !user.isEmpty { object["auth"] = .string(Base64Text.encoded(Array("\(user):\(password)".utf8))) }
        if let identityToken { object["identitytoken"] = .string(identityToken) }
        return .object(object)
    }

    private static func filled(_ value: JSONValue?) -> String? {
        value?.string.flatMap { $0.isEmpty ? nil : $0 }
    }
}
