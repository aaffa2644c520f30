import Glibc
import Linux
import ShimAPI

/// `start` without the runtime: gantry-runtime leaves its container's process at a socket, where whoever says so lets it
/// run, and is told what came of it. A further program, with all that it would have to find out, is saved by it.
///
/// ```
///   shim                              init, at `start.sock` in the runtime's directory of the container
///     ├── 's' ─────────────────────────►│
///     │◄───────────────────────── 'r' ──┤  the program is executed next
///     │◄──────────────────── 'e' text ──┤  or: why it will not be
///     │◄───────────────── end of file ──┤  it was executed, or the process has ended
/// ```
final class StartGate {
    enum End: Hashable {
        case running
        /// In the words that the runtime would have used.
        case failed(String)
        /// It is the runtime that knows why: asked by its command, it says so.
        case unclear
    }

    private let loop: EventLoop
    private let directory: Descriptor
    private let connection: Descriptor
    private let onEnd: (End) -> Void
    private var watch: EventLoop.Watch?
    private var alarm: EventLoop.Alarm?
    private var answer: [UInt8] = []

    /// Connects and says start. Nil where no process waits at a gate: another runtime's container, or one that has ended.
    ///
    /// - Parameters:
    ///   - path: the runtime's directory of the container.
    ///   - onEnd: called once, from the loop.
    init?(in path: String, loop: EventLoop, timeoutMilliseconds: Int64, onEnd: @escaping (End) -> Void) {
        self.loop = loop
        self.onEnd = onEnd
        do throws(KernelError) {
            let place = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
            let opened = OwnedDescriptor(try UnixSocket.connect(in: place.descriptor, name: StartGateWords.socketName))
            guard try UnixSocket.send(opened.descriptor, [StartGateWords.start], from: 0) == 1 else { return nil }
            directory = place.release()
            connection = opened.release()
        } catch { return nil }
        do throws(KernelError) {
            watch = try loop.watch(connection, .readable) { [unowned self] _ in read() }
        } catch {
            close()
            return nil
        }
        alarm = loop.after(milliseconds: timeoutMilliseconds) { [unowned self] in
            // A process inside may hold the other end open by a copy, when the word has long been obeyed.
            if answer.first == StartGateWords.running { return settle() }
            end(.failed("the container's process does not start its program"))
        }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        do throws(KernelError) {
            let count = try connection.read(into: &buffer)
            if count > 0, answer.count < StartGateWords.answerLimitBytes {
                answer += buffer[..<count]
                return
            }
        } catch {
            if error.errno == .wouldBlock { return }
            // Reset: the process ended with the word unread.
        }
        settle()
    }

    private func settle() {
        switch answer.first {
        case StartGateWords.running:
            // Nobody listens there any more.
            unlinkat(directory.rawValue, StartGateWords.socketName, 0)
            end(.running)
        case StartGateWords.failed: end(.failed(String(decoding: answer.dropFirst(), as: UTF8.self)))
        default: end(.unclear)
        }
    }

    private func end(_ end: End) {
        close()
        onEnd(end)
    }

    private func close() {
        if let watch { loop.forget(watch) }
        watch = nil
        loop.cancel(alarm)
        connection.close()
        directory.close()
    }
}
