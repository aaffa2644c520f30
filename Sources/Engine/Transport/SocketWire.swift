import AsyncIO
import Linux
import Synchronization

/// A connection given up to bytes whose socket is in nobody else's hands: no event loop is between them and who reads.
final class SocketWire: RawWire {
    let socket: AsyncSocket
    /// What came together with the head before it.
    private let early: Mutex<[UInt8]>
    private let tellsGoneFromDone: Bool
    private let whenClosed: Mutex<(@Sendable () -> Void)?>
    /// Another has a duplicate of the socket.
    private let isLent = Mutex(false)

    /// - Parameters:
    ///   - tellsGoneFromDone: as of `ChannelWire`.
    ///   - whenClosed: called once.
    init(
        _ socket: AsyncSocket, early: [UInt8], tellsGoneFromDone: Bool = false,
        whenClosed: (@Sendable () -> Void)? = nil
    ) {
        self.socket = socket
        self.early = Mutex(early)
        self.tellsGoneFromDone = tellsGoneFromDone
        self.whenClosed = Mutex(whenClosed)
    }

    func read() async throws(TransportError) -> [UInt8]? {
        let early = takeEarly()
        if !early.isEmpty { return early }
        do throws(KernelError) {
            let bytes = try await socket.read()
            if !bytes.isEmpty { return bytes }
        } catch { throw .closed }
        if tellsGoneFromDone, socket.isHungUp { throw .closed }
        return nil
    }

    /// What came with the head, once.
    func takeEarly() -> [UInt8] {
        early.withLock { early in
            defer { early = [] }
            return early
        }
    }

    func write(_ bytes: [UInt8]) async throws(TransportError) { try await send(bytes, after: []) }

    func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError) {
        do throws(KernelError) { try await socket.write(bytes, after: head) } catch { throw .closed }
    }

    /// As `HijackedConnection.send(from:)`.
    func send(from pipe: Descriptor) async throws(TransportError) -> Int? {
        do throws(KernelError) { return try await socket.write(from: pipe, upTo: Self.pipeBytes) } catch {
            throw .closed
        }
    }

    /// As much as a pipe holds, or more.
    private static let pipeBytes = 512 << 10

    func onReadingThread(_ body: () async -> Void) async { await AsyncSocket.onWaitingThread(body) }

    func closeOutput() async {
        // Closed by the server already: there is nobody left to tell.
        try? socket.closeOutput()
    }

    func close() async { abandon() }

    /// As `HijackedConnection.part`.
    func part(within limit: Duration) async {
        let deadline = SocketDeadlines.shared.close(socket, in: limit)
        // However it ends, nobody waits for more.
        while let bytes = try? await socket.read(upTo: Self.forgottenBytes), !bytes.isEmpty {}
        SocketDeadlines.shared.lift(deadline)
        abandon()
    }

    /// Of what is read for nobody, at a time.
    private static let forgottenBytes = 4096

    /// A duplicate of the socket; nil where bytes wait here that came before what lies in it, or it is closed.
    func lend() -> Descriptor? {
        early.withLock({ $0.isEmpty }) ? lendForOutput() : nil
    }

    /// A duplicate of the socket; nil where it is closed.
    func lendForOutput() -> Descriptor? {
        isLent.withLock { $0 = true }
        // One that is closed has nothing to be lent.
        return try? socket.duplicate()
    }

    func abandon() {
        // Else it stays open for as long as the other has it.
        if isLent.withLock({ $0 }) { socket.cut() }
        socket.close()
        let tell = whenClosed.withLock { whenClosed in
            defer { whenClosed = nil }
            return whenClosed
        }
        tell?()
    }
}

extension HijackedConnection {
    /// The connection's frames, where its bytes come straight from a socket; nil where they do not: they are read by
    /// `read` then. Who reads frames reads nothing else.
    ///
    /// - Parameters: as of `FrameSource`.
    package func frames(
        headSize: Int, bodySize: @escaping @Sendable (_ head: [UInt8]) -> Int?
    ) -> FrameSource? {
        guard let wire = wire as? SocketWire else { return nil }
        return FrameSource(wire.socket, headSize: headSize, after: wire.takeEarly(), bodySize: bodySize)
    }
}
