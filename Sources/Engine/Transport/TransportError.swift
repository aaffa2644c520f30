import Linux

/// Why a connection could not be made, used or served.
package enum TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer went away, or this side closed the connection.
    case closed
    /// Nobody answers at the endpoint, and why; with the kernel's number where it gave one.
    case cannotConnect(endpoint: String, reason: String, errno: Errno? = nil)
    /// The peer took longer than it may.
    case timedOut(String)
    /// A body or a header is longer than is taken.
    case tooLarge(limitBytes: Int)
    /// What came is not HTTP/1.1.
    case malformed(String)
    /// The other end's certificate is not to be believed, it speaks no TLS, or a file for TLS cannot be used; and why.
    case untrusted(String)
    /// The address could not be listened on, and why.
    case cannotListen(endpoint: String, reason: String)

    package var description: String {
        switch self {
        case .closed: "the connection was closed"
        case .cannotConnect(let endpoint, let reason, _): "connect to `\(endpoint)`: \(reason)"
        case .timedOut(let what): "\(what): timed out"
        case .tooLarge(let limit): "longer than \(limit) bytes"
        case .malformed(let reason): "malformed HTTP: \(reason)"
        case .untrusted(let reason): reason
        case .cannotListen(let endpoint, let reason): "listen on `\(endpoint)`: \(reason)"
        }
    }
}
