import CZlib
import Glibc
import Linux
import ShimAPI

/// The program as a child of a shim: packs a log's old file, and ends. So the shim never has zlib's memory, and never
/// waits.
///
///     gantry-shim -pack
///
/// Reads descriptor 0, a file, and writes gzip to descriptor 1. The exit code is 0 once all of it is on the disk.
package enum PackingProcess {
    static let arguments = ["gantry-shim", "-pack"]

    package static func isMeant(by words: [String]) -> Bool { words.count == 2 && words[1] == arguments[1] }

    package static func run() -> Int32 {
        nice(10)
        do throws(KernelError) {
            try pack(Descriptor(rawValue: 0), to: Descriptor(rawValue: 1))
            return 0
        } catch { return 1 }
    }

    /// Packs what follows in `file`, and marks it with which file that was. Blocking.
    package static func pack(_ file: Descriptor, to packed: Descriptor) throws(KernelError) {
        var facts = stat()
        try kernelCall("look at the log") { fstat(file.rawValue, &facts) }
        let mark = PackedLogMark(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
        let packer = try Packer(to: packed, mark: mark)
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try file.read(into: &piece)
            try packer.add(piece[..<count], isLast: count == 0)
            if count == 0 { break }
        }
        // Before the plain file goes: a power cut must not take both.
        try kernelCall("write the packed log") { fsync(packed.rawValue) }
    }
}

/// zlib's deflate in gzip's form.
private final class Packer {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    /// Must stay where it is until the header is written, as must the field.
    private let header = UnsafeMutablePointer<gz_header>.allocate(capacity: 1)
    private let field: UnsafeMutableBufferPointer<UInt8>
    private let file: Descriptor
    private var room = [UInt8](repeating: 0, count: 1 << 16)

    init(to file: Descriptor, mark: PackedLogMark) throws(KernelError) {
        self.file = file
        let bytes = mark.extraField
        field = .allocate(capacity: bytes.count)
        _ = field.initialize(from: bytes)
        header.initialize(to: gz_header())
        header.pointee.os = 3
        header.pointee.extra = field.baseAddress
        header.pointee.extra_len = UInt32(bytes.count)
        stream.initialize(to: z_stream())
        // 15 bits of window; 16 more ask for gzip's form.
        let status = deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK, deflateSetHeader(stream, header) == Z_OK else {
            throw KernelError("begin to pack the log", "", .inputOutput)
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        header.deallocate()
        field.deallocate()
    }

    func add(_ bytes: ArraySlice<UInt8>, isLast: Bool) throws(KernelError) {
        var input = Array(bytes)
        try input.withUnsafeMutableBufferPointer { (input) throws(KernelError) in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            repeat { try drain(isLast: isLast) } while stream.pointee.avail_out == 0
        }
    }

    private func drain(isLast: Bool) throws(KernelError) {
        let status = room.withUnsafeMutableBufferPointer { room in
            stream.pointee.next_out = room.baseAddress
            stream.pointee.avail_out = UInt32(room.count)
            return deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        }
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
            throw KernelError("pack the log", "", .inputOutput)
        }
        try file.writeAll(Array(room[..<(room.count - Int(stream.pointee.avail_out))]))
    }
}
