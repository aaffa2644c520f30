import AsyncIO
import CLinux
import Glibc
import Linux

/// Signals of this process as something that a task can await: handlers write the number into a pipe.
///
/// A signalfd would need the signals blocked in every thread, and threads exist before any command runs.
package final class SignalPipe: Sendable {
    /// Safety: written once before the handlers are set, read by the handlers only; a number is stored whole.
    nonisolated(unsafe) private static var writeEnd: Int32 = -1

    private let readEnd: WatchedDescriptor

    /// Whether signals have been taken over.
    package static var isMade: Bool { writeEnd >= 0 }

    /// Takes the signals over for the rest of the process's life, also from a pipe that was made before.
    package init(_ signals: [Int32]) throws(KernelError) {
        var ends: [Int32] = [0, 0]
        try kernelCall("pipe") { gantry_pipe2(&ends, O_CLOEXEC | O_NONBLOCK) }
        readEnd = try WatchedDescriptor(Descriptor(rawValue: ends[0]))
        Self.writeEnd = ends[1]
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(SignalPipe.writeEnd, &byte, 1)
            errno = saved
        }
        action.sa_flags = SA_RESTART
        for signal in signals { sigaction(signal, &action, nil) }
    }

    /// The next signal's number; nil once the waiting task is cancelled.
    package func next() async -> Int32? {
        while true {
            do throws(KernelError) {
                try await readEnd.readable()
                let byte = try readEnd.withDescriptor { (descriptor) throws(KernelError) -> UInt8? in
                    var byte = [UInt8](repeating: 0, count: 1)
                    return try descriptor.read(into: &byte) == 1 ? byte[0] : nil
                }
                if let byte { return Int32(byte) }
            } catch  where error.errno == .wouldBlock {
                continue
            } catch {
                return nil
            }
        }
    }
}
