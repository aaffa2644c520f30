import Content
import EngineAPI
import ImageFixtures
import Images
import JSON
import Linux
import OCI
import PeerRegistry
import Synchronization
import Testing

@testable import Registry
@testable import Web

/// Pulls and pushes of an image store, against docker-registry and against one that lies.
@Suite(.disabled(if: RegistryProcess.isMissing, "docker-registry is not installed"))
struct ImagePullTests {
    private let root: TemporaryRoot

    init() throws { root = try TemporaryRoot(onTmpfs: true) }

    private func store(_ name: String) async throws -> ImageStore {
        try await ImageStore(dataRoot: "\(root.path)/\(name)", index: MemoryImageIndex())
    }

    static func session(
        _ transport: any WebTransport, _ name: String, _ purpose: RegistrySession.Purpose
    ) throws -> RegistrySession {
        let client = RegistryClient(transport: transport, clock: RecordingClock())
        return RegistrySession(client, try Reference(name).withDefaultTag, purpose: purpose, credentials: nil)
    }

    static func image() -> ArchiveBuilder {
        var lower = TarBytes()
        lower.directory("etc/")
        lower.file("etc/kept", "kept\n")
        lower.file("etc/hidden", "hidden\n")
        var upper = TarBytes()
        upper.file("etc/.wh.hidden")
        upper.file("new", String(repeating: "x", count: 300_000))
        var builder = ArchiveBuilder()
        builder.layer(lower.finished)
        builder.layer(upper.finished)
        return builder
    }

