import AsyncIO
import Glibc
import Linux

/// The program's own standard output and error.
enum Console {
    static func out(_ text: String) { write(text, to: .standardOutput) }
    static func error(_ text: String) { write(text, to: .standardError) }

    private static func write(_ text: String, to descriptor: Descriptor) {
        do throws(KernelError) { try descriptor.writeAll(Array(text.utf8)) } catch {
            // Nobody reads any more, as in `gantry ps | head -1`: there is nobody to tell.
        }
    }

    /// Writes a container's output without holding up a thread of the pool. False once nobody reads.
    static func pass(_ bytes: [UInt8], to descriptor: Descriptor) async -> Bool {
        do throws(KernelError) {
            try await BlockingPool.shared.run { () throws(KernelError) in try descriptor.writeAll(bytes) }
            return true
        } catch {
            return false
        }
    }

    static var outputIsTerminal: Bool { isatty(1) == 1 }
    static var inputIsTerminal: Bool { isatty(0) == 1 }
}
