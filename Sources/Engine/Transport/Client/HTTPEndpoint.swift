/// Where an HTTP client connects to.
package enum HTTPEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// The path may be longer than a socket address holds.
    case unix(path: String)
    case tcp(host: String, port: Int)
    /// The standard input and output of a program that is started for each connection.
    case command([String], name: String)

    package var description: String {
        switch self {
        case .unix(let path): "unix://\(path)"
        case .tcp(let host, let port): "tcp://\(host):\(port)"
        case .command(_, let name): name
        }
    }

    /// The `Host` field: docker's clients send a name that means nothing for a Unix socket.
    var hostField: String {
        switch self {
        case .unix, .command: "gantry"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
