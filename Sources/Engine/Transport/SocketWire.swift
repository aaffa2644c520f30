import AsyncIO
import Linux
import Synchronization

/// A client's connection to a local server, given up to bytes: no event loop is between them and who reads.
final class SocketWire: RawWire {
    let socket: AsyncSocket
    /// What came together with the answer's head.
    private let early: Mutex<[UInt8]>

    init(_ socket: AsyncSocket, early: [UInt8]) {
        self.socket = socket
        self.early = Mutex(early)
    }

    func read() async throws(TransportError) -> [UInt8]? {
        let early = takeEarly()
        if !early.isEmpty { return early }
        do throws(KernelError) {
            let bytes = try await socket.read()
            return bytes.isEmpty ? nil : bytes
        } catch { throw .closed }
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

    func onReadingThread(_ body: () async -> Void) async { await AsyncSocket.onWaitingThread(body) }

    func closeOutput() async {
        // Closed by the server already: there is nobody left to tell.
        try? socket.closeOutput()
    }

    func close() async { socket.close() }

    func abandon() { socket.close() }
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
