import Glibc

/// Room on the disk that is held so that on a full one something can still be removed: to remove it takes a row first. A
/// file beside the database, of blocks and no contents. Used by one thread at a time.
struct Ballast {
    private static let sizeBytes: Int64 = 1 << 20
    private let path: String
    private var isKept = false

    init(path: String) { self.path = path }

    /// Makes the file where it is missing and there is plenty of room; posix_fallocate(3).
    mutating func keep() {
        if isKept { return }
        var facts = stat()
        isKept = stat(path, &facts) == 0 && Int64(facts.st_size) == Self.sizeBytes
        guard !isKept, hasPlenty else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        isKept = posix_fallocate(file, 0, off_t(Self.sizeBytes)) == 0
        close(file)
        // A part of it would take room and never be found whole.
        if !isKept { unlink(path) }
    }

    /// Of the directory's file system: the file itself may not be there.
    private var hasPlenty: Bool {
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        var facts = statvfs()
        guard statvfs(String(directory), &facts) == 0 else { return false }
        return UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize)).partialValue
            > 4 * UInt64(Self.sizeBytes)
    }

    /// Gives the room back to the disk; false where there is none to give.
    mutating func giveUp() -> Bool {
        isKept = false
        return unlink(path) == 0
    }
}
