import CArchive

/// A libarchive reader over an `ArchiveInput`. Used by one thread; libarchive reads, it never writes files here.
final class ArchiveHandle {
    let archive: OpaquePointer
    private let input: any ArchiveInput
    /// Why the input stopped; libarchive itself only knows that it did.
    private var inputFailure: ArchiveError?

    /// - Parameter configure: chooses formats and filters.
    init(_ input: any ArchiveInput, configure: (OpaquePointer) -> Void) throws(ArchiveError) {
        guard let archive = archive_read_new() else { throw .invalid("libarchive has no memory") }
        self.archive = archive
        self.input = input
        configure(archive)
        // The context lives as long as the reader, which ends in deinit.
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(archive_read_open2(archive, context, nil, readPiece, nil, nil))
    }

    deinit { archive_read_free(archive) }

    /// - Throws: what the input threw, or libarchive's complaint. A warning is none: it is about names that the C
    ///   library's locale cannot show, which come as bytes all the same. What could be tried again is one: a header whose
    ///   checksum is wrong comes so, and passed by it would be a file that is missing.
    func check(_ status: Int32) throws(ArchiveError) {
        if status == ARCHIVE_OK || status == ARCHIVE_WARN { return }
        if let inputFailure { throw inputFailure }
        let reason = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error \(status)"
        if reason.contains("runcated") || reason.contains("nexpected EOF") || reason.contains("premature end") {
            throw .truncated
        }
        throw .invalid(reason)
    }

    fileprivate func read(_ start: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        do throws(ArchiveError) {
            let piece = try input.next()
            start?.pointee = piece.baseAddress
            return piece.count
        } catch {
            inputFailure = error
            return Int(ARCHIVE_FATAL)
        }
    }
}

private func readPiece(
    _: OpaquePointer?, context: UnsafeMutableRawPointer?, start: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> la_ssize_t {
    guard let context else { return la_ssize_t(ARCHIVE_FATAL) }
    return Unmanaged<ArchiveHandle>.fromOpaque(context).takeUnretainedValue().read(start)
}
