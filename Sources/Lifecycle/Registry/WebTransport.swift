/// HTTP as a registry's client needs it. One request, one answer: redirects, credentials and repetitions are the
/// client's own affair, because they are decisions about trust.
///
/// The implementation over sockets is in the target `Web`: this part of the chain knows no event loop and no TLS.
package protocol WebTransport: Sendable {
    /// Sends a request and returns with the answer's head. A cancelled task gives its connection up.
    func send(_ request: WebRequest) async throws(WebFailure) -> WebResponse
}

package struct WebField: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

package struct WebRequest: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// That many bytes, which `open` begins anew for each attempt; pieces until nil.
        case stream(lengthBytes: Int64, open: @Sendable () async throws -> @Sendable () async throws -> [UInt8]?)
    }

    package var method: String
    package var address: WebAddress
    package var fields: [WebField]
    package var body: Body
    package var trust: WebTrust

    package init(
        _ method: String, _ address: WebAddress, fields: [WebField] = [], body: Body = .none,
        trust: WebTrust = WebTrust()
    ) {
        self.method = method
        self.address = address
        self.fields = fields
        self.body = body
        self.trust = trust
    }
}

/// Whom to believe at the other end of TLS.
package struct WebTrust: Hashable, Sendable {
    /// PEM files of further authorities, beside the system's.
    package var authorityFiles: [String] = []
    /// What this side shows: PEM files of a certificate and its key.
    package var certificateFile: String?
    package var keyFile: String?
    /// Believe anybody: for registries that a configuration calls insecure.
    package var skipsVerification = false

    package init() {}
}

/// An answer whose body is still to be read. Dropping it closes the connection.
package struct WebResponse: Sendable {
    package var status: Int
    package var fields: [WebField]
    /// The next bytes, never empty; nil at the end. Throws where the body is cut before its announced end.
    package var next: @Sendable () async throws(WebFailure) -> [UInt8]?

    package init(
        status: Int, fields: [WebField], next: @escaping @Sendable () async throws(WebFailure) -> [UInt8]?
    ) {
        self.status = status
        self.fields = fields
        self.next = next
    }

    /// The first field of that name, in whatever case.
    package subscript(name: String) -> String? { all(name).first }

    package func all(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return fields.filter { $0.name.lowercased() == wanted }.map(\.value)
    }
}

/// Why there is no answer, or no more of it.
package enum WebFailure: Error, Hashable, Sendable, CustomStringConvertible {
    case cannotConnect(String)
    /// Nobody listens there.
    case refused(String)
    /// The other end's certificate is not to be believed, or it does not speak TLS.
    case untrusted(String)
    /// The connection ended early.
    case closed
    /// Nothing came for too long.
    case stalled
    case malformed(String)
    /// The request's own body could not be read.
    case body(String)
    case cancelled

    package var description: String {
        switch self {
        case .cannotConnect(let reason), .refused(let reason), .untrusted(let reason), .malformed(let reason),
            .body(let reason):
            reason
        case .closed: "the connection was closed"
        case .stalled: "nothing came for too long"
        case .cancelled: "context canceled"
        }
    }
}
