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

    /// The addresses of the requests of an upload in two chunks, to a registry that names these places for it.
    private func addresses(began: String, went: String) async throws -> [String] {
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            switch request.method {
            case "HEAD": .init(404)
            case "POST": .init(202, [("Location", began)])
            case "PATCH": .init(202, [("Location", went)])
            default: .init(201)
            }
        }
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        configuration.uploadChunkBytes = 4
        let client = RegistryClient(transport: transport, configuration: configuration, clock: RecordingClock())
        let session = RegistrySession(
            client, try Reference("registry.example/app:1"), purpose: .push, credentials: nil)
        let blob = BlobSource(digest: .sha256(of: [1]), sizeBytes: 8) { _, _ in { nil } }
        do throws(RegistryError) { _ = try await session.upload(blob) { _ in } } catch {
            #expect(error.kind == .denied && error.message.contains("from https to http"), "\(error)")
        }
        return transport.requests.dropFirst(2).map { "\($0.method) \($0.address.bare)" }
    }

    @Test("A layer on its way to a registry behind TLS goes nowhere in the clear")
    func neverInTheClear() async throws {
        let (home, storage) = ("https://registry.example/u", "https://storage.example/u")
        #expect(try await addresses(began: "http://storage.example/u", went: storage) == [])
        #expect(try await addresses(began: storage, went: "http://storage.example:8080/u") == ["PATCH \(storage)"])
        #expect(try await addresses(began: "http://registry.example:5000/u", went: home) == [])
        // One that does not know of the proxy before it.
        let own = try await addresses(began: "http://registry.example/u", went: "http://registry.example:443/u")
        #expect(own == ["PATCH \(home)", "PATCH \(home)", "PUT \(home)"])
        let all = try await addresses(began: "/u", went: storage)
        #expect(all == ["PATCH \(home)", "PATCH \(storage)", "PUT \(storage)"])
    }

    /// What a registry that answers so to `PATCH` and to `PUT` with a body was asked for a blob of 8 bytes.
    private func ways(
        chunk: Int, whole: Int, chunkBytes: Int64, shortest: Int64? = nil
    ) async throws -> (lines: [String], error: RegistryError?) {
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            let location = ("Location", "/u")
            switch request.method {
            case "HEAD": return .init(404)
            case "POST": return .init(202, [location] + (shortest.map { [("OCI-Chunk-Min-Length", "\($0)")] } ?? []))
            case "PATCH": return .init(chunk, [location])
            default:
                guard case .stream = request.body else { return .init(201) }
                return .init(whole)
            }
        }
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        configuration.uploadChunkBytes = chunkBytes
        let client = RegistryClient(transport: transport, configuration: configuration, clock: RecordingClock())
        let session = RegistrySession(
            client, try Reference("registry.example/app:1"), purpose: .push, credentials: nil)
        let blob = BlobSource(digest: .sha256(of: [1]), sizeBytes: 8) { _, _ in { nil } }
        var failure: RegistryError?
        do throws(RegistryError) { #expect(try await session.upload(blob) { _ in } == .uploaded) } catch {
            failure = error
        }
        let lines = transport.requests.dropFirst().map { request in
            let range = request.field("Content-Range").map { " \($0)" } ?? ""
            guard case .stream(let length, _) = request.body else { return request.method + range }
            return "\(request.method)\(range) \(length)"
        }
        return (lines, failure)
    }

    @Test("A registry that does not take a blob in chunks, or not at once, is given it the other way")
    func otherWay() async throws {
        for status in [400, 404, 405, 416, 501] {
            let whole = try await ways(chunk: status, whole: 201, chunkBytes: 4)
            #expect(whole.error == nil && whole.lines == ["POST", "PATCH 0-3 4", "POST", "PUT 8"])
        }
        for status in [405, 411, 413] {
            let chunked = try await ways(chunk: 202, whole: status, chunkBytes: 32)
            #expect(chunked.error == nil && chunked.lines == ["POST", "PUT 8", "POST", "PATCH 0-7 8", "PUT"])
        }
        let neither = try await ways(chunk: 405, whole: 413, chunkBytes: 4)
        #expect(neither.lines == ["POST", "PATCH 0-3 4", "POST", "PUT 8"])
        #expect(neither.error?.message.contains("405") == true, "\(String(describing: neither.error))")
        let denied = try await ways(chunk: 403, whole: 201, chunkBytes: 4)
        #expect(denied.error?.kind == .denied && denied.lines == ["POST", "PATCH 0-3 4"])
    }

    @Test("Chunks are as long as the registry wants them at least")
    func shortestChunk() async throws {
        let longer = try await ways(chunk: 202, whole: 201, chunkBytes: 2, shortest: 5)
        #expect(longer.lines == ["POST", "PATCH 0-4 5", "PATCH 5-7 3", "PUT"])
        let once = try await ways(chunk: 202, whole: 201, chunkBytes: 2, shortest: 100)
        #expect(once.lines == ["POST", "PUT 8"])
    }

    @Test("An upload whose registry says when to come again waits that long, and sends the same again")
    func comeAgain() async throws {
        let clock = RecordingClock()
        let count = Mutex(0)
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            switch request.method {
            case "HEAD": return .init(404)
            case "POST": return .init(202, [("Location", "/u")])
            default:
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                if number == 1 { return .init(429, [("Retry-After", "7")]) }
                if number == 2 { return .init(503, [("Retry-After", "11")]) }
                return .init(201)
            }
        }
        let client = RegistryClient(transport: transport, clock: clock, chance: { 1 })
        let session = RegistrySession(
            client, try Reference("registry.example/app:1"), purpose: .push, credentials: nil)
        let blob = BlobSource(digest: .sha256(of: [1]), sizeBytes: 8) { _, _ in { nil } }
        #expect(try await session.upload(blob) { _ in } == .uploaded)
        #expect(clock.waits == [.seconds(7), .seconds(11)])
        #expect(transport.requests.map(\.method) == ["HEAD", "POST", "PUT", "PUT", "PUT"])
    }

    /// An upload to a registry of this machine, which is asked by TLS first and then in the clear, where it answers
    /// `PATCH` as given.
    private func uploadInTheClear(
        _ patch: @escaping @Sendable (Int) throws(WebFailure) -> ScriptedTransport.Answer
    ) async throws -> (transport: ScriptedTransport, error: RegistryError?) {
        let patches = Mutex(0)
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            guard request.address.origin.scheme == .http else { throw .untrusted("not TLS") }
            switch request.method {
            case "HEAD": return .init(404)
            case "POST": return .init(202, [("Location", "/u")])
            case "PATCH":
                let count = patches.withLock { count in
                    count += 1
                    return count
                }
                return try patch(count)
            case "GET": return .init(204, [("Range", "0--1")])
            default: return .init(201)
            }
        }
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        configuration.uploadChunkBytes = 4
        let client = RegistryClient(transport: transport, configuration: configuration, clock: RecordingClock())
        let session = RegistrySession(
            client, try Reference("localhost:5000/app:1"), purpose: .push, credentials: nil)
        let blob = BlobSource(digest: .sha256(of: [1]), sizeBytes: 8) { _, _ in { nil } }
        do throws(RegistryError) { _ = try await session.upload(blob) { _ in } } catch { return (transport, error) }
        return (transport, nil)
    }

    @Test("A chunk that is lost with its connection is sent again from where the registry says to be: nowhere")
    func lostChunk() async throws {
        let (transport, error) = try await uploadInTheClear { (count) throws(WebFailure) in
            if count == 1 { throw .closed }
            return .init(202)
        }
        #expect(error == nil)
        #expect(transport.requests.compactMap { $0.field("Content-Range") } == ["0-3", "0-3", "4-7"])
    }

    @Test("A place that has answered is the registry's only one: its failure is told, and not that of the other")
    func onlyPlace() async throws {
        let (transport, error) = try await uploadInTheClear { (_) throws(WebFailure) in .init(500) }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("answered with status 500") == true, "\(error?.message ?? "")")
        #expect(transport.requests.filter { $0.address.origin.scheme == .https }.count == 1)
    }
}
