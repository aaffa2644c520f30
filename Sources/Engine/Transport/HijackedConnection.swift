import NIOCore

/// A connection that HTTP has given up: raw bytes in both directions.
///
/// One task reads, one writes. Dropping the last reference closes it.
package final class HijackedConnection: Sendable {
    private let channel: any Channel
    private let take: HTTPBody.Source
    private let put: @Sendable (ByteBuffer) -> EventLoopFuture<Void>

    init(
        _ channel: any Channel, take: @escaping HTTPBody.Source,
        put: @escaping @Sendable (ByteBuffer) -> EventLoopFuture<Void>
    ) {
        self.channel = channel
        self.take = take
        self.put = put
    }

    deinit { channel.close(promise: nil) }

    /// The next bytes of the peer; nil when it sends no more (it may still read).
    package func read() async throws(TransportError) -> [UInt8]? { try await take() }

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
