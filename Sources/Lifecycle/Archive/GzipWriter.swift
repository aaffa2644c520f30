import CArchive

/// Packs bytes with gzip (RFC 1952). The same bytes always give the same packed ones. Used by one thread.
package final class GzipWriter {
    private var stream = z_stream()
    private let sink: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    private var packed = [UInt8](repeating: 0, count: 1 << 17)

    /// - Parameter sink: takes packed bytes, which are good until it returns.
    package init(_ sink: @escaping (UnsafeRawBufferPointer) throws(ArchiveError) -> Void) throws(ArchiveError) {
        self.sink = sink
        // 15 bits of window; 16 more ask for gzip's form, whose header then holds neither name nor time.
        let status = deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .invalid("zlib cannot begin: error \(status)") }
    }

    deinit { deflateEnd(&stream) }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) { try deflate(bytes, Z_NO_FLUSH) }

    /// Writes what is held back, and the end.
    package func finish() throws(ArchiveError) { try deflate(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH) }

    private func deflate(_ bytes: UnsafeRawBufferPointer, _ flush: Int32) throws(ArchiveError) {
        stream.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(bytes.count)
        var isFull = true
        while isFull {
            let room = packed.count
            let status = packed.withUnsafeMutableBufferPointer { buffer in
                stream.next_out = buffer.baseAddress
                stream.avail_out = UInt32(room)
                return CArchive.deflate(&stream, flush)
            }
            // Nothing to do is no failure.
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                throw .invalid("zlib cannot go on: error \(status)")
            }
            let count = room - Int(stream.avail_out)
            isFull = stream.avail_out == 0
            guard count > 0 else { continue }
            try packed.withUnsafeBufferPointer { (whole) throws(ArchiveError) in
                try sink(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: whole[..<count])))
            }
        }
    }
}
