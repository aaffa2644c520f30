import Glibc
import Linux

/// Bytes between a thread that blocks, as reading and writing archives does, and tasks that must not: by a pair of
/// sockets, whose buffer in the kernel holds the faster side back.
package enum ByteBridge {
    /// What `produce` writes to its descriptor, by `sendAll`; it runs at once, on a thread that may block. A source that
    /// nobody keeps ends the production with EPIPE.
    package static func produced(
        _ produce: @escaping @Sendable (Descriptor) throws -> Void
    ) throws(KernelError) -> ByteSource {
        let (near, far) = try pair()
        let work = Task { () -> (any Error)? in await run(produce, on: far) }
        return ByteSource(socket: near, work: work)
    }

    /// Lets `consume` read from its descriptor what `next` gives until that gives nil; returns when both are done.
    ///
    /// - Throws: what `next` threw of itself, for it is the reason of what the consumer finds wrong then; else what
    ///   `consume` threw.
    package static func consumed(
        _ next: @escaping @Sendable () async throws -> [UInt8]?,
        by consume: @escaping @Sendable (Descriptor) throws -> Void
    ) async throws {
        let (near, far) = try pair()
        let pump = Task { () -> (any Error)? in
            defer { near.close() }
            do {
                while let bytes = try await next() {
                    // A consumer that has had enough says itself why.
                    do { try await near.write(bytes) } catch { return nil }
                }
                return nil
            } catch {
                // Ended because the consumer has failed, whatever words `next` has for that.
                return Task.isCancelled ? nil : error
            }
        }
        let failure = await run(consume, on: far)
        if failure != nil {
            near.close()
            pump.cancel()
        }
        if let broken = await pump.value { throw broken }
        if let failure { throw failure }
    }

    /// Runs `body`, and closes its descriptor, on a thread of its own: one waits for its peer as long as that likes, and
    /// nobody else's transfer waits behind it. Where the system has no thread left, that is the failure.
    private static func run(
        _ body: @escaping @Sendable (Descriptor) throws -> Void, on far: Descriptor
    ) async -> (any Error)? {
        await withCheckedContinuation { continuation in
            let isStarted = startThread {
                let result = Result { try body(far) }
                far.close()
                switch result {
                case .success: continuation.resume(returning: nil)
                case .failure(let error): continuation.resume(returning: error)
                }
            }
            guard !isStarted else { return }
            far.close()
            continuation.resume(returning: KernelError("start a thread for", "a transfer", .wouldBlock))
        }
    }

    private static func pair() throws(KernelError) -> (AsyncSocket, Descriptor) {
        let (near, far) = try UnixSocket.pair()
        do throws(KernelError) { return (try AsyncSocket(near), far) } catch {
            near.close()
            far.close()
            throw error
        }
    }
}

/// Bytes that a thread makes as they are pulled. One reader at a time.
package final class ByteSource: Sendable {
    private let socket: AsyncSocket
    private let work: Task<(any Error)?, Never>

    fileprivate init(socket: AsyncSocket, work: Task<(any Error)?, Never>) {
        self.socket = socket
        self.work = work
    }

    deinit { socket.close() }

    /// The next bytes; nil at the end. Throws what the production threw.
    package func next() async throws -> [UInt8]? {
        let bytes = try await socket.read(upTo: 1 << 17)
        if !bytes.isEmpty { return bytes }
        if let failure = await work.value { throw failure }
        return nil
    }
}

extension Descriptor {
    /// Writes all of it to a socket, without SIGPIPE where its reader has gone.
    package func sendAll(_ bytes: [UInt8]) throws(KernelError) {
        var offset = 0
        while offset < bytes.count { offset += try UnixSocket.send(self, bytes, from: offset) }
    }
}
