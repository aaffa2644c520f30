import Glibc
import Linux
import ShimAPI

/// A client's own connection, lent by the engine: output goes to it past the engine, and where it can past this process's
/// memory, too.
///
///     process ──pipe──► splice(2) ──► the client's socket
///
/// What the socket does not take waits: in the process's pipe, or, of what was read already, here.
final class OutputSink {
    /// What has come of it to pass output on without reading it.
    enum Passage: Equatable {
        /// What there was has gone, or all of a turn.
        case moved
        /// The client has yet to take what it was sent before.
        case noRoom
        /// It is to be read, and sent.
        case notByThis
    }

    /// A piece whose head has gone out, or waits to: the bytes lie in the process's pipe, and nothing goes between.
    private struct Piece {
        let pipe: Descriptor
        var byteCount: Int
    }

    /// Of less a copy costs less.
    private static let quantityBytes = 16 << 10
    /// What is passed on before others have their turn.
    private static let turnBytes = 256 << 10

    private let loop: EventLoop
    private let descriptor: Descriptor
    private let heads: ShimOutputHeads
    private var watch: EventLoop.Watch?
    private var outbox: [UInt8] = []
    private var outboxOffset = 0
    private var piece: Piece?
    /// The client is gone, or the engine wants no more of this: what comes is dropped.
    private var isClosed = false
    /// Called when the socket has taken all that waited, or never will.
    private let onRoom: () -> Void

    /// - Parameter descriptor: taken over; it does not block.
    init(_ loop: EventLoop, _ descriptor: Descriptor, _ heads: ShimOutputHeads, onRoom: @escaping () -> Void) {
        (self.loop, self.descriptor, self.heads, self.onRoom) = (loop, descriptor, heads, onRoom)
    }

    /// Whether there is something that the socket has not taken.
    var isBehind: Bool { piece != nil || !outbox.isEmpty }

    /// Has bytes go from the process's pipe to the client as they lie.
    func pass(from pipe: Descriptor, _ kind: OutputKind) -> Passage {
        guard !isClosed else { return .notByThis }
        var passed = 0
        while passed < Self.turnBytes {
            guard !isClosed else { return .moved }
            guard !isBehind else { return .noRoom }
            // One that cannot be looked into is read, which tells what the matter is.
            let there = (try? pipe.availableBytes()) ?? 0
            guard there >= Self.quantityBytes else { return passed == 0 ? .notByThis : .moved }
            let count = min(there, ShimFrame.streamLimit)
            outbox = head(kind, count)
            piece = Piece(pipe: pipe, byteCount: count)
            push()
            passed += count
        }
        return .moved
    }

    /// Sends bytes that were read; what the socket does not take at once is copied. `complete` comes before, where a piece is
    /// on its way.
    func send(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        precondition(piece == nil, "output is read behind a piece of it that is not through")
        guard !isClosed, !bytes.isEmpty else { return }
        let head = head(kind, bytes.count)
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

    /// Takes what is still to come of a piece out of the pipe, which is to be read or closed now.
    func complete() {
        guard let piece else { return }
        self.piece = nil
        var rest = [UInt8](repeating: 0, count: piece.byteCount)
        var count = 0
        do {
            while count < rest.count {
                let more = try rest.withUnsafeMutableBytes { room throws(KernelError) in
                    try piece.pipe.read(into: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
                }
                // Nobody else reads it: as many lay there as were announced.
                guard more > 0 else { return lose() }
                count += more
            }
        } catch { return lose() }
        outbox.append(contentsOf: rest)
    }

    /// Lets go of the connection, whose end the client sees where the engine has let go as well.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        stopWatching()
        descriptor.close()
        (outbox, outboxOffset, piece) = ([], 0, nil)
    }

    private func head(_ kind: OutputKind, _ byteCount: Int) -> [UInt8] {
        heads.head(isStandardError: kind == .stderr, byteCount: byteCount)
    }

    /// Sends what waits, for as long as the socket takes it.
    private func push() {
        do {
            while outboxOffset < outbox.count {
                outboxOffset += try UnixSocket.send(descriptor, outbox, from: outboxOffset, hasMore: piece != nil)
            }
            (outbox, outboxOffset) = ([], 0)
            while let waiting = piece {
                let count = try waiting.pipe.splice(to: descriptor, upTo: waiting.byteCount)
                guard count > 0 else { return lose() }
                let left = waiting.byteCount - count
                piece = left > 0 ? Piece(pipe: waiting.pipe, byteCount: left) : nil
            }
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
