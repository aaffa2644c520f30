import Content
import EngineAPI
import ImageFixtures
import Images
import Linux
import OCI
import Testing

@testable import Registry

/// Mirrors that have other bytes than the registry, or only a part of them.
@Suite struct MirrorTests {
    /// What a mirror does to one blob.
    enum Fault: CaseIterable, Sendable {
        case otherByte, tooLong, breaksInTheMiddle, empty

        func answer(_ blob: [UInt8]) -> ScriptedTransport.Answer {
            var answer = ScriptedTransport.Answer(200, [], failure: self == .breaksInTheMiddle ? .closed : nil)
            switch self {
            case .otherByte: answer.pieces = [blob.dropLast() + [blob[blob.count - 1] ^ 1]]
            case .tooLong: answer.pieces = [blob, [0]]
            case .breaksInTheMiddle: answer.pieces = [blob.prefix(blob.count / 2).map { $0 ^ 1 }]
            case .empty: answer.pieces = []
            }
            return answer
        }
    }

    private static func image() -> ArchiveBuilder {
        var builder = ArchiveBuilder()
        for name in ["lower", "upper"] {
            var tar = TarBytes()
            tar.file(name, String(repeating: name, count: 1000))
            builder.layer(tar.finished)
        }
        return builder
    }

    private static func session(_ transport: ScriptedTransport, mirrors: [String]) throws -> RegistrySession {
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        configuration.attempts = 2
        var entry = RegistryConfiguration.Entry()
        entry.mirrors = mirrors.compactMap { WebAddress($0) }
        configuration.registries["registry.example"] = entry
        let client = RegistryClient(transport: transport, configuration: configuration, clock: RecordingClock())
        return RegistrySession(client, try Reference("registry.example/app:1"), purpose: .pull, credentials: nil)
    }

    /// A registry, and a mirror of it that is at fault about one blob.
    private static func transport(
        _ builder: ArchiveBuilder, _ fault: Fault, about bad: [UInt8]
    ) -> ScriptedTransport {
        let blobs = Dictionary(
            uniqueKeysWithValues: (builder.layers.map(\.bytes) + [builder.configBytes]).map {
                (Digest.sha256(of: $0).description, $0)
            })
        let manifest = builder.manifestBytes
        return ScriptedTransport { request, _ throws(WebFailure) in
            var answer = ScriptedTransport.Answer(200, [("Content-Type", ImageMediaType.manifest)])
            answer.pieces = [manifest]
            if request.address.target.contains("/manifests/") { return answer }
            let blob = blobs[String(request.address.target.split(separator: "/").last ?? "")] ?? []
            if blob == bad, request.address.origin.host == "mirror.example" { return fault.answer(blob) }
            // One that knows no ranges would send all again, and hide what was kept of the mirror's.
            let start = request.field("Range").flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
            answer = ScriptedTransport.Answer(
                start > 0 ? 206 : 200, [("Content-Range", "bytes \(start)-\(blob.count - 1)/\(blob.count)")])
            answer.pieces = [Array(blob[start...])]
            return answer
        }
    }

    @Test(
        "An image of which a mirror has a blob's bytes wrong, or a part, is pulled: that blob whole from the registry",
        arguments: Fault.allCases, [0, 1, 2])
    func rottenMirror(fault: Fault, which: Int) async throws {
        let root = try TemporaryRoot(onTmpfs: true)
        let builder = Self.image()
        let bad = which < 2 ? builder.layers[which].bytes : builder.configBytes
        let transport = Self.transport(builder, fault, about: bad)
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let pulled = try await store.pull(
            Self.session(transport, mirrors: ["https://mirror.example"]), platform: nil
        ) { _ in }
        #expect(pulled.record.id == builder.id)
        let address = "https://registry.example/v2/app/blobs/\(Digest.sha256(of: bad))"
        let asked = transport.requests.filter { $0.address.description == address }
        #expect(asked.count == 1 && asked.first?.field("Range") == nil)
        #expect(try Directory.list("\(root.path)/content/ingest") == [])
    }

    @Test("A document of which a mirror has other bytes is had from the registry", arguments: Fault.allCases)
    func rottenDocument(fault: Fault) async throws {
        let builder = Self.image()
        let transport = Self.transport(builder, fault, about: builder.configBytes)
        let config = ContentDescriptor(
            mediaType: ImageMediaType.config, digest: builder.id, sizeBytes: Int64(builder.configBytes.count))
        let document = try await Self.session(transport, mirrors: ["https://mirror.example"]).document(config)
        #expect(document.compactBytes == builder.configBytes)
    }

    @Test("Where the registry itself has other bytes, the blob is refused by name and no further place is asked")
    func rottenRegistry() async throws {
        let builder = Self.image()
        let transport = Self.transport(builder, .otherByte, about: builder.configBytes)
        let config = ContentDescriptor(
            mediaType: ImageMediaType.config, digest: builder.id, sizeBytes: Int64(builder.configBytes.count))
        var configuration = RegistryConfiguration()
        configuration.certificatesDirectory = nil
        let client = RegistryClient(transport: transport, configuration: configuration, clock: RecordingClock())
        let session = RegistrySession(
            client, try Reference("mirror.example/app:1"), purpose: .pull, credentials: nil)
        let error = await #expect(throws: RegistryError.self) { try await session.document(config) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("layer \(builder.id): unexpected digest") == true, "\(error?.message ?? "")")
        #expect(transport.requests.count == 1)
    }
}
