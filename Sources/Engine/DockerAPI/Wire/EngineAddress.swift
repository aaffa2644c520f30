import EngineAPI

/// Where an engine answers, as docker's `-H`, `DOCKER_HOST` and contexts name it.
package struct EngineAddress: Hashable, Sendable {
    package enum Endpoint: Hashable, Sendable {
        case unix(path: String)
        case tcp(host: String, port: Int)
        /// Through a command on another machine, which is reached by ssh(1).
        case ssh(SSHTarget)
    }

    /// The files that TLS is spoken with.
    package struct Certificates: Hashable, Sendable {
        /// Nil for the system's authorities; with a file its authorities alone are believed.
        package var authorityFile: String?
        package var certificateFile: String?
        package var keyFile: String?
        package var skipsVerification = false

        package init() {}
    }

    /// As it was given.
    package let host: String
    package let endpoint: Endpoint
    /// Nil where TLS is not spoken.
    package let certificates: Certificates?

    /// - Parameter certificates: those to speak TLS with; `https://` is TLS also without them, by the system's
    ///   authorities.
    /// - Throws: `invalid` for a host that is none, or that holds a password.
    package init(_ host: String, certificates given: Certificates? = nil) throws(EngineError) {
        self.host = host
        let certificates = given ?? (host.hasPrefix("https://") ? Certificates() : nil)
        self.certificates = certificates
        endpoint = try Self.endpoint(host, hasTLS: certificates != nil)
    }

    private static func endpoint(_ host: String, hasTLS: Bool) throws(EngineError) -> Endpoint {
        let unreadable = EngineError(.invalid, "unable to parse docker host `\(host)`", object: host)
        guard let separator = host.firstRange(of: "://") else { throw unreadable }
        let rest = String(host[separator.upperBound...])
        switch host[..<separator.lowerBound] {
        case "unix" where !rest.isEmpty: return .unix(path: rest)
        case "tcp", "http", "https":
            guard let (name, port) = NamedPort(rest, defaultPort: hasTLS ? 2376 : 2375)?.parts else { throw unreadable }
            return .tcp(host: name, port: port)
        case "ssh": return .ssh(try SSHTarget(rest, host: host))
        case "npipe", "fd":
            throw EngineError(.unsupported, "an engine cannot be reached by `\(host)` from here", object: host)
        default: throw unreadable
        }
    }
}

/// `host:port`, `[::1]:port` or `host`, with a path that is passed over.
struct NamedPort {
    let parts: (String, Int)

    init?(_ text: String, defaultPort: Int) {
        var rest = text.prefix { $0 != "/" }
        var host = rest
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
        } else {
            host = rest.prefix { $0 != ":" }
            rest = rest[host.endIndex...]
        }
        guard !host.isEmpty, !host.contains(where: \.isWhitespace) else { return nil }
        if rest.isEmpty {
            parts = (String(host), defaultPort)
        } else {
            guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()) else { return nil }
            parts = (String(host), Int(port))
        }
    }
}

/// Another machine, and the engine's socket there.
package struct SSHTarget: Hashable, Sendable {
    package var user: String?
    package var host: String
    package var port: Int?
    /// Nil for the socket that the programs of that machine use.
    package var socketPath: String?

    /// Reads `[user@]host[:port][/path/to/socket]`.
    init(_ text: String, host whole: String) throws(EngineError) {
        let unreadable = EngineError(.invalid, "`\(whole)` is no ssh host", object: whole)
        let authority = text.prefix { $0 != "/" }
        let path = text[authority.endIndex...]
        // The path becomes a word of a shell's on the other side, and ssh's configuration may give names to one here.
        guard Self.isPlain(authority, with: "[]"), Self.isPlain(path, with: "/") else { throw unreadable }
        socketPath = path.isEmpty || path == "/" ? nil : String(path)
        var place = authority
        if let at = authority.lastIndex(of: "@") {
            let name = String(authority[..<at])
            guard !name.contains(":") else {
                throw EngineError(.invalid, "a password in the host of ssh is not supported", object: nil)
            }
            user = name
            place = authority[authority.index(after: at)...]
        }
        guard let (name, number) = NamedPort(String(place), defaultPort: 0)?.parts else { throw unreadable }
        // What ssh would take for an option is no name.
        guard !name.hasPrefix("-"), !(user?.hasPrefix("-") ?? false) else { throw unreadable }
        host = name
        port = number == 0 ? nil : number
    }

    /// Nothing in it means anything to a shell.
    private static func isPlain(_ text: Substring, with further: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            guard scalar.isASCII else { return !scalar.properties.isWhitespace }
            return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || "._-+,@:=%".unicodeScalars.contains(scalar) || further.unicodeScalars.contains(scalar)
        }
    }

    /// What to run here: ssh(1), which runs a program there that joins its standard input and output to the engine's
    /// socket. Gantry's own where it is, docker's elsewhere.
    package var command: [String] {
        var words = ["ssh", "-o", "ConnectTimeout=30", "-T"]
        if let user { words += ["-l", user] }
        if let port { words += ["-p", "\(port)"] }
        let socket = socketPath.map { " -H unix://\($0)" } ?? ""
        let script =
            "if command -v gantry >/dev/null 2>&1; then exec gantry\(socket) system dial-stdio; "
            + "else exec docker\(socket) system dial-stdio; fi"
        // The other side's login shell may be any: all of them take a word in single quotes.
        return words + ["--", host, "sh -c '\(script)'"]
    }
}
