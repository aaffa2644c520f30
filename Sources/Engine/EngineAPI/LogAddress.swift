/// Where a log driver sends lines, as its option says it: `udp://host:514`, `unix:///dev/log`.
package enum LogAddress: Hashable, Sendable {
    /// The machine's own syslog, wherever it listens.
    case machine
    case unixDatagrams(path: String)
    case unixStream(path: String)
    case datagrams(host: String, port: UInt16)
    case stream(host: String, port: UInt16)

    /// - Throws: `invalid`, as the others.
    package static func syslog(_ text: String?) throws(EngineError) -> LogAddress {
        guard let text, !text.isEmpty else { return .machine }
        guard let (scheme, rest) = parts(text) else {
            throw EngineError(.invalid, "syslog-address should be in form proto://address, got \(text)")
        }
        switch scheme {
        case "unix": return .unixStream(path: rest)
        case "unixgram": return .unixDatagrams(path: rest)
        case "tcp+tls":
            throw EngineError(
                .invalid,
                "syslog-address: tcp+tls is not supported, a container's shim has no TLS: send to a relay by tcp or udp"
            )
        default:
            guard let (host, port) = hostAndPort(rest) else {
                throw EngineError(.invalid, "syslog-address: address \(rest): no host and port")
            }
            return scheme == "udp" ? .datagrams(host: host, port: port ?? 514) : .stream(host: host, port: port ?? 514)
        }
    }

    package static func gelf(_ text: String?) throws(EngineError) -> LogAddress {
        guard let text, !text.isEmpty else { throw EngineError(.invalid, "gelf-address is a required parameter") }
        guard let (scheme, rest) = parts(text) else {
            throw EngineError(.invalid, "gelf-address should be in form proto://address, got \(text)")
        }
        guard scheme == "udp" || scheme == "tcp" else {
            throw EngineError(.invalid, "gelf: endpoint needs to be TCP or UDP")
        }
        guard let (host, said) = hostAndPort(rest), let port = said else {
            throw EngineError(.invalid, "gelf: please provide gelf-address as proto://host:port")
        }
        return scheme == "udp" ? .datagrams(host: host, port: port) : .stream(host: host, port: port)
    }

    package static func fluentd(_ text: String?) throws(EngineError) -> LogAddress {
        guard let text, !text.isEmpty else { return .stream(host: "127.0.0.1", port: 24224) }
        func invalid(_ reason: String) -> EngineError {
            EngineError(.invalid, "invalid fluentd-address (\(text)): \(reason)")
        }
        let (scheme, rest) = parts(text.contains("://") ? text : "tcp://\(text)") ?? ("", "")
        switch scheme {
        case "unix":
            guard rest.contains(where: { $0 != "/" }) else { throw invalid("path is empty") }
            return .unixStream(path: rest)
        case "tcp":
            guard !text.dropFirst(scheme.count + 3).contains("/") || !text.contains("://") else {
                throw invalid("should not contain a path element")
            }
            guard let (host, port) = hostAndPort(rest) else { throw invalid("no host and port") }
            return .stream(host: host.isEmpty ? "127.0.0.1" : host, port: port ?? 24224)
        default: throw invalid("unsupported scheme: '\(text.split(separator: ":")[0])'")
        }
    }

    /// A way that docker knows, and what is behind `://`, of hosts without a path.
    private static func parts(_ text: String) -> (scheme: String, rest: String)? {
        guard let mark = text.firstRange(of: "://") else { return nil }
        let (scheme, rest) = (String(text[..<mark.lowerBound]), text[mark.upperBound...])
        switch scheme {
        case "unix", "unixgram": return (scheme, String(rest))
        case "tcp", "udp", "tcp+tls": return (scheme, String(rest.prefix { $0 != "/" }))
        default: return nil
        }
    }

    /// `host`, `host:port`, `[address]:port`; nil for what is none of them.
    private static func hostAndPort(_ text: String) -> (host: String, port: UInt16?)? {
        var host = text[...]
        var port: UInt16?
        if let colon = text.lastIndex(of: ":"), text[colon...].allSatisfy({ $0 != "]" }) {
            guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
            (host, port) = (text[..<colon], number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") { return (String(host.dropFirst().dropLast()), port) }
        // An address of version 6 is in brackets, or it cannot be told from its port.
        return host.contains(":") ? nil : (String(host), port)
    }
}
