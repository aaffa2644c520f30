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
    /// Of members, and of the directories that are made for them and are none.
    package var entries: Int
    /// The directory whose file system has room for no more than that; nil where the limits are somebody's choice.
    package var place: String?

    /// No layer that makes sense has more.
    package static let mostEntries = 4_000_000

    package init(bytes: Int64 = .max, entries: Int = Self.mostEntries, roomAt place: String? = nil) {
        self.bytes = bytes
        self.entries = min(entries, Self.mostEntries)
        self.place = place
    }

    func check(inflatedBytes: Int64) throws(ArchiveError) {
        guard inflatedBytes > bytes else { return }
        if let place { throw .kernel(KernelError("unpack more than \(bytes) bytes to", place, .noSpace)) }
        throw .tooLarge("the unpacked archive exceeds the limit of \(bytes) bytes")
    }

    func check(entryCount: Int) throws(ArchiveError) {
        guard entryCount > entries else { return }
        if let place, entries < Self.mostEntries {
            throw .kernel(KernelError("unpack more than \(entries) files to", place, .noSpace))
        }
        throw .tooLarge("the archive has more than \(entries) entries")
    }
}
