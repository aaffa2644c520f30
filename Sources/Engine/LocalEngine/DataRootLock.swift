import Glibc
import Linux
import Synchronization

/// The right to host a data root: flock(2) on its `engine.lock`, which the kernel takes back when the holder dies.
///
/// The file stays, for removing it would let two hold it: one the old file, one a new one.
final class DataRootLock: Sendable {
    private let descriptor: Mutex<Descriptor?>

    /// Nil where another process holds it. Blocking, but does not wait for the other.
    init?(_ path: String) throws(KernelError) {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        do throws(KernelError) {
            try file.lock(waiting: false)
            // For people and for the message of who comes second; the lock alone decides.
            try kernelCall("truncate", path) { ftruncate(file.rawValue, 0) }
            try file.writeAll(Array("\(getpid())\n".utf8))
        } catch {
            file.close()
            if error.errno == .wouldBlock { return nil }
            throw error
        }
        descriptor = Mutex(file)
    }

    deinit { release() }

    func release() {
        let held = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        guard let held else { return }
        // By name, not by closing alone: a child between spawn and exec has a copy of the descriptor for a moment.
        flock(held.rawValue, LOCK_UN)
        held.close()
    }

    /// The process that holds the lock, as it wrote.
    static func owner(_ path: String) -> Int32? {
        // Without the number the message only says less.
        guard let bytes = try? FileContents.read(path, limitBytes: 64) else { return nil }
        return Int32(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
    }
}
