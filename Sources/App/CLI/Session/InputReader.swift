import AsyncIO
import Glibc
import Linux

/// Standard input, piece by piece, on a thread that may block.
///
/// It waits for readiness before it reads, so that a session which ends leaves no thread in read(2) that would take the
/// user's next key.
final class InputReader {
    /// What a pipe holds as a rule.
    private static let pieceBytes = 64 << 10
    private static let widePipeBytes: Int32 = 512 << 10
    /// A duplicate to wait for; nil for a regular file, which cannot be waited for, and is always ready.
    private let watched: WatchedDescriptor?
    private var isWide = false

    init() throws(KernelError) {
        let copy = Descriptor(rawValue: try kernelCall("duplicate descriptor") { fcntl(0, F_DUPFD_CLOEXEC, 0) })
        do throws(KernelError) { watched = try WatchedDescriptor(copy) } catch {
            copy.close()
            guard error.errno == .notPermitted else { throw error }
            watched = nil
        }
    }

    /// Whether standard input is a pipe, whose bytes can go on without being read.
    var isPipe: Bool {
        var facts = stat()
        return fstat(0, &facts) == 0 && facts.st_mode & S_IFMT == S_IFIFO
    }

    /// Makes room in a pipe that was full: who writes to it waits less often then.
    func tookAtOnce(_ byteCount: Int) {
        guard byteCount >= Self.pieceBytes, !isWide else { return }
        isWide = true
        // Where the user has too much already, the pipe stays as it is.
        try? Descriptor.standardInput.setPipeSize(byteCount: Self.widePipeBytes)
    }

    /// Returns when there is something to read, or the end. ECANCELED when the task that waits is cancelled.
    func ready() async throws(KernelError) {
        if let watched, try !isReady() { try await watched.readable() }
        if Task.isCancelled { throw KernelError("read", "standard input", Errno(rawValue: ECANCELED)) }
    }

    /// The next bytes; nil at the end. As `ready`.
    func next() async throws(KernelError) -> [UInt8]? {
        try await ready()
        var outcome = Result<Int, KernelError>.success(0)
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
            do throws(KernelError) {
                count = try Descriptor.standardInput.read(into: UnsafeMutableRawBufferPointer(buffer))
            } catch { outcome = .failure(error) }
        }
        _ = try outcome.get()
        return bytes.isEmpty ? nil : bytes
    }

    private func isReady() throws(KernelError) -> Bool {
        var entry = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return try kernelCall("poll") { poll(&entry, 1, 0) } > 0
    }
}