    /// Everything below a data root that an image could have left. A writer that failed goes with the last who held it,
    /// which may be another thread a moment later.
    private func leftovers(_ name: String) async throws -> [String] {
        var found: [String] = []
        for _ in 0..<100 {
            found = try ["content/ingest", "content/blobs/sha256", "snapshots/l"].flatMap {
                try Directory.list("\(root.path)/\(name)/\($0)")
            }
            if found.isEmpty { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        return found
    }

    private func load(_ builder: ArchiveBuilder, as name: String, into store: ImageStore) async throws {
        let archive = try root.write("\(builder.id.short).tar", builder.docker(tags: [name]))
        _ = try await store.load(from: .path(archive)) { _ in }
    }

    @Test("What one store pushes another one pulls, layer by layer; a second pull finds nothing to do")
    func roundTrip() async throws {
        let registry = try await RegistryProcess()
        let name = "\(registry.host)/test/app:1"
        let source = try await store("source")
        let builder = Self.image()
        try await load(builder, as: name, into: source)
        let transport = SocketTransport()
        let pushed = try await source.push(Self.session(transport, name, .push)) { _ in }

        let target = try await store("target")
        let steps = Mutex<[ImageTransferProgress]>([])
        let pulled = try await target.pull(Self.session(transport, name, .pull), platform: nil) { step in
            steps.withLock { $0.append(step) }
        }
        #expect(pulled.isNew)
        #expect(pulled.digest == pushed)
        #expect(pulled.record.id == builder.id)
        for layer in try await source.resolve(name).layers {
            let digest = layer.blob.description
            let words = steps.withLock { $0 }.compactMap { step -> String? in
                guard case .layer(digest, let step) = step else { return nil }
                return String("\(step)".prefix { $0 != "(" })
            }
            let order = words.enumerated().filter { $0.offset == 0 || words[$0.offset - 1] != $0.element }.map(
                \.element)
            #expect(order == ["waiting", "downloading", "verifying", "downloaded", "unpacking", "pulled"])
        }
        #expect(try await target.details(name).layers == builder.layers.map(\.diffID.description))
        let again = try await target.pull(Self.session(transport, name, .pull), platform: nil) { _ in }
        #expect(!again.isNew)
        let byDigest = "\(registry.host)/test/app@\(pushed)"
        #expect(try await target.resolve(byDigest).id == builder.id)
        _ = try await target.remove(name, force: false, uses: [])
        #expect(try await leftovers("target") == [])
    }

    @Test("Plain layers are pushed packed, once, and the image stays the same")
    func packing() async throws {
        let registry = try await RegistryProcess()
        let name = "\(registry.host)/test/plain:1"
        let source = try await store("source")
        let builder = Self.image()
        try await load(builder, as: name, into: source)
        let before = try await source.resolve(name)
        let transport = SocketTransport()
        let pushed = try await source.push(Self.session(transport, name, .push)) { _ in }
        let record = try await source.resolve(name)
        #expect(record.id == before.id && record.manifest == pushed && record.chainIDs == before.chainIDs)
        let blobs = try Directory.list("\(root.path)/source/content/blobs/sha256").sorted()
        #expect(blobs == ([record.id, record.manifest] + record.layers.map(\.blob)).map(\.hex).sorted())
        for layer in record.layers {
            let path = "\(root.path)/source/content/blobs/sha256/\(layer.blob.hex)"
            let (status, text) = try Command.run(["sh", "-c", "gzip -t \(path) && zcat \(path) | sha256sum"])
            #expect(status == 0 && text.hasPrefix(layer.diffID.hex))
        }
        let fetched = try await Self.session(transport, name, .pull).manifest("1")
        let types = try ImageManifest(fetched.json).layers.map(\.mediaType)
        #expect(Set(types) == [ImageMediaType.layerGzip])
        let steps = Mutex<[ImageTransferProgress]>([])
        #expect(
            try await source.push(Self.session(transport, name, .push)) { step in steps.withLock { $0.append(step) } }
                == pushed)
        let layers = steps.withLock { $0 }.compactMap { step -> ImageLayerStep? in
            if case .layer(_, let step) = step { step } else { nil }
        }
        #expect(layers.filter { $0 == .pushExisting }.count == 2)
        // A second store packs to the same bytes.
        let other = try await store("other")
        try await load(builder, as: name, into: other)
        #expect(try await other.push(Self.session(transport, name, .push)) { _ in } == pushed)
        // Pulled over what was loaded plain, the image is the same, and nothing of the plain packing stays.
        let puller = try await store("puller")
        try await load(builder, as: name, into: puller)
        _ = try await puller.pull(Self.session(transport, name, .pull), platform: nil) { _ in }
        let pulled = try await puller.resolve(name)
        #expect(pulled.id == record.id && pulled.manifest == pushed)
        #expect(try Directory.list("\(root.path)/puller/content/blobs/sha256").sorted() == blobs)
    }

    @Test("An index leads to the manifest of the platform, and stays the image's digest")
    func platforms() async throws {
        let registry = try await RegistryProcess()
        let source = try await store("source")
        var entries: [JSONValue] = []
        for architecture in ["amd64", "arm64"] {
            var builder = Self.image()
            builder.config.platform = Platform(os: "linux", architecture: architecture)
            let name = "\(registry.host)/multi:\(architecture)"
            try await load(builder, as: name, into: source)
            let digest = try await source.push(Self.session(SocketTransport(), name, .push)) { _ in }
            let size = try Command.run(["stat", "-c", "%s", "\(root.path)/source/content/blobs/sha256/\(digest.hex)"])
            var entry = ContentDescriptor(
                mediaType: ImageMediaType.manifest, digest: digest, sizeBytes: Int64(size.text.dropLast()) ?? 0)
            entry.platform = builder.config.platform
            entries.append(entry.json)
        }
        let index = JSONValue.object(
            JSONObject([
                ("schemaVersion", 2), ("mediaType", .string(ImageMediaType.index)), ("manifests", .array(entries)),
            ])
        ).compactBytes
        let name = "\(registry.host)/multi:all"
        _ = try await Self.session(SocketTransport(), name, .push).put(
            index, mediaType: ImageMediaType.index, as: "all")
        let target = try await store("target")
        for architecture in ["amd64", "arm64"] {
            let platform = Platform(os: "linux", architecture: architecture)
            let pulled = try await target.pull(
                Self.session(SocketTransport(), name, .pull), platform: platform
            ) { _ in }
            #expect(pulled.digest == .sha256(of: index))
            #expect(try await target.details(name).architecture == architecture)
        }
        let error = await #expect(throws: EngineError.self) {
            let platform = Platform(os: "linux", architecture: "s390x")
            _ = try await target.pull(Self.session(SocketTransport(), name, .pull), platform: platform) { _ in }
        }
        #expect(error?.kind == .notFound)
        let summary = try #require(try await target.list(ImageFilter()).first { !$0.tags.isEmpty })
        #expect(summary.digests == ["\(registry.host)/multi@\(Digest.sha256(of: index))"])
        try await untagged("\(registry.host)/multi@\(Digest.sha256(of: index))")
    }

