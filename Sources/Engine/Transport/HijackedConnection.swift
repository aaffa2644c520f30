import NIOCore

/// A connection that HTTP has given up: raw bytes in both directions.
///
/// One task reads, one writes. Dropping the last reference closes it.
package final class HijackedConnection: Sendable {
    let channel: any Channel
    private let take: HTTPBody.Source
    private let put: @Sendable (ByteBuffer) -> EventLoopFuture<Void>
    private let tellsGoneFromDone: Bool

    /// - Parameter tellsGoneFromDone: for a server: a client that went away is not one that ended its input. For a
    ///   client both are the end of what the server has to say.
    init(
        _ channel: any Channel, tellsGoneFromDone: Bool, take: @escaping HTTPBody.Source,
        put: @escaping @Sendable (ByteBuffer) -> EventLoopFuture<Void>
    ) {
        self.channel = channel
        self.tellsGoneFromDone = tellsGoneFromDone
        self.take = take
        self.put = put
    }

    deinit { channel.close(promise: nil) }

    /// The next bytes of the peer; nil when it sends no more. A server's throws `closed` where the client is gone.
    package func read() async throws(TransportError) -> [UInt8]? {
        if let bytes = try await take() { return bytes }
        guard tellsGoneFromDone else { return nil }
        // A Unix peer that is gone looks, for the rest of this turn of the event loop, like one that only stopped
        // sending; after it the channel is closed.
        let channel = channel
        let isOpen = try await channel.eventLoop.submit { channel.isActive }.value()
        guard isOpen else { throw .closed }
        return nil
    }

    /// As `read`, where a connection whose reader is cancelled is of no further use: it is closed then.
    package func readUntilCancelled() async throws(TransportError) -> [UInt8]? {
        let channel = channel
        let outcome: Result<[UInt8]?, TransportError> = await withTaskCancellationHandler {
            do throws(TransportError) { return .success(try await read()) } catch { return .failure(error) }
        } onCancel: {
            channel.close(promise: nil)
        }
        return try outcome.get()
    }

    /// Returns when the kernel has taken all of it, so a peer that does not read holds the writer back.
    package func write(_ bytes: [UInt8]) async throws(TransportError) {
        try await put(ByteBuffer(bytes: bytes)).value()
    }

    /// Tells the peer that no more comes; reading goes on.
    package func closeOutput() async {
        // Closed by the peer already: there is nobody left to tell.
        try? await channel.close(mode: .output).value()
    }

    package func close() async {
        // An error here says that it is closed already.
        try? await channel.close().value()
    }
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
