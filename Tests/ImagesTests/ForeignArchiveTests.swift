import EngineAPI
import ImageFixtures
import Images
import JSON
import Linux
import OCI
import Testing

/// Archives and layouts as other programs write them.
@Suite(.serialized) struct ForeignArchiveTests {
    private let root: TemporaryRoot
    private let builder: ArchiveBuilder

    init() throws {
        root = try TemporaryRoot()
        builder = Fixture.twoLayers()
        _ = try root.write("own.tar", builder.oci(name: "app:1"))
    }

    private func load(_ name: String) async throws -> [ImageRecord] {
        let data = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: data.path, index: MemoryImageIndex())
        let images = try await store.load(from: .path("\(root.path)/\(name)"), progress: { _ in })
        for layer in images.flatMap(\.chainIDs) {
            let names = try Directory.list("\(data.path)/snapshots/\(layer.hex)/fs")
            #expect(!names.isEmpty)
        }
        return images
    }

    private func skopeo(_ arguments: String...) throws {
        let (status, text) = try Command.run(["skopeo", "--insecure-policy", "copy"] + arguments, in: root.path)
        #expect(status == 0, "\(text)")
    }

    @Test(
        "skopeo's archives and layouts are loaded", .enabled(if: Command.exists("skopeo"), "there is no skopeo"),
        arguments: [
            ("docker-archive:d.tar:other:2", "d.tar", "other:2"),
            ("oci-archive:o.tar:user/app:v2", "o.tar", "user/app:v2"),
            ("oci:layout:v3", "layout", "layout:v3"),
            ("oci:plain", "plain", ""),
        ])
    func skopeoForms(destination: String, file: String, name: String) async throws {
        try skopeo("oci-archive:own.tar:app:1", destination)
        let images = try await load(file)
        #expect(images.flatMap(\.familiarNames) == (name.isEmpty ? [] : [name]))
        #expect(images.map { $0.config.diffIDs } == [builder.layers.map(\.diffID)])
    }

    @Test(
        "Layers packed by gzip and zstd unpack to the same",
        .enabled(if: Command.exists("skopeo"), "there is no skopeo"),
        arguments: ["gzip", "zstd"])
    func packedLayers(format: String) async throws {
        try skopeo("--dest-compress-format", format, "--dest-compress", "oci-archive:own.tar:app:1", "oci:packed:1")
        let images = try await load("packed")
        #expect(images.map { $0.config.diffIDs } == [builder.layers.map(\.diffID)])
        #expect(images.flatMap(\.layers).allSatisfy { $0.blob != $0.diffID })
    }

    @Test("A packed archive file is loaded as the plain one", arguments: ["gzip", "xz", "zstd"])
    func packedArchive(program: String) async throws {
        guard Command.exists(program) else { return print("not tried, because the machine has no \(program)") }
        try Command.require("sh", "-c", "\(program) -c own.tar > own.tar.packed", in: root.path)
        #expect(try await load("own.tar.packed").flatMap(\.familiarNames) == ["app:1"])
    }

    @Test("umoci's layouts are loaded", .enabled(if: Command.exists("umoci"), "there is no umoci"))
    func umoci() async throws {
        for command in [
            ["init", "--layout", "u"], ["new", "--image", "u:base"],
            ["config", "--image", "u:base", "--config.cmd", "top", "--config.env", "A=b"],
            ["unpack", "--image", "u:base", "bundle"],
        ] {
            let (status, text) = try Command.run(["umoci"] + command, in: root.path)
            #expect(status == 0, "\(text)")
        }
        try Command.require("sh", "-c", "mkdir bundle/rootfs/d && echo x > bundle/rootfs/d/f", in: root.path)
        try Command.require("umoci", "repack", "--image", "u:next", "bundle", in: root.path)
        let images = try await load("u").sorted { $0.names.joined() < $1.names.joined() }
        #expect(images.map(\.familiarNames) == [["u:base"], ["u:next"]])
        #expect(images.last?.config.execution.command == ["top"])
        #expect(images.last?.layers.count == 1)
    }

    @Test("buildah's archives are loaded", .enabled(if: Command.exists("buildah"), "there is no buildah"))
    func buildah() async throws {
        let storage = ["--root", "\(root.path)/storage", "--runroot", "\(root.path)/run", "--storage-driver", "vfs"]
        func buildah(_ arguments: String...) throws -> String {
            let (status, text) = try Command.run(["buildah"] + storage + arguments, in: root.path)
            #expect(status == 0, "\(text)")
            return text.split(separator: "\n").last.map(String.init) ?? ""
        }
        let container = try buildah("from", "scratch")
        _ = try buildah("copy", container, "\(root.path)/own.tar", "/data/")
        _ = try buildah("config", "--cmd", "run", container)
        _ = try buildah("commit", "--disable-compression=false", container, "oci-archive:b.tar:built:1")
        _ = try buildah("commit", container, "docker-archive:c.tar:built:2")
        _ = try buildah("rm", container)
        #expect(try await load("b.tar").flatMap(\.familiarNames) == ["built:1"])
        #expect(try await load("c.tar").flatMap(\.familiarNames) == ["built:2"])
    }

    @Test("Docker's newer archives, which are layouts as well, give each image once with its names")
    func newDockerForm() async throws {
        var tar = TarBytes()
        builder.addBlobs(&tar)
        tar.file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        tar.add(.init("index.json", .file, mode: 0o644), builder.index([(builder, nil)]))
        let blobs = builder.layers.map { JSONValue.string("blobs/sha256/\(Digest.sha256(of: $0.bytes).hex)") }
        let image = JSONObject([
            ("Config", .string("blobs/sha256/\(builder.id.hex)")), ("RepoTags", ["a:1", "b/c:2"]),
            ("Layers", .array(blobs)),
        ])
        tar.add(.init("manifest.json", .file, mode: 0o644), JSONValue.array([.object(image)]).compactBytes)
        _ = try root.write("new.tar", tar.finished)
        let images = try await load("new.tar")
        #expect(images.map(\.familiarNames) == [["a:1", "b/c:2"]])
        #expect(images[0].manifest == .sha256(of: builder.manifestBytes))
    }

    @Test("A layer that is a link to another image's is found")
    func linkedLayer() async throws {
        var tar = TarBytes()
        tar.add(.init("real/layer.tar", .file, mode: 0o644), builder.layers[0].bytes)
        tar.link("alias/layer.tar", to: "../real/layer.tar")
        var single = builder
        single.layers.removeLast()
        tar.add(.init("config.json", .file, mode: 0o644), single.configBytes)
        let images = (1...2).map { number in
            JSONValue.object(
                JSONObject([
                    ("Config", "config.json"), ("RepoTags", .array([.string("linked:\(number)")])),
                    ("Layers", .array([.string(number == 1 ? "real/layer.tar" : "alias/layer.tar")])),
                ]))
        }
        tar.add(.init("manifest.json", .file, mode: 0o644), JSONValue.array(images).compactBytes)
        _ = try root.write("linked.tar", tar.finished)
        let loaded = try await load("linked.tar")
        #expect(loaded.map(\.familiarNames) == [["linked:1"], ["linked:1", "linked:2"]])
    }
}