    /// What has only the name that a pull by digest gave it has no tag, and goes with the next pruning.
    private func untagged(_ name: String) async throws {
        let store = try await store("untagged")
        let platform = Platform(os: "linux", architecture: "amd64")
        _ = try await store.pull(Self.session(SocketTransport(), name, .pull), platform: platform) { _ in }
        var filter = ImageFilter()
        filter.dangling = true
        let listed = try await store.list(filter)
        #expect(listed.map(\.tags) == [[]] && listed.map(\.digests) == [[name]])
        filter.dangling = false
        #expect(try await store.list(filter).isEmpty)
        let pruned = try await store.prune(all: false, filter: ImageFilter(), uses: [])
        #expect(pruned.removals.first == .untagged(name))
        #expect(try await leftovers("untagged") == [])
    }

    /// A registry that holds an image, but for what a test changes.
    static func registry(
        _ builder: ArchiveBuilder, _ lie: @escaping @Sendable (String) -> ScriptedTransport.Answer?
    ) -> ScriptedTransport {
        let blobs = Dictionary(
            (builder.layers.map(\.bytes) + [builder.configBytes]).map { (Digest.sha256(of: $0).description, $0) },
            uniquingKeysWith: { first, _ in first })
        let manifest = builder.manifestBytes
        return ScriptedTransport { request, _ throws(WebFailure) in
            let last = String(request.address.target.split(separator: "/").last ?? "")
            if let answer = lie(last) { return answer }
            if request.address.target.contains("/manifests/") {
                var answer = ScriptedTransport.Answer(200, [("Content-Type", ImageMediaType.manifest)])
                answer.pieces = [manifest]
                return answer
            }
            var answer = ScriptedTransport.Answer(blobs[last] == nil ? 404 : 200)
            answer.pieces = blobs[last].map { [$0] } ?? []
            return answer
        }
    }

