/// Why a text names no image, in docker's words.
package enum ReferenceError: Error, Hashable, Sendable, CustomStringConvertible {
    case invalidFormat
    case uppercaseName(String)
    case nameTooLong
    /// 64 hexadecimal digits could be an id.
    case looksLikeID(String)

    package var description: String {
        switch self {
        case .invalidFormat: "invalid reference format"
        case .uppercaseName(let name):
            "invalid reference format: repository name (\(name)) must be lowercase"
        case .nameTooLong: "repository name must not be more than 255 characters"
        case .looksLikeID(let name):
            "invalid repository name (\(name)), cannot specify 64-byte hexadecimal strings"
        }
    }
}

/// The name of an image: a repository with a tag, a digest, both or none.
///
/// Read as docker reads it: `alpine` is `docker.io/library/alpine`. The grammar is that of the distribution
/// specification's references.
package struct Reference: Hashable, Sendable, CustomStringConvertible {
    package static let defaultDomain = "docker.io"
    private static let officialPrefix = "library/"

    /// The registry: `docker.io`, `localhost:5000`.
    package let domain: String
    /// The repository within the registry: `library/alpine`.
    package let path: String
    package var tag: String?
    package var digest: Digest?

    package init(_ text: String) throws(ReferenceError) {
        let whole = Digest(.sha256, hex: text)
        if whole != nil { throw .looksLikeID(text) }
        let (named, digestText) = Self.cut(text[...], at: "@")
        let (name, tagText) = Self.cutTag(named)
        let (domain, path) = Self.splitDomain(name)
        if path.utf8.contains(where: { (65...90).contains($0) }), ReferenceGrammar.isPath(path.lowercased()) {
            throw .uppercaseName(String(path))
        }
        guard ReferenceGrammar.isDomain(domain), ReferenceGrammar.isPath(path) else { throw .invalidFormat }
        guard domain.utf8.count + 1 + path.utf8.count <= 255 else { throw .nameTooLong }
        if let tagText, !ReferenceGrammar.isTag(tagText) { throw .invalidFormat }
        self.domain = domain
        self.path = path
        tag = tagText.map(String.init)
        if let digestText {
            guard let digest = Digest(digestText) else { throw .invalidFormat }
            self.digest = digest
        }
    }

    /// Registry and repository: `docker.io/library/alpine`.
    package var name: String { "\(domain)/\(path)" }

    /// Registry and repository as people write them: `alpine`, `user/app`, `ghcr.io/user/app`.
    package var familiarName: String {
        guard domain == Self.defaultDomain else { return name }
        let isOfficial = path.hasPrefix(Self.officialPrefix)
        let rest = isOfficial ? path.dropFirst(Self.officialPrefix.count) : path[...]
        return isOfficial && rest.contains("/") ? path : String(rest)
    }

    /// As people write it: `alpine:3.20`.
    package var familiar: String { familiarName + suffix }
    package var description: String { name + suffix }

    /// The same with the tag `latest` where neither a tag nor a digest is given.
    package var withDefaultTag: Reference {
        guard tag == nil, digest == nil else { return self }
        var tagged = self
        tagged.tag = "latest"
        return tagged
    }

    private var suffix: String { (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    private static func cut(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: mark) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// A colon after the last slash begins a tag; one before belongs to a port.
    private static func cutTag(_ text: Substring) -> (Substring, Substring?) {
        let last = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
        guard let colon = text[last...].lastIndex(of: ":") else { return (text, nil) }
        return (text[..<colon], text[text.index(after: colon)...])
    }

    /// The first component is a registry where it could not be a repository's: a dot, a port, `localhost`, capitals.
    private static func splitDomain(_ name: Substring) -> (String, String) {
        let (first, rest) = cut(name, at: "/")
        var domain = defaultDomain
        var path = String(name)
        if let rest {
            let isRegistry =
                first.contains(".") || first.contains(":") || first == "localhost" || first.lowercased() != first
            if isRegistry { (domain, path) = (String(first), String(rest)) }
        }
        if domain == "index.docker.io" { domain = defaultDomain }
        if domain == defaultDomain, !path.contains("/") { path = officialPrefix + path }
        return (domain, path)
    }
}

/// The regular languages of a reference's parts.
enum ReferenceGrammar {
    /// Components of letters, digits and single separators (`.`, `_`, `__`, any number of `-`).
    static func isPath(_ path: String) -> Bool {
        path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { isComponent(Array($0.utf8)) }
    }

    static func isTag(_ tag: Substring) -> Bool {
        let bytes = Array(tag.utf8)
        guard let first = bytes.first, bytes.count <= 128 else { return false }
        return isWord(first) && bytes.allSatisfy { isWord($0) || $0 == 45 || $0 == 46 }
    }

    /// A host name or an IPv6 address in brackets, and a port.
    static func isDomain(_ domain: String) -> Bool {
        var host = domain[...]
        if let colon = host.lastIndex(of: ":"), host.last != "]" {
            let port = host[host.index(after: colon)...].utf8
            guard !port.isEmpty, port.allSatisfy({ (48...57).contains($0) }) else { return false }
            host = host[..<colon]
        }
        if host.hasPrefix("[") {
            let address = host.dropFirst().dropLast().utf8
            return host.hasSuffix("]") && !address.isEmpty
                && address.allSatisfy { $0 == 58 || Digest.isHexDigit($0) || (65...70).contains($0) }
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isHostLabel(Array($0.utf8)) }
    }

    private static func isHostLabel(_ label: [UInt8]) -> Bool {
        guard let first = label.first, let last = label.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last) && label.allSatisfy { isAlphanumeric($0) || $0 == 45 }
    }

    private static func isComponent(_ bytes: [UInt8]) -> Bool {
        var separator: [UInt8] = []
        var atStart = true
        for byte in bytes {
            if (48...57).contains(byte) || (97...122).contains(byte) {
                guard separator.isEmpty || (!atStart && isSeparator(separator)) else { return false }
                separator = []
                atStart = false
            } else {
                separator.append(byte)
            }
        }
        return !atStart && separator.isEmpty
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        bytes == [46] || bytes == [95] || bytes == [95, 95] || bytes.allSatisfy { $0 == 45 }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte | 0x20)
    }

    private static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == 95 }
}
