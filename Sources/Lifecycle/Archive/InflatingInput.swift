import CArchive
import Content
import OCI

/// Unpacks gzip, zstd, xz and bzip2, and passes on what is not packed, hashing what comes out.
package final class InflatingInput: ArchiveInput {
    private let packed: XZInput
    private let handle: ArchiveHandle
    private let limits: UnpackLimits
    private var hasher: DigestHasher?
    private var isAtEnd = false
    package private(set) var inflatedBytes: Int64 = 0

    /// - Parameter hash: the algorithm for `finish`; nil to save the time.
    package init(
        _ packed: DescriptorInput, hash: Digest.Algorithm?, limits: UnpackLimits
    ) throws(ArchiveError) {
        self.packed = try XZInput(packed)
        self.limits = limits
        hasher = hash.map { DigestHasher($0) }
        handle = try ArchiveHandle(self.packed) { archive in
            // Named one by one: `all` would also run programs of the machine.
            archive_read_support_filter_gzip(archive)
            archive_read_support_filter_zstd(archive)
            archive_read_support_filter_bzip2(archive)
            archive_read_support_format_raw(archive)
            archive_read_support_format_empty(archive)
        }
        var entry: OpaquePointer?
        let status = archive_read_next_header(handle.archive, &entry)
        isAtEnd = status == ARCHIVE_EOF
        if !isAtEnd { try handle.check(status) }
    }

    /// Whether the input is packed at all.
    package var isPacked: Bool { packed.isPacked || archive_filter_count(handle.archive) > 1 }

    package func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        var start: UnsafeRawPointer?
        var count = 0
        var offset: la_int64_t = 0
        while !isAtEnd {
            let status = archive_read_data_block(handle.archive, &start, &count, &offset)
            if status == ARCHIVE_EOF { isAtEnd = true }
            try handle.check(status == ARCHIVE_EOF ? ARCHIVE_OK : status)
            if count == 0 { continue }
            let piece = UnsafeRawBufferPointer(start: start, count: count)
            inflatedBytes += Int64(count)
            try limits.check(inflatedBytes: inflatedBytes)
            hasher?.update(piece)
            return piece
        }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Reads what a reader left, such as the padding after an archive's end, and gives the digest of all of it.
    package func finish() throws(ArchiveError) -> Digest? {
        while try !next().isEmpty {}
        guard let hasher = hasher.take() else { return nil }
        return hasher.finish()
    }
}