    @Test("A layer whose bytes are others is refused by name, and nothing is kept", arguments: [0, 1, 2])
    func wrongBytes(which: Int) async throws {
        let builder = Self.image()
        let blob = which < 2 ? builder.layers[which].bytes : builder.configBytes
        let digest = Digest.sha256(of: blob).description
        let transport = Self.registry(builder) { last in
            guard last == digest else { return nil }
            var answer = ScriptedTransport.Answer(200)
            answer.pieces = [blob.dropLast() + [blob[blob.count - 1] ^ 1]]
            return answer
        }
        let store = try await store("data")
        let error = await #expect(throws: EngineError.self) {
            try await store.pull(Self.session(transport, "registry.example/app:1", .pull), platform: nil) { _ in }
        }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("registry.example/app:1: layer \(digest): unexpected digest") == true)
        #expect(try await leftovers("data") == [])
        #expect(try await store.list(ImageFilter()) == [])
    }

    @Test(
        "A manifest that is no image's, or lies about its parts, is refused before a layer is asked for",
        arguments: [
            #"{"schemaVersion":2,"config":{"mediaType":"text/plain","digest":"D","size":2},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"mediaType":"C","digest":"D","size":99999999999},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"mediaType":"C","digest":"sha256:x","size":2},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"mediaType":"C","digest":"D","size":-1},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"mediaType":"C","digest":"D","size":2},"layers":[{"mediaType":"x/y","digest":"D","size":2}]}"#,
            #"{"schemaVersion":2,"config":{"mediaType":"C","digest":"D","size":2},"layers":[{"mediaType":"L","digest":"D","size":-5}]}"#,
            #"{"schemaVersion":2,"layers":[]}"#,
        ])
    func badManifests(text: String) async throws {
        let document =
            text.split(separator: #""D""#, omittingEmptySubsequences: false)
            .joined(separator: "\"sha256:\(String(repeating: "a", count: 64))\"")
            .split(separator: #""C""#, omittingEmptySubsequences: false).joined(
                separator: "\"\(ImageMediaType.config)\""
            )
            .split(separator: #""L""#, omittingEmptySubsequences: false).joined(
                separator: "\"\(ImageMediaType.layer)\"")
        let transport = ScriptedTransport { request, _ throws(WebFailure) in
            request.address.target.contains("/manifests/")
                ? .init(200, [("Content-Type", ImageMediaType.manifest)], document) : .init(404)
        }
        let store = try await store("data")
        let error = await #expect(throws: EngineError.self) {
            try await store.pull(Self.session(transport, "registry.example/app:1", .pull), platform: nil) { _ in }
        }
        #expect(error?.message.contains("registry.example/app:1") == true, "\(error?.message ?? "")")
        #expect(try await leftovers("data") == [])
        #expect(transport.requests.count == 1)
    }

    @Test("An index that leads to itself, by a server that lies about digests, ends")
    func cycle() async throws {
        let fake = "sha256:\(String(repeating: "b", count: 64))"
        let list =
            #"{"schemaVersion":2,"mediaType":"\#(ImageMediaType.index)","manifests":[{"mediaType":"\#(ImageMediaType.index)","digest":"\#(fake)","size":1}]}"#
        let transport = ScriptedTransport { _, _ throws(WebFailure) in
            .init(200, [("Content-Type", ImageMediaType.index)], list)
        }
        let store = try await store("data")
        let error = await #expect(throws: EngineError.self) {
            try await store.pull(Self.session(transport, "registry.example/app:1", .pull), platform: nil) { _ in }
        }
        #expect(error?.message.contains("manifest verification failed") == true)
        #expect(transport.requests.count == 2)
    }

    @Test("A pull that is cancelled keeps nothing, and leaves what another pull brings")
    func cancelled() async throws {
        let builder = Self.image()
        let second = Digest.sha256(of: builder.layers[1].bytes).description
        let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
        let blocked = Self.registry(builder) { last in
            guard last == second else { return nil }
            beginning.finish()
            return ScriptedTransport.Answer(200, [], "x", failure: .cancelled)
        }
        let store = try await store("data")
        let task = Task { () -> EngineError? in
            do {
                _ = try await store.pull(
                    Self.session(blocked, "registry.example/app:1", .pull), platform: nil
                ) { _ in }
                return nil
            } catch { return error as? EngineError }
        }
        for await _ in begun {}
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        #expect(try await leftovers("data") == [])
        let whole = Self.registry(builder) { _ in nil }
        let pulled = try await store.pull(Self.session(whole, "registry.example/app:1", .pull), platform: nil) { _ in }
        #expect(pulled.record.id == builder.id)
    }

    @Test("Two pulls of one image at once ask for each layer once")
    func together() async throws {
        let builder = Self.image()
        let transport = Self.registry(builder) { _ in nil }
        let store = try await store("data")
        async let first = store.pull(Self.session(transport, "registry.example/a:1", .pull), platform: nil) { _ in }
        async let second = store.pull(Self.session(transport, "registry.example/b:1", .pull), platform: nil) { _ in }
        let ids = try await [first.record.id, second.record.id]
        #expect(ids == [builder.id, builder.id])
        #expect(transport.lines.count { $0.contains("/blobs/") } == 3)
        #expect(
            try await store.resolve(builder.id.description).names == ["registry.example/a:1", "registry.example/b:1"])
    }

    @Test("A full disk ends a pull with a clear error, and the store stays good")
    func fullDisk() async throws {
        let fileSystem = try DetachedFileSystem(tmpfs: "size=3m")
        let disk = fileSystem.path
        var tar = TarBytes()
        for number in 0..<8 { tar.file("big\(number)", String(repeating: "y", count: 500_000)) }
        var builder = ArchiveBuilder()
        builder.layer(tar.finished)
        let big = builder
        let store = try await ImageStore(dataRoot: "\(disk)/data", index: MemoryImageIndex(), driver: .copy)
        let error = await #expect(throws: EngineError.self) {
            let transport = Self.registry(big) { _ in nil }
            _ = try await store.pull(Self.session(transport, "registry.example/big:1", .pull), platform: nil) { _ in }
        }
        #expect(error?.message.contains("no space left on device") == true, "\(error?.message ?? "")")
        #expect(try await store.list(ImageFilter()) == [])
        #expect(try Directory.list("\(disk)/data/content/blobs/sha256") == [])
        #expect(try Directory.list("\(disk)/data/content/ingest") == [])
        let small = Self.image()
        let transport = Self.registry(small) { _ in nil }
        let pulled = try await store.pull(
            Self.session(transport, "registry.example/small:1", .pull), platform: nil
        ) { _ in }
        #expect(pulled.record.id == small.id)
    }
}
