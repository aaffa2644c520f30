import AsyncIO
import Glibc
import Linux
import Synchronization

/// The program's own standard output and error.
enum Console {
    /// Why the last text could not be written to standard output, where somebody would have read it.
    private static let failure = Mutex<KernelError?>(nil)
    /// The reader of standard output has gone before all was written.
    private static let readerHasGone = Mutex(false)

    static func out(_ text: String) { _ = offer(text) }

    /// False where it cannot be written, or nobody reads any more: what has no end of its own ends by that.
    static func offer(_ text: String) -> Bool {
        do throws(KernelError) { return try write(Array(text.utf8), to: .standardOutput) } catch {
            failure.withLock { $0 = error }
            return false
        }
    }

    static func error(_ text: String) {
        do throws(KernelError) { try write(Array(text.utf8), to: .standardError) } catch {
            // There is nowhere left to say so.
        }
    }

    /// What has kept `out` from writing: a command that has lost output has not done what it was asked for.
    static var lostOutput: KernelError? { failure.withLock { $0 } }

    /// Nobody has read all of the output; a program that the signal ends, SIGPIPE, would have ended by that.
    static var isCutOff: Bool { readerHasGone.withLock { $0 } }

    /// Writes a container's output without holding up a thread of the pool.
    ///
    /// - Returns: false once nobody reads.
    /// - Throws: what else keeps it from being written, such as a full disk.
    static func pass(_ bytes: [UInt8], to descriptor: Descriptor) async throws(KernelError) -> Bool {
        try await BlockingPool.shared.run { () throws(KernelError) in try passBlocking(bytes, to: descriptor) }
    }

    /// As `pass`, on a thread that may wait for whoever reads.
    static func passBlocking(_ bytes: [UInt8], to descriptor: Descriptor) throws(KernelError) -> Bool {
        try write(bytes, to: descriptor)
    }

    /// False where nobody reads any more, as in `gantry ps | head -1`: there is nobody to tell.
    @discardableResult
    private static func write(_ bytes: [UInt8], to descriptor: Descriptor) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try descriptor.writeAll(bytes)
            return true
        } catch {
            guard error.errno == .brokenPipe else {
                let name = descriptor == .standardOutput ? "standard output" : "standard error"
                throw KernelError("write to", name, error.errno)
            }
            if descriptor == .standardOutput { readerHasGone.withLock { $0 = true } }
            return false
        }
    }

    static var outputIsTerminal: Bool { isatty(1) == 1 }
    static var inputIsTerminal: Bool { isatty(0) == 1 }
}
