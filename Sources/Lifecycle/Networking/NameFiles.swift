import EngineAPI
import Glibc
import Linux
import NameService

/// The files by which shims learn of names and ports. Blocking.
enum NameFiles {
    static func write(_ table: NameTable, to path: String) throws(EngineError) { try write(table.text, path) }

    static func write(_ configuration: NetworkConfiguration, to path: String) throws(EngineError) {
        try write(configuration.text, path)
    }

    /// Replaced as a whole: a shim reads the old or the new one.
    private static func write(_ text: String, _ path: String) throws(EngineError) {
        do throws(KernelError) {
            try FileContents.replace(path, with: Array(text.utf8), mode: 0o600, durable: false)
        } catch { throw EngineError(.internal, "\(error)") }
    }

    /// Writes a table where the file has another; for an engine that does not know whether the last one came to it.
    static func correct(_ table: NameTable, at path: String) throws(EngineError) {
        // A file that cannot be read is written.
        let present = (try? FileContents.read(path)).map { String(decoding: $0, as: UTF8.self) }
        if present != table.text { try write(table, to: path) }
    }

    /// A file of a container's /etc.
    static func read(_ path: String) throws(EngineError) -> [UInt8] {
        do throws(KernelError) { return try FileContents.read(path, limitBytes: 16 << 20) } catch {
            throw EngineError(.internal, "\(error)")
        }
    }

    /// Into the file as it is: it is mounted in the container, and another in its place would not be seen there.
    ///
    /// In one write, with empty lines up to the old end, if that is not far, which are cut off then: who reads it meanwhile
    /// finds no half of a line.
    static func overwrite(_ bytes: [UInt8], _ path: String) throws(EngineError) {
        do throws(KernelError) {
            let file = OwnedDescriptor(try Descriptor.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o644))
            var facts = stat()
            try kernelCall("stat", path) { fstat(file.descriptor.rawValue, &facts) }
            let excess = Int(clamping: facts.st_size) - bytes.count
            try file.descriptor.writeAll(bytes + Array(repeating: UInt8(ascii: "\n"), count: min(max(0, excess), 4096)))
            if excess > 0 {
                try kernelCall("truncate", path) { ftruncate(file.descriptor.rawValue, off_t(bytes.count)) }
            }
        } catch { throw EngineError(.internal, "\(error)") }
    }

    /// One that is gone has been removed.
    static func remove(_ path: String) { unlink(path) }
}
