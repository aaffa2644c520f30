import NIOCore
import NIOHTTP1
import Synchronization

/// The rest of an exchange, after the answer's head: its connection goes back to the client once, or is closed.
final class ClientExchange: Sendable {
    private let link: ClientLink
    private let upload: Upload?
    private let whenDone: @Sendable () -> Void
    private let isDone = Atomic<Bool>(false)

    init(_ link: ClientLink, _ upload: Upload?, whenDone: @escaping @Sendable () -> Void) {
        self.link = link
        self.upload = upload
        self.whenDone = whenDone
    }

    /// The next bytes of the answer's body.
    func next() async throws(TransportError) -> [UInt8]? {
        if isDone.load(ordering: .acquiring) { return nil }
        do throws(TransportError) {
            guard case .bytes(let bytes) = try await link.take() else {
                if !isDone.exchange(true, ordering: .acquiringAndReleasing) { whenDone() }
                return nil
            }
            return bytes
        } catch {
            throw await upload?.failure ?? error
        }
    }

    func abandon() {
        upload?.cancel()
        if !isDone.exchange(true, ordering: .acquiringAndReleasing) { link.close() }
    }
}

/// A request's body on its way, piece by piece.
final class Upload: Sendable {
    private let task: Task<TransportError?, Never>

    /// - Parameter lengthBytes: how many bytes were announced; nil for a chunked body.
    init(_ next: @escaping @Sendable () async throws -> [UInt8]?, lengthBytes: Int64?, to link: ClientLink) {
        task = Task { await Self.pour(next, lengthBytes, into: link) }
    }

    deinit { task.cancel() }

    func cancel() { task.cancel() }

    /// Why the body could not be read; nil where it could, or where the server took no more of it. Only after the
    /// connection has closed.
    var failure: TransportError? {
        get async {
            task.cancel()
            return await task.value
        }
    }

    private static func pour(
        _ next: @Sendable () async throws -> [UInt8]?, _ lengthBytes: Int64?, into link: ClientLink
    ) async -> TransportError? {
        do {
            var sentBytes: Int64 = 0
            while let bytes = try await next() {
                if bytes.isEmpty { continue }
                try await link.write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
                sentBytes += Int64(bytes.count)
                try await link.noteActivity()
            }
            if let lengthBytes, lengthBytes != sentBytes { throw WrongLength(announced: lengthBytes, found: sentBytes) }
            try await link.write(.end(nil))
            return nil
        } catch is CancellationError {
            return nil
        } catch is TransportError {
            // A server that refuses a body may answer before it has read all: the answer says why.
            return nil
        } catch {
            link.close()
            return .malformed("the request's body cannot be read: \(error)")
        }
    }
}

private struct WrongLength: Error, CustomStringConvertible {
    let announced: Int64
    let found: Int64

    var description: String { "\(found) bytes where \(announced) were announced" }
}
