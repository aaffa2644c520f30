import CArchive

/// Reads a tar archive from its start to its end: ustar, pax and GNU's forms, sparse files too. Used by one thread.
package final class TarReader {
    private let handle: ArchiveHandle
    private let limits: UnpackLimits
    private var entryCount = 0

    package init(_ input: any ArchiveInput, limits: UnpackLimits) throws(ArchiveError) {
        self.limits = limits
        handle = try ArchiveHandle(input) { archive in
            archive_read_support_format_tar(archive)
            archive_read_support_format_empty(archive)
        }
    }

    /// The next member's header; nil at the end.
    package func next() throws(ArchiveError) -> TarEntry? {
        var entry: OpaquePointer?
        let status = archive_read_next_header(handle.archive, &entry)
        if status == ARCHIVE_EOF { return nil }
        try handle.check(status)
        guard let entry else { throw .invalid("a member without a header") }
        entryCount += 1
        try limits.check(entryCount: entryCount)
        return TarEntry(entry)
    }

    /// Gives the member's bytes piece by piece with their offsets; the holes of a sparse file are left out.
    package func forEachPiece<Failure: Error>(
        _ body: (UnsafeRawBufferPointer, Int64) throws(Failure) -> Void, failure: (ArchiveError) -> Failure
    ) throws(Failure) {
        while true {
            var start: UnsafeRawPointer?
            var count = 0
            var offset: la_int64_t = 0
    /// Counts a directory that is made for a member and is none itself: a path of some letters may stand for thousands.
    ///
    /// - Throws: `tooLarge` where that is one too many.
    func countUnnamed() throws(ArchiveError) {
        entryCount += 1
        try limits.check(entryCount: entryCount)
    }

            let status = archive_read_data_block(handle.archive, &start, &count, &offset)
            if status == ARCHIVE_EOF { return }
            do throws(ArchiveError) { try handle.check(status) } catch { throw failure(error) }
            if count > 0 { try body(UnsafeRawBufferPointer(start: start, count: count), Int64(offset)) }
        }
    }
}
