/// Where an HTTP client connects to.
package enum HTTPEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// The path may be longer than a socket address holds.
    case unix(path: String)
    case tcp(host: String, port: Int)

    package var description: String {
        switch self {
        case .unix(let path): "unix://\(path)"
        case .tcp(let host, let port): "tcp://\(host):\(port)"
        }
    }

    /// The `Host` field: docker's clients send a name that means nothing for a Unix socket.
    var hostField: String {
        switch self {
        case .unix: "gantry"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
