import Content
import ImageFixtures
import JSON
import Linux
import OCI
import PeerRegistry
import SeededNumbers
import Testing

@testable import Registry
@testable import Web

/// Against Debian's docker-registry.
@Suite(.disabled(if: RegistryProcess.isMissing, "docker-registry is not installed"))
struct DockerRegistryTests {
    private func client(
        _ registry: RegistryProcess, _ change: (inout RegistryConfiguration.Entry) -> Void = { _ in }
    ) -> RegistryClient {
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        var entry = RegistryConfiguration.Entry()
        change(&entry)
        configuration.registries[registry.host] = entry
        configuration.attempts = 2
        return RegistryClient(transport: SocketTransport(), configuration: configuration)
    }

    private func session(
        _ client: RegistryClient, _ name: String, _ purpose: RegistrySession.Purpose,
        _ credentials: RegistryCredentials? = nil
    ) throws -> RegistrySession {
        RegistrySession(client, try Reference(name), purpose: purpose, credentials: credentials)
    }

    private static func source(_ bytes: [UInt8]) -> BlobSource {
        BlobSource(digest: .sha256(of: bytes), sizeBytes: Int64(bytes.count)) { offset, length in
            let pieces = PieceReader(Array(bytes[Int(offset)..<Int(offset + length)]))
            return { await pieces.next() }
        }
    }

    private actor PieceReader {
        private var rest: ArraySlice<UInt8>
        init(_ bytes: [UInt8]) { rest = bytes[...] }

        func next() -> [UInt8]? {
            let piece = rest.prefix(300_000)
            rest = rest.dropFirst(piece.count)
            return piece.isEmpty ? nil : Array(piece)
        }
    }

