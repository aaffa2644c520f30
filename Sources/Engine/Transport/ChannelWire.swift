import AsyncIO
import Linux
import NIOCore
import Synchronization

/// A connection of an event loop's, given up to bytes.
///
/// The loop tells of the peer and brings what it sends. What is sent to it in quantity passes by the loop: each piece
/// would be copied for it, and change threads there and back.
final class ChannelWire: RawWire {
    let channel: any Channel
    private let take: HTTPBody.Source
    private let put: @Sendable (ByteBuffer) -> EventLoopFuture<Void>
    private let tellsGoneFromDone: Bool
    private let output = Mutex(Output.untried)

    private enum Output {
        case untried
        /// There is a TLS layer, or no descriptor left.
        case none
        case socket(AsyncSocket)
    }

    /// Less is not worth a descriptor.
    private static let quantityBytes = 8 << 10

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

    func read() async throws(TransportError) -> [UInt8]? {
        if let bytes = try await take() { return bytes }
        guard tellsGoneFromDone else { return nil }
        // A Unix peer that is gone looks, for the rest of this turn of the event loop, like one that only stopped
        // sending; after it the channel is closed.
        let channel = channel
        let isOpen = try await channel.eventLoop.submit { channel.isActive }.value()
        guard isOpen else { throw .closed }
        return nil
    }

    func write(_ bytes: [UInt8]) async throws(TransportError) { try await put(ByteBuffer(bytes: bytes)).value() }

    func send(_ bytes: [UInt8], after head: [UInt8]) async throws(TransportError) {
        guard let socket = try await socket(for: bytes.count) else {
            var buffer = ByteBuffer()
            buffer.reserveCapacity(head.count + bytes.count)
            buffer.writeBytes(head)
            buffer.writeBytes(bytes)
            return try await put(buffer).value()
        }
        do throws(KernelError) { try await socket.write(bytes, after: head) } catch { throw .closed }
    }

    func onReadingThread(_ body: () async -> Void) async {
        await withTaskExecutorPreference(LoopExecutor(channel.eventLoop)) { await body() }
    }

    func closeOutput() async {
        // Closed by the peer already: there is nobody left to tell.
        try? await channel.close(mode: .output).value()
    }

    func close() async {
        closeSocket()
        // An error here says that it is closed already.
        try? await channel.close().value()
    }

    func abandon() {
        closeSocket()
        channel.close(promise: nil)
    }

    private func closeSocket() {
        let socket = output.withLock { output -> AsyncSocket? in
            defer { output = .none }
            if case .socket(let socket) = output { return socket }
            return nil
        }
        socket?.close()
    }

    /// A duplicate of the channel's descriptor, made at the first large piece; the channel has sent all that came before.
    private func socket(for byteCount: Int) async throws(TransportError) -> AsyncSocket? {
        switch output.withLock({ $0 }) {
        case .socket(let socket): return socket
        case .none: return nil
        case .untried: break
        }
        guard byteCount >= Self.quantityBytes else { return nil }
        let channel = channel
        let copy = try await channel.eventLoop.submit { PlainSocket.duplicate(of: channel) }.value()
        let isWanted = output.withLock { output in
            // Closed meanwhile: a duplicate would keep the peer from seeing that.
            guard case .untried = output else { return false }
            output = copy.map(Output.socket) ?? .none
            return true
        }
        if !isWanted { copy?.close() }
        return isWanted ? copy : nil
    }
}
