import Content
import OCI
import Synchronization
import Testing

@testable import Registry

/// Uploads in chunks, to registries that say odd things about what they have.
@Suite(.timeLimit(.minutes(1))) struct UploadTests {
    private static let chunkBytes: Int64 = 4 << 20

    /// - Parameter answer: to a chunk, by its first byte and how many came before it: what is in `Range`.
    private func upload(
        chunks: Int64, _ answer: @escaping @Sendable (Int64, Int) -> String?
    ) async throws -> (UploadResult, chunks: [Int64]) {
        let offsets = Mutex<[Int64]>([])
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            let location = ("Location", "/v2/app/blobs/uploads/1")
            switch request.method {
            case "HEAD": return .init(404)
            case "POST": return .init(202, [location])
            case "PATCH":
                let first = Int64((request.field("Content-Range") ?? "").prefix { $0 != "-" }) ?? -1
                let count = offsets.withLock { offsets in
                    offsets.append(first)
                    return offsets.count
                }
                return .init(202, [location] + (answer(first, count - 1).map { [("Range", $0)] } ?? []))
            // What it has, where it is asked after a break: all of the chunks that it took.
            case "GET": return .init(204, [location, ("Range", "0-0")])
            default: return .init(201)
            }
        }
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        configuration.uploadChunkBytes = Self.chunkBytes
        let client = RegistryClient(
            transport: transport, configuration: configuration, clock: RecordingClock(), chance: { 1 })
        let session = RegistrySession(
            client, try Reference("registry.example/app:1"), purpose: .push, credentials: nil)
        let blob = BlobSource(digest: .sha256(of: [1]), sizeBytes: chunks * Self.chunkBytes) { _, _ in { nil } }
        let result = try await session.upload(blob) { _ in }
        return (result, offsets.withLock { $0 })
    }

    @Test("A registry that takes the chunks is sent each once, and goes on from where it says to be")
    func chunks() async throws {
        let plain = try await upload(chunks: 3) { _, _ in nil }
        #expect(plain.0 == .uploaded)
        #expect(plain.chunks == [0, 1, 2].map { $0 * Self.chunkBytes })
        // Of the first it kept a half alone.
        let half = try await upload(chunks: 2) { first, count in
            count == 0 ? "0-\(Self.chunkBytes / 2 - 1)" : "0-\(min(first + Self.chunkBytes, Self.chunkBytes * 2) - 1)"
        }
        #expect(half.chunks == [0, Self.chunkBytes / 2, Self.chunkBytes / 2 * 3])
    }

    @Test(
        "A registry that says to have what it was not sent is refused in words",
        arguments: ["0-9223372036854775807", "0-9223372036854775806", "0-\(4 << 20)"])
    func tooMuch(range: String) async throws {
        let error = await #expect(throws: RegistryError.self) { try await upload(chunks: 3) { _, _ in range } }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("bytes that it was not sent: \(range)") == true, "\(error?.message ?? "")")
    }

    @Test("A registry that never has more than nothing is given up, also where it takes chunk after chunk")
    func nothing() async throws {
        let asked = Mutex(0)
        let error = await #expect(throws: RegistryError.self) {
            try await upload(chunks: 3) { _, _ in
                asked.withLock { $0 += 1 }
                return "0-0"
            }
        }
        #expect(error?.kind == .unavailable)
        // One that forgets what it has only after a while gets on as little.
        let forgetful = await #expect(throws: RegistryError.self) {
            try await upload(chunks: 3) { first, _ in
                asked.withLock { $0 += 1 }
                return first == 0 ? nil : "0-0"
            }
        }
        #expect(forgetful?.kind == .unavailable)
        #expect(asked.withLock { $0 } < 200)
    }
}
