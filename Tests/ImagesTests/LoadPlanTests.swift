import Content
import EngineAPI
import Glibc
import ImageFixtures
import Linux
import OCI
import Testing

@testable import Images

@Suite struct LoadPlanTests {
    private let root: TemporaryRoot
    private let job: LoadJob

    init() throws {
        root = try TemporaryRoot()
        job = LoadJob(content: try ContentStore(path: root.path), progress: { _ in })
    }

    private func plan(_ archive: [UInt8]) throws -> LoadPlan {
        let file = OwnedDescriptor(try Descriptor.open(try root.write("a.tar", archive), O_RDONLY))
        let source = try ArchiveSource(reading: file.descriptor, baseName: nil, job: job)
        return LoadPlan(source: source, job: job, host: .host)
    }

    /// Two images, the first under two names; the second's name stands in docker's document alone.
    private static func archive() -> (bytes: [UInt8], first: ArchiveBuilder, second: ArchiveBuilder) {
        let first = Fixture.twoLayers()
        var second = Fixture.twoLayers()
        second.config.author = "somebody"
        var tar = TarBytes()
        first.addBlobs(&tar)
        second.addBlobs(&tar)
        tar.file("blobs/sha256/needless", "nobody asks for it")
        let index = first.index([(first, "first:1"), (second, nil), (first, "first:2")])
        tar.add(.init("index.json", .file, mode: 0o644), index)
        let config = "blobs/sha256/\(second.id.hex)"
        tar.file("manifest.json", #"[{"Config":"\#(config)","RepoTags":["second:1"],"Layers":[]}]"#)
        return (tar.finished, first, second)
    }

    @Test("An image stands in the plan once, with all of its names, also those of docker's document")
    func names() throws {
        let (bytes, first, second) = Self.archive()
        let images = try plan(bytes).images()
        #expect(
            images.map(\.form) == [first, second].map { .manifest(.sha256(of: $0.manifestBytes)) })
        #expect(
            images.map(\.names) == [
                ["docker.io/library/first:1", "docker.io/library/first:2"], ["docker.io/library/second:1"],
            ])
    }

    @Test("What an archive holds becomes a blob when an image needs it, and nothing else does")
    func staged() throws {
        let (bytes, first, second) = Self.archive()
        let plan = try plan(bytes)
        #expect(try job.content.digests() == [])
        _ = try plan.images()
        #expect(Set(try job.content.digests()) == Set([first, second].map { Digest.sha256(of: $0.manifestBytes) }))
        let layer = Digest.sha256(of: first.layers[0].bytes)
        #expect(try plan.source.blob(at: "blobs/sha256/\(layer.hex)") == layer)
        #expect(try job.content.read(layer) == first.layers[0].bytes)
        job.staged.discard()
        #expect(try Directory.list("\(root.path)/ingest") == [])
        #expect(try job.content.digests().count == 3)
    }

    @Test("A plan that nobody waits for any more reads no further manifest")
    func cancelled() throws {
        let plan = try plan(Self.archive().bytes)
        job.cancel()
        let error = #expect(throws: EngineError.self) { try plan.images() }
        #expect(error?.kind == .cancelled)
        #expect(try job.content.digests() == [])
    }
}