    /// Pushes a layer and a configuration with a manifest, and pulls them again.
    private func roundTrip(
        _ client: RegistryClient, _ host: String, layer: [UInt8], _ credentials: RegistryCredentials? = nil
    ) async throws {
        let push = try session(client, "\(host)/test/app:1", .push, credentials)
        let config = Array(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
        #expect(try await push.upload(Self.source(layer)) { _ in } == .uploaded)
        #expect(try await push.upload(Self.source(config)) { _ in } == .uploaded)
        #expect(try await push.upload(Self.source(layer)) { _ in } == .existed)
        var manifest = ImageManifest(
            config: ContentDescriptor(
                mediaType: ImageMediaType.config, digest: .sha256(of: config), sizeBytes: Int64(config.count)),
            layers: [
                ContentDescriptor(
                    mediaType: ImageMediaType.layer, digest: .sha256(of: layer), sizeBytes: Int64(layer.count))
            ])
        manifest.mediaType = ImageMediaType.manifest
        let bytes = manifest.json.compactBytes
        let put = try await push.put(bytes, mediaType: ImageMediaType.manifest, as: "1")
        #expect(put == .sha256(of: bytes))

        for tag in ["2", "3"] { _ = try await push.put(bytes, mediaType: ImageMediaType.manifest, as: tag) }
        #expect(try await session(client, "\(host)/test/app", .pull, credentials).tags().sorted() == ["1", "2", "3"])
        let pull = try session(client, "\(host)/test/app:1", .pull, credentials)
        let found = try await pull.manifest("1")
        #expect(found.bytes == bytes)
        #expect(found.digest == .sha256(of: bytes))
        let sink = MemorySink()
        try await pull.download(manifest.layers[0], to: sink) { _ in }
        #expect(sink.bytes == layer)
        #expect(try await pull.manifest(found.digest.description) == found)
    }

    private static func noise(_ count: Int) -> [UInt8] {
        var generator = SplitMix(seed: UInt64(count))
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    @Test("An image goes to a plain registry of this machine and comes back")
    func plain() async throws {
        let registry = try await RegistryProcess()
        try await roundTrip(client(registry), registry.host, layer: Self.noise(700_001))
    }

    @Test("A layer of more than one chunk is uploaded chunk by chunk")
    func chunks() async throws {
        let registry = try await RegistryProcess()
        var configuration = RegistryConfiguration()
        configuration.uploadChunkBytes = 50_000
        let client = RegistryClient(transport: SocketTransport(), configuration: configuration)
        try await roundTrip(client, registry.host, layer: Self.noise(120_001))
    }

    @Test("A registry behind TLS is believed by its authority, and by nothing else")
    func tls() async throws {
        let registry = try await RegistryProcess(.tls)
        let trusting = client(registry) { $0.trust.authorityFiles = [registry.authorityPath] }
        try await roundTrip(trusting, registry.host, layer: Self.noise(70_000))
        let other = client(registry) { $0.trust.authorityFiles = ["/etc/ssl/certs/ca-certificates.crt"] }
        let session = try session(other, "\(registry.host)/test/app:1", .pull)
        let error = await #expect(throws: RegistryError.self) { try await session.manifest("1") }
        #expect(error?.message.contains("tls: failed to verify certificate") == true, "\(error?.message ?? "")")
    }

    @Test("The certificate's address is believed as its name is")
    func tlsByAddress() async throws {
        let registry = try await RegistryProcess(.tls)
        var configuration = RegistryConfiguration()
        configuration.registries["127.0.0.1:\(registry.port)"] = {
            var entry = RegistryConfiguration.Entry()
            entry.trust.authorityFiles = [registry.authorityPath]
            return entry
        }()
        let client = RegistryClient(transport: SocketTransport(), configuration: configuration)
        try await roundTrip(client, "127.0.0.1:\(registry.port)", layer: Self.noise(1000))
    }

    @Test("A registry with passwords takes the right one alone")
    func password() async throws {
        let registry = try await RegistryProcess(.password)
        let client = client(registry)
        let right = RegistryCredentials(user: "user", password: "pass word")
        _ = try await client.login(registry.host, right)
        try await roundTrip(client, registry.host, layer: Self.noise(10_000), right)
        let wrong = RegistryCredentials(user: "user", password: "password")
        let refusal = await #expect(throws: RegistryError.self) { try await client.login(registry.host, wrong) }
        #expect(refusal?.kind == .unauthorized)
        let anonymous = try session(client, "\(registry.host)/test/app:1", .pull)
        let error = await #expect(throws: RegistryError.self) { try await anonymous.manifest("1") }
        #expect(error?.kind == .unauthorized)
        #expect(error?.message.hasPrefix("pull access denied for \(registry.host)/test/app") == true)
    }

    @Test("A layer is mounted from another repository, and a manifest deleted")
    func mountAndDelete() async throws {
        let registry = try await RegistryProcess()
        let client = client(registry)
        let layer = Self.noise(5000)
        try await roundTrip(client, registry.host, layer: layer)
        let other = try session(client, "\(registry.host)/other:1", .push)
        #expect(
            try await other.upload(Self.source(layer), mountFrom: "test/app") { _ in } == .mounted(from: "test/app"))
        let unknown = try session(client, "\(registry.host)/third:1", .push)
        #expect(try await unknown.upload(Self.source(layer), mountFrom: "no/such") { _ in } == .uploaded)
        let pull = try session(client, "\(registry.host)/test/app:1", .pull)
        let digest = try await pull.manifest("1").digest
        try await session(client, "\(registry.host)/test/app:1", .delete).delete(digest)
        let error = await #expect(throws: RegistryError.self) { try await pull.manifest("1") }
        #expect(error?.kind == .notFound)
        #expect(
            error?.message == "manifest for \(registry.host)/test/app:1 not found: manifest unknown: manifest unknown")
    }

    @Test("A tag that does not exist, and a registry that nobody runs, are told apart")
    func absent() async throws {
        let registry = try await RegistryProcess()
        let missing = try session(client(registry), "\(registry.host)/no/such:1", .pull)
        let error = await #expect(throws: RegistryError.self) { try await missing.manifest("1") }
        #expect(error?.kind == .notFound)
        let port = try LoopbackPort.free()
        let gone = try session(client(registry), "localhost:\(port)/app:1", .pull)
        let refused = await #expect(throws: RegistryError.self) { try await gone.manifest("1") }
        #expect(refused?.kind == .unavailable)
        let text = refused?.message ?? ""
        #expect(text.contains("connection refused"), "\(text)")
    }
}
