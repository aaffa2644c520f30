import Content
import OCI
import Registry
import Synchronization

/// Answers by a function, and remembers what was asked.
final class ScriptedTransport: WebTransport {
    struct Answer: Sendable {
        var status = 200
        var fields: [WebField] = []
        var pieces: [[UInt8]] = []
        /// Comes after the pieces.
        var failure: WebFailure?

        init(_ status: Int, _ fields: [(String, String)] = [], _ text: String = "", failure: WebFailure? = nil) {
            self.status = status
            self.fields = fields.map { WebField($0.0, $0.1) }
            pieces = text.isEmpty ? [] : [Array(text.utf8)]
            self.failure = failure
        }
    }

    private let answer: @Sendable (WebRequest, Int) throws(WebFailure) -> Answer
    private let asked = Mutex<[WebRequest]>([])

    /// - Parameter answer: gets the request and how many came before it.
    init(_ answer: @escaping @Sendable (WebRequest, Int) throws(WebFailure) -> Answer) { self.answer = answer }

    var requests: [WebRequest] { asked.withLock { $0 } }
    var lines: [String] { requests.map { "\($0.method) \($0.address)" } }

    func send(_ request: WebRequest) async throws(WebFailure) -> WebResponse {
        let count = asked.withLock { asked in
            asked.append(request)
            return asked.count - 1
        }
        let answer = try answer(request, count)
        let left = Mutexed(answer.pieces)
        return WebResponse(status: answer.status, fields: answer.fields) { () throws(WebFailure) in
            if let piece = left.value.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return piece }
            if let failure = answer.failure { throw failure }
            return nil
        }
    }
}

private final class Mutexed: Sendable {
    let value: Mutex<[[UInt8]]>
    init(_ value: [[UInt8]]) { self.value = Mutex(value) }
}

extension WebRequest {
    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// A clock on which waiting takes no time and is remembered.
final class RecordingClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private let slept = Mutex<[Duration]>([])

    var waits: [Duration] { slept.withLock { $0 } }
    let now = ContinuousClock.now
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        let wait = deadline - now
        slept.withLock { $0.append(wait) }
    }
}

/// Keeps what is written.
final class MemorySink: BlobSink {
    private let held = Mutex<[UInt8]>([])

    var bytes: [UInt8] { held.withLock { $0 } }
    var sizeBytes: Int64 { Int64(bytes.count) }
    func write(_ bytes: [UInt8]) async throws { held.withLock { $0 += bytes } }
    func startAnew() async throws { held.withLock { $0 = [] } }

    func finish(_ blob: ContentDescriptor) async throws(ContentError) {
        let found = Digest(of: bytes, blob.digest.algorithm)
        guard found == blob.digest else { throw .wrongDigest(expected: blob.digest, found: found) }
    }
}
