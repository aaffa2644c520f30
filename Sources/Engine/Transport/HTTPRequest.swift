/// A request as the server got it. The body is read on demand.
package struct HTTPRequest: Sendable {
    /// `GET`, `POST`, …
    package let method: String
    /// Path and query as they came.
    package let target: String
    package let fields: HTTPFields
    package let body: HTTPBody
    /// Who is at the other end; nil where the kernel does not say.
    package let peer: PeerCredentials?

    /// The target up to the query, still percent-encoded.
    package var path: String { target.firstIndex(of: "?").map { String(target[..<$0]) } ?? target }

    /// The target after `?`, still percent-encoded.
    package var query: String { target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) } ?? "" }
}

/// The process at the other end of a Unix socket as it was when it connected: `SO_PEERCRED` of unix(7).
package struct PeerCredentials: Hashable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32
}
