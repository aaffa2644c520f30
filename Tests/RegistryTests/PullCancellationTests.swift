import EngineAPI
import ImageFixtures
import Images
import OCI
import Synchronization
import Testing

@testable import Registry

/// A pull that nobody waits for any more ends, whoever it waits for itself.
@Suite(.timeLimit(.minutes(1))) struct PullCancellationTests {
    @Test("A pull that waits for another's layer ends when it is cancelled, and asks for nothing")
    func waitingPull() async throws {
        var tar = TarBytes()
        tar.file("x", "x")
        var builder = ArchiveBuilder()
        builder.layer(tar.finished)
        let transport = StallingTransport(builder)
        let client = RegistryClient(transport: transport, clock: RecordingClock())
        let session = RegistrySession(
            client, try Reference("registry.example/app:1"), purpose: .pull, credentials: nil)
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let first = Task { _ = try await store.pull(session, platform: nil) { _ in } }
        await transport.isStalling()
        let announced = AsyncStream<Void>.makeStream()
        let second = Task {
            try await store.pull(session, platform: nil) { step in
                if case .layer(_, .waiting) = step { announced.continuation.yield() }
            }
        }
        for await _ in announced.stream { break }
        second.cancel()
        let error = await #expect(throws: EngineError.self) { _ = try await second.value }
        #expect(error?.kind == .cancelled)
        #expect(transport.layerRequests == 1)
        first.cancel()
        await #expect(throws: EngineError.self) { try await first.value }
    }
}

/// Serves an image, but not a byte of its layer.
private final class StallingTransport: WebTransport {
    private let builder: ArchiveBuilder
    private let requests = Mutex(0)
    private let stalling = AsyncStream<Void>.makeStream()

    init(_ builder: ArchiveBuilder) { self.builder = builder }

    var layerRequests: Int { requests.withLock { $0 } }

    func isStalling() async { for await _ in stalling.stream { return } }

    func send(_ request: WebRequest) async throws(WebFailure) -> WebResponse {
        if request.address.target.contains("/manifests/") {
            return answer(builder.manifestBytes, [WebField("Content-Type", ImageMediaType.manifest)])
        }
        if request.address.target.hasSuffix(builder.id.hex) { return answer(builder.configBytes, []) }
        requests.withLock { $0 += 1 }
        stalling.continuation.yield()
        return WebResponse(status: 200, fields: []) { () throws(WebFailure) in
            // Ends with the task that reads.
            try? await Task.sleep(for: .seconds(3600))
            throw .cancelled
        }
    }

    private func answer(_ bytes: [UInt8], _ fields: [WebField]) -> WebResponse {
        let left = AnswerBytes(bytes)
        return WebResponse(status: 200, fields: fields) { () throws(WebFailure) in left.take() }
    }
}

private final class AnswerBytes: Sendable {
    private let bytes: Mutex<[UInt8]?>

    init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }

    func take() -> [UInt8]? { bytes.withLock { $0.take() } }
}
