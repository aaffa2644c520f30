/// What went wrong with a registry, in docker's words where it has some.
package struct RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The registry has no such repository, tag or blob.
        case notFound
        /// The registry wants credentials, or others.
        case unauthorized
        case denied
        /// Nobody answers, not in time, or the registry is busy.
        case unavailable
        /// The answer, or what was asked, makes no sense: wrong digests, sizes, media types, JSON.
        case invalid
        case unsupported
        /// The store on this side failed: its own error is in `cause`.
        case local
        case cancelled
    }

    package var kind: Kind
    package var message: String
    /// Of `local`.
    package var cause: (any Error)? { hidden?.error }
    private var hidden: Cause?

    /// - Parameter message: may hold what a server sent: what could drive a terminal is taken out of it.
    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = Self.harmless(message, limit: 2000)
    }

    /// Text of others as one line of bounded length, without the bytes that could drive a terminal (C0, DEL and C1).
    package static func harmless(_ text: String, limit: Int = 400) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(limit).map { $0.value < 32 || (127...159).contains($0.value) ? " " : $0 }))
    }

    package init(local error: any Error) {
        self.init(.local, "\(error)")
        hidden = Cause(error: error)
    }

    package static let cancelled = RegistryError(.cancelled, "context canceled")

    package var description: String { message }

    /// Two errors of one kind and message are the same, whatever is behind them.
    private struct Cause: Hashable, Sendable {
        let error: any Error
        static func == (left: Cause, right: Cause) -> Bool { true }
        func hash(into hasher: inout Hasher) {}
    }
}
