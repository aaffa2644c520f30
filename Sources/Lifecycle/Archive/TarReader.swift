import CArchive

/// Reads a tar archive from its start to its end: ustar, pax and GNU's forms, sparse files too. Used by one thread.
package final class TarReader {
    private let input: BoundedInput
    private let handle: ArchiveHandle
    private let limits: UnpackLimits
    private var entryCount = 0
    /// A member's contents come next, as far as they were not taken.
    private var isInMember = false

    package init(_ input: any ArchiveInput, limits: UnpackLimits) throws(ArchiveError) {
        self.limits = limits
        self.input = BoundedInput(input)
        handle = try ArchiveHandle(self.input) { archive in
            archive_read_support_format_tar(archive)
            archive_read_support_format_empty(archive)
        }
    }

    /// The next member's header; nil at the end.
    package func next() throws(ArchiveError) -> TarEntry? {
        // Of whatever length.
        if isInMember { try handle.check(archive_read_data_skip(handle.archive)) }
        isInMember = false
        var entry: OpaquePointer?
        let status = input.bounding { archive_read_next_header(handle.archive, &entry) }
        if status == ARCHIVE_EOF { return nil }
        try handle.check(status)
        isInMember = true
        guard let entry else { throw .invalid("a member without a header") }
        entryCount += 1
        try limits.check(entryCount: entryCount)
        return TarEntry(entry)
    }

    /// Counts a directory that is made for a member and is none itself: a path of some letters may stand for thousands.
    ///
    /// - Throws: `tooLarge` where that is one too many.
    func countUnnamed() throws(ArchiveError) {
        entryCount += 1
        try limits.check(entryCount: entryCount)
    }

    /// Gives the member's bytes piece by piece with their offsets; the holes of a sparse file are left out.
    package func forEachPiece<Failure: Error>(
        _ body: (UnsafeRawBufferPointer, Int64) throws(Failure) -> Void, failure: (ArchiveError) -> Failure
    ) throws(Failure) {
        while true {
            var start: UnsafeRawPointer?
            var count = 0
            var offset: la_int64_t = 0
            let status = input.bounding { archive_read_data_block(handle.archive, &start, &count, &offset) }
            if status == ARCHIVE_EOF { return }
            do throws(ArchiveError) { try handle.check(status) } catch { throw failure(error) }
            if count > 0 { try body(UnsafeRawBufferPointer(start: start, count: count), Int64(offset)) }
        }
    }
}
