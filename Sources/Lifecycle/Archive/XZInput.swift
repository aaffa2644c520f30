import CArchive

/// Unpacks xz, and passes on what is packed otherwise or not at all.
///
/// By liblzma itself: each block of such a file says how much of what came before it must be remembered, up to 4 GiB, which a
/// hundred kilobytes of a hostile layer fill. libarchive's reader lets it have 1 GiB.
final class XZInput: ArchiveInput {
    private static let magic: [UInt8] = [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
    /// As much as zstd's reader may take. xz(1) remembers 64 MiB at the most where nobody asks for more.
    static let memoryLimitBytes: UInt64 = 128 << 20

    private let packed: any ArchiveInput
    private let stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    /// What was read to see what it is.
    private var head: UnsafeMutableRawBufferPointer?
    private var hasGivenHead = false
    private var isAtEnd = false
    private(set) var isPacked = false

    /// - Throws: what the first reading threw.
    init(_ packed: any ArchiveInput) throws(ArchiveError) {
        self.packed = packed
        stream.initialize(to: lzma_stream())
        head = try Self.head(of: packed)
        isPacked = head?.starts(with: Self.magic) == true
        guard isPacked, let head else { return }
        // LZMA_CONCATENATED: one file after the other, as xz(1) reads them.
        try check(lzma_stream_decoder(stream, Self.memoryLimitBytes, 8))
        stream.pointee.next_in = UnsafePointer(head.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = head.count
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
        head?.deallocate()
        buffer.deallocate()
    }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer {
        if isPacked { return try unpacked() }
        if !hasGivenHead, let head {
            hasGivenHead = true
            return UnsafeRawBufferPointer(head)
        }
        return try packed.next()
    }

    /// A pipe may give less at once than tells what it is. Nil where there is nothing.
    private static func head(of input: any ArchiveInput) throws(ArchiveError) -> UnsafeMutableRawBufferPointer? {
        var bytes: [UInt8] = []
        while bytes.count < magic.count {
            let piece = try input.next()
            if piece.isEmpty { break }
            bytes += piece
        }
        if bytes.isEmpty { return nil }
        let head = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        head.copyBytes(from: bytes)
        return head
    }

    private func unpacked() throws(ArchiveError) -> UnsafeRawBufferPointer {
        stream.pointee.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = buffer.count
        var hasMore = true
        while !isAtEnd, stream.pointee.avail_out > 0 {
            if stream.pointee.avail_in == 0, hasMore {
                let piece = try packed.next()
                stream.pointee.next_in = piece.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_in = piece.count
                hasMore = !piece.isEmpty
            }
            let status = lzma_code(stream, hasMore ? LZMA_RUN : LZMA_FINISH)
            isAtEnd = status == LZMA_STREAM_END
            if !isAtEnd { try check(status) }
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count - stream.pointee.avail_out)])
    }

    private func check(_ status: lzma_ret) throws(ArchiveError) {
        switch status {
        case LZMA_OK: return
        // It asks for more than there is.
        case LZMA_BUF_ERROR: throw .truncated
        case LZMA_MEMLIMIT_ERROR:
            throw .tooLarge(
                "the archive needs \(lzma_memusage(stream)) bytes of memory to be unpacked, more than the limit of "
                    + "\(Self.memoryLimitBytes) bytes")
        case LZMA_DATA_ERROR: throw .invalid("xz: compressed data is corrupt")
        case LZMA_FORMAT_ERROR: throw .invalid("xz: file format not recognized")
        case LZMA_OPTIONS_ERROR: throw .invalid("xz: unsupported options")
        case LZMA_MEM_ERROR: throw .invalid("xz: there is no memory to unpack it")
        default: throw .invalid("xz: error \(status.rawValue)")
        }
    }
}
