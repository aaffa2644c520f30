import Glibc
import Linux
import ShimAPI

/// A client's own connection, lent by the engine: output goes to it past the engine.
///
/// ```
///   process ──pipe──► read, send ──► the client's socket
/// ```
///
/// What the socket does not take waits here, and what comes behind that in the process's pipe. The bytes are copied:
/// splice(2) would spare that, but sends each page of the pipe by itself, of which docker's client takes nearly three
/// times as long to read as much.
final class OutputSink {
    private let loop: EventLoop
    private let descriptor: Descriptor
    private let heads: ShimOutputHeads
    private var watch: EventLoop.Watch?
    private var outbox: [UInt8] = []
    private var outboxOffset = 0
    /// The client is gone, or the engine wants no more of this: what comes is dropped.
    private var isClosed = false
    /// Called when the socket has taken all that waited, or never will.
    private let onRoom: () -> Void

    /// - Parameter descriptor: taken over; it does not block.
    init(_ loop: EventLoop, _ descriptor: Descriptor, _ heads: ShimOutputHeads, onRoom: @escaping () -> Void) {
        (self.loop, self.descriptor, self.heads, self.onRoom) = (loop, descriptor, heads, onRoom)
    }

    /// Whether there is something that the socket has not taken.
    var isBehind: Bool { !outbox.isEmpty }

    /// Sends bytes behind their head; what the socket does not take at once is kept.
    func send(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        guard !isClosed, !bytes.isEmpty else { return }
        let head = heads.head(isStandardError: kind == .stderr, byteCount: bytes.count)
        var sent = 0
        if outbox.isEmpty {
            do { sent = try UnixSocket.send(descriptor, head, bytes) } catch {
                guard error.errno == .wouldBlock else { return lose() }
            }
        }
        guard sent < head.count + bytes.count else { return }
        outbox.append(contentsOf: head[min(sent, head.count)...])
        outbox.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[max(0, sent - head.count)...]))
        waitForRoom()
    }

    /// Lets go of the connection, whose end the client sees where the engine has let go as well.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        stopWatching()
        descriptor.close()
        (outbox, outboxOffset) = ([], 0)
    }

    /// Sends what waits, for as long as the socket takes it.
    private func push() {
        do {
            while outboxOffset < outbox.count {
                outboxOffset += try UnixSocket.send(descriptor, outbox, from: outboxOffset)
            }
            (outbox, outboxOffset) = ([], 0)
            stopWatching()
        } catch {
            if error.errno == .wouldBlock { waitForRoom() } else { lose() }
        }
    }

    private func waitForRoom() {
        guard watch == nil else { return }
        do { watch = try loop.watch(descriptor, .writable) { [unowned self] _ in goOn() } } catch { lose() }
    }

    private func goOn() {
        push()
        if !isBehind, !isClosed { onRoom() }
    }

    private func stopWatching() {
        if let watch { loop.forget(watch) }
        watch = nil
    }

    /// The client is gone, which the engine sees for itself. Who waits for it waits no longer.
    private func lose() {
        close()
        // Not at once: it may be who called.
        loop.after(milliseconds: 0) { [weak self] in self?.onRoom() }
    }
}
