import Content
import EngineAPI
import ImageFixtures
import Images
import Linux
import OCI
import Synchronization
import Testing

@testable import Registry

/// What a pull makes of layers that are too many, or damaged here.
@Suite struct PulledLayersTests {
    private let root: TemporaryRoot

    init() throws { root = try TemporaryRoot(onTmpfs: true) }

    private func pull(_ transport: ScriptedTransport, into store: ImageStore) async throws -> PulledImage {
        let session = try ImagePullTests.session(transport, "registry.example/app:1", .pull)
        return try await store.pull(session, platform: nil) { _ in }
    }

    @Test("An image of which a layer is damaged is not up to date: to pull it again mends it, from the blobs here")
    func damagedLayer() async throws {
        let builder = ImagePullTests.image()
        let transport = ImagePullTests.registry(builder) { _ in nil }
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let image = try await pull(transport, into: store).record
        try FileContents.replace("\(root.path)/snapshots/\(image.chainIDs[0].hex)/layer.json", with: [])
        let asked = transport.requests.count
        let again = try await pull(transport, into: store)
        var named = image
        // Given its name anew, too.
        named.taggedAt = again.record.taggedAt
        #expect(again.isNew && again.record == named)
        #expect(transport.requests.count == asked + 1)
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
        try await store.removeRoot(containerID: "c0ffee")
        #expect(try await !pull(transport, into: store).isNew)
    }

    @Test("A layer that is here already is told of once, and that it was pulled only where something was left to do")
    func existingLayers() async throws {
        let builder = ImagePullTests.image()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        var smaller = builder
        smaller.layers.removeLast()
        _ = try await pull(ImagePullTests.registry(smaller) { _ in nil }, into: store)
        let told = Mutex<[String: [String]]>([:])
        let transport = ImagePullTests.registry(builder) { _ in nil }
        func pullTold() async throws -> ImageRecord {
            let session = try ImagePullTests.session(transport, "registry.example/app:1", .pull)
            return try await store.pull(session, platform: nil) { step in
                guard case .layer(let digest, let step) = step else { return }
                let word = String("\(step)".prefix { $0 != "(" })
                told.withLock { if $0[digest]?.last != word { $0[digest, default: []].append(word) } }
            }.record
        }
        let record = try await pullTold()
        let words = told.withLock { told in record.layers.map { told[$0.blob.description] ?? [] } }
        #expect(words[0] == ["existing"])
        #expect(words[1] == ["waiting", "downloading", "verifying", "downloaded", "unpacking", "pulled"])
        // As docker: of an image that is here no layer is told.
        told.withLock { $0 = [:] }
        #expect(try await pullTold().id == record.id)
        #expect(told.withLock { $0.isEmpty })
    }

    @Test("A manifest of more layers than can be stacked is refused before one is asked for")
    func tooManyLayers() async throws {
        var builder = ImagePullTests.image()
        builder.layers = Array(repeating: builder.layers[0], count: 499)
        let transport = ImagePullTests.registry(builder) { _ in nil }
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let error = await #expect(throws: EngineError.self) { try await pull(transport, into: store) }
        #expect(error?.message.contains("max depth exceeded: 499 layers") == true, "\(error?.message ?? "")")
        #expect(transport.requests.count == 1)
        #expect(try await store.list(ImageFilter()) == [])
    }

    @Test("An image that is named by SHA-512 is pulled, found by the beginning of its id, and leaves nothing")
    func longDigests() async throws {
        let builder = ImagePullTests.image()
        func descriptor(_ bytes: [UInt8], _ type: String) -> ContentDescriptor {
            ContentDescriptor(mediaType: type, digest: Digest(of: bytes, .sha512), sizeBytes: Int64(bytes.count))
        }
        let manifest = ImageManifest(
            config: descriptor(builder.configBytes, ImageMediaType.config),
            layers: builder.layers.map { descriptor($0.bytes, ImageMediaType.layer) }
        ).json.compactBytes
        let blobs = Dictionary(
            uniqueKeysWithValues: (builder.layers.map(\.bytes) + [builder.configBytes]).map {
                (Digest(of: $0, .sha512).description, $0)
            })
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            var answer = ScriptedTransport.Answer(200, [("Content-Type", ImageMediaType.manifest)])
            let last = request.address.target.split(separator: "/").last.map(String.init) ?? ""
            answer.pieces = [request.address.target.contains("/manifests/") ? manifest : blobs[last] ?? []]
            return answer
        }
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let byDigest = "registry.example/app@\(Digest(of: manifest, .sha512))"
        let session = try ImagePullTests.session(transport, byDigest, .pull)
        let image = try await store.pull(session, platform: nil) { _ in }.record
        #expect(image.id == Digest(of: builder.configBytes, .sha512))
        for text in [image.id.short, image.id.hex, image.id.description, "sha512:\(image.id.short)", byDigest] {
            #expect(try await store.resolve(text).id == image.id, "\(text)")
        }
        for text in ["sha256:\(image.id.short)", "sha512:", "f00"] where !image.id.hex.hasPrefix(text) {
            await #expect(throws: EngineError.self, "\(text)") { try await store.resolve(text) }
        }
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
        try await store.removeRoot(containerID: "c0ffee")
        _ = try await store.remove(image.id.short, force: true, uses: [])
        #expect(try ["sha256", "sha512"].flatMap { try Directory.list("\(root.path)/content/blobs/\($0)") } == [])
    }
}
