/// A request for `HTTPClient`.
package struct HTTPCall: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Pulled piece by piece, nil at the end; sent chunked.
        case stream(@Sendable () async throws -> [UInt8]?)
        /// As `stream`, for a length known before: exactly so many bytes must come.
        case sized(lengthBytes: Int64, @Sendable () async throws -> [UInt8]?)
    }

    package var method: String
    /// Path and query, percent-encoded.
    package var target: String
    package var fields: HTTPFields
    package var body: Body
    /// How long the server may send nothing while this call awaits something of it; nil for as long as the client says.
    package var silenceLimit: Duration?

    package init(_ method: String, _ target: String, fields: HTTPFields = [:], body: Body = .none) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }
}
