import Linux

/// Why an archive could not be read or unpacked. What was written by then is the caller's to remove.
package enum ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The archive ends before its end.
    case truncated
    /// No archive, or one that is damaged: the reader's words.
    case invalid(String)
    /// An entry that must not be unpacked, and why.
    case refused(path: String, reason: String)
    /// More than the limits allow.
    case tooLarge(String)
    case cancelled
    case kernel(KernelError)

    package var description: String {
        switch self {
        case .truncated: "unexpected EOF"
        case .invalid(let reason): "invalid archive: \(reason)"
        case .refused(let path, let reason): "invalid archive entry `\(path)`: \(reason)"
        case .tooLarge(let reason): reason
        case .cancelled: "context canceled"
        case .kernel(let error): error.description
        }
    }
}

/// What an archive may at most become: the guard against bombs.
///
/// How often its own size an archive unpacks to is no sign of one: gzip reaches 1032 at the most, and a file of zeros, such
/// as a database makes for later, 7000 with xz and 30000 with zstd.
package struct UnpackLimits: Hashable, Sendable {
    /// Of the inflated archive, headers and padding included.
    package var bytes: Int64
    package var entries: Int

    package init(bytes: Int64 = .max, entries: Int = 4_000_000) {
        self.bytes = bytes
        self.entries = entries
    }

    func check(inflatedBytes: Int64) throws(ArchiveError) {
        guard inflatedBytes <= bytes else {
            throw .tooLarge("the unpacked archive exceeds the limit of \(bytes) bytes")
        }
    }
}
