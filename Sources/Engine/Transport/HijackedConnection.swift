import Linux
import NIOCore

/// A connection that HTTP has given up: raw bytes in both directions.
///
/// One task reads, one writes; several write only where a server's handler has asked for that. Dropping the last
/// reference closes it.
package final class HijackedConnection: Sendable {
    let wire: any RawWire

    init(_ wire: any RawWire) { self.wire = wire }

    deinit { wire.abandon() }

    /// The next bytes of the peer; nil when it sends no more. A server's throws `closed` where the client is gone.
    package func read() async throws(TransportError) -> [UInt8]? { try await wire.read() }

    /// As `read`, where a connection whose reader is cancelled is of no further use: it is closed then.
    package func readUntilCancelled() async throws(TransportError) -> [UInt8]? {
        let wire = wire
        let outcome: Result<[UInt8]?, TransportError> = await withTaskCancellationHandler {
            do throws(TransportError) { return .success(try await wire.read()) } catch { return .failure(error) }
        } onCancel: {
            wire.abandon()
        }
        return try outcome.get()
    }

    /// Returns when the kernel has taken all of it, so a peer that does not read holds the writer back.
    package func write(_ bytes: [UInt8]) async throws(TransportError) { try await wire.write(bytes) }

    /// As `write`, of `head` and `bytes` as one, for a stream of much: from where they lie to the kernel. No other task
    /// ever writes meanwhile.
    package func send(_ bytes: [UInt8], after head: [UInt8] = []) async throws(TransportError) {
        try await wire.send(bytes, after: head)
    }

    /// As `send`, of what lies in a pipe now, and without a copy. Only of a connection that `isPlain`.
    ///
    /// - Returns: how many bytes have gone, 0 at the pipe's end; nil where nothing lies in it.
    package func send(from pipe: Descriptor) async throws(TransportError) -> Int? {
        guard let wire = wire as? SocketWire else { throw .malformed("bytes of a pipe, past what lies between") }
        return try await wire.send(from: pipe)
    }

    /// There is nothing between here and the peer but a socket.
    package var isPlain: Bool { wire is SocketWire }

    /// A duplicate of the socket by which the peer's bytes come as they are, for another to read them, which nobody does here
    /// then; nil where there is no such socket. Who gets it closes it; the connection ends by `close` in any case.
    package func lend() -> Descriptor? { (wire as? SocketWire)?.lend() }

    /// As `lend`, for another to write what the peer is to get, while nobody writes here.
    package func lendForOutput() -> Descriptor? { (wire as? SocketWire)?.lendForOutput() }

    /// Runs `body` on the thread that brings what the peer sends: between a piece's arrival and what is done about it there
    /// is no change of threads. `body` passes bytes on and nothing else: it never blocks.
    package func onReadingThread(_ body: () async -> Void) async { await wire.onReadingThread(body) }

    /// Tells the peer that no more comes; reading goes on.
    package func closeOutput() async { await wire.closeOutput() }

    package func close() async { await wire.close() }

    /// Reads and forgets until the peer has closed its side, or the time is over, and closes: by the calling task
    /// alone, with no timer of its own. False, and nothing is done, of one that is not plain.
    package func part(within limit: Duration) async -> Bool {
        guard let wire = wire as? SocketWire else { return false }
        await wire.part(within: limit)
        return true
    }
}

/// What carries the bytes of a connection that was given up.
protocol RawWire: Sendable {
    func read() async throws(TransportError) -> [UInt8]?
    func write(_ bytes: [UInt8]) async throws(TransportError)
    func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError)
    func onReadingThread(_ body: () async -> Void) async
    func closeOutput() async
    func close() async
    /// As `close`, without waiting for it.
    func abandon()
}

extension EventLoopFuture where Value: Sendable {
    /// `get()`, with the transport's own errors.
    func value() async throws(TransportError) -> Value {
        do {
            return try await get()
        } catch let error as TransportError {
            throw error
        } catch {
            throw TransportError(error)
        }
    }
}
