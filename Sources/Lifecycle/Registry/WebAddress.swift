/// Who answers at an address: credentials for one origin are never sent to another.
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Hashable, Sendable { case http, https }

    package var scheme: Scheme
    /// In small letters; an IPv6 address without brackets.
    package var host: String
    package var port: Int

    package init(scheme: Scheme, host: String, port: Int? = nil) {
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port ?? (scheme == .https ? 443 : 80)
    }

    /// Host and, where it is not the scheme's own, port: what the `Host` field and a CONNECT request say.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == .https ? 443 : 80) ? name : "\(name):\(port)"
    }

    package var description: String { "\(scheme.rawValue)://\(authority)" }

    /// This machine itself: docker allows plain HTTP there without being told.
    package var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasSuffix(".localhost")
            || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) })
    }
}

/// An absolute `http` or `https` URL (RFC 3986), without user information and fragment.
package struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    package var origin: WebOrigin
    /// Path and query, percent-encoded, beginning with a slash.
    package var target: String

    package init(_ origin: WebOrigin, _ target: String) {
        self.origin = origin
        self.target = target.hasPrefix("/") ? target : "/" + target
    }

    /// Nil for anything but a URL of these two schemes. A name and a password in it are not taken: they would end up in
    /// messages.
    package init?(_ text: String) {
        guard let (scheme, rest) = Self.cut(text, at: "://"),
            let scheme = WebOrigin.Scheme(rawValue: scheme.lowercased())
        else { return nil }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        guard let origin = WebOrigin(scheme: scheme, authority: rest[..<end]) else { return nil }
        self.origin = origin
        target = Self.target(rest[end...])
    }

    package var description: String { "\(origin)\(target)" }

    /// The address without its query, which may hold a signature: fit for messages.
    package var bare: String { "\(origin)\(target.prefix { $0 != "?" })" }

    /// What a `Location` field of an answer from here means; nil where that is no address of these schemes.
    package func resolving(_ location: String) -> WebAddress? {
        guard Self.isPrintable(location), !location.isEmpty else { return nil }
        if location.hasPrefix("//") { return WebAddress("\(origin.scheme.rawValue):\(location)") }
        if location.hasPrefix("/") { return WebAddress(origin, Self.target(location[...])) }
        if location.hasPrefix("?") {
            return WebAddress(origin, target.prefix { $0 != "?" } + String(location.prefix { $0 != "#" }))
        }
        if location.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") { return WebAddress(location) }
        let path = target.prefix { $0 != "?" }
        let parent = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return WebAddress(origin, parent + String(Self.target("/" + location).dropFirst()))
    }

    /// Whether what is sent there instead would go in the clear, and here it does not.
    package func isSafer(than next: WebAddress) -> Bool {
        origin.scheme == .https && next.origin.scheme == .http
    }

    /// The same with a further parameter, whose value is encoded here.
    package func adding(_ name: String, _ value: String) -> WebAddress {
        var address = self
        address.target += (target.contains("?") ? "&" : "?") + "\(name)=\(WebText.encoded(value))"
        return address
    }

    private static func target(_ text: some StringProtocol) -> String {
        let whole = String(text.prefix { $0 != "#" })
        return whole.hasPrefix("/") ? whole : "/" + whole
    }

    private static func cut(_ text: String, at mark: String) -> (String, Substring)? {
        guard isPrintable(text) else { return nil }
        var rest = text[...]
        while !rest.isEmpty, !rest.hasPrefix(mark) { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        return (String(text[..<rest.startIndex]), rest.dropFirst(mark.count))
    }

    /// No space, line end or control byte, which could smuggle a field into a request.
    private static func isPrintable(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 32 && $0 < 127 } }
}

extension WebOrigin {
    /// Reads `host`, `host:port`, `[v6]:port`; nil with user information or a malformed port.
    package init?(scheme: Scheme, authority: some StringProtocol) {
        guard !authority.contains("@") else { return nil }
        var host = authority[...]
        var port: Int?
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            guard let number = UInt16(host[host.index(after: colon)...]), number > 0 else { return nil }
            port = Int(number)
            host = host[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.utf8.allSatisfy(Self.isHostByte) else { return nil }
        self.init(scheme: scheme, host: String(host), port: port)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 58, 95: true
        default: false
        }
    }
}

/// Percent-encoding of RFC 3986 for one parameter.
package enum WebText {
    package static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: result.append(byte)
            default: result += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
