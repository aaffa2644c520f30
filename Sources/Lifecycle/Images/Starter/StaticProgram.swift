import Glibc
import Linux

/// A program that needs nothing but the kernel: an ELF executable without an interpreter (elf(5)).
package enum StaticProgram {
    /// Why the file is no such program; nil where it is one.
    package static func objection(_ file: Descriptor) throws(KernelError) -> String? {
        var header = [UInt8](repeating: 0, count: 64)
        let count = try kernelCall("read") { pread(file.rawValue, &header, 64, 0) }
        guard count == 64, header.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return "it is no ELF executable" }
        // 64 bits, little-endian: what this program itself runs on.
        guard header[4] == 2, header[5] == 1 else { return "it is made for another kind of machine" }
        let offset = number(header, at: 32, 8)
        let size = number(header, at: 54, 2)
        let entries = number(header, at: 56, 2)
        guard size >= 56, size < 4096, entries < 256 else { return "its header is damaged" }
        var table = [UInt8](repeating: 0, count: Int(size * entries))
        let read = try kernelCall("read") {
            pread(file.rawValue, &table, table.count, off_t(truncatingIfNeeded: offset))
        }
        guard read == table.count else { return "its header is damaged" }
        for entry in 0..<Int(entries) where number(table, at: entry * Int(size), 4) == 3 {
            // PT_INTERP: a dynamic linker is to load it.
            return "it is dynamically linked"
        }
        return nil
    }

    private static func number(_ bytes: [UInt8], at offset: Int, _ width: Int) -> UInt64 {
        bytes[offset..<(offset + width)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
