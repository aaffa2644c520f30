import AsyncIO
import EngineAPI
import Glibc
import ImageFixtures
import Images
import Linux
import OCI
import Snapshots
import Synchronization
import Testing

@Suite struct ImageStoreTests {
    @Test("The starter image is packed from busybox, found by name and id, and the same each time")
    func starterImage() async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let image = try await store.packStarterImage(busybox: nil)
        #expect(image.familiarNames == ["gantry/starter:latest"])
        #expect(try await store.resolve("gantry/starter").id == image.id)
        #expect(try await store.resolve(image.id.short).id == image.id)
        #expect(try await store.resolve("gantry/starter@\(image.manifest)").id == image.id)
        #expect(image.config.execution.command == ["sh"])
        let files = "\(root.path)/snapshots/\(image.chainIDs[0].hex)/fs"
        let (status, text) = try Command.run(["chroot", files, "/bin/sh", "-c", "ls /usr/bin/env && stat -c %a /tmp"])
        #expect(status == 0 && text == "/usr/bin/env\n1777\n", "\(text)")
        let other = try TemporaryRoot()
        let second = try await ImageStore(dataRoot: other.path, index: MemoryImageIndex())
        #expect(try await second.packStarterImage(busybox: nil).id == image.id)
    }

    @Test("A missing or dynamic busybox is refused with what to do about it", arguments: ["/nonexistent", "/bin/ls"])
    func noBusybox(path: String) async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let error = await #expect(throws: EngineError.self) { try await store.packStarterImage(busybox: path) }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("apt-get install busybox-static") == true)
        #expect(try Leftovers.of(root.path) == [])
    }

    @Test(
        "What containers' starts need of the store does not wait for an archive that takes long",
        .timeLimit(.minutes(1)))
    func slowArchive() async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(
            dataRoot: root.path, index: MemoryImageIndex(), pool: BlockingPool(maximumThreads: 1))
        let path = try root.write("a.tar", Fixture.twoLayers().docker(tags: ["app:1"]))
        let image = try await store.load(from: .path(path), progress: { _ in })[0]
        let pipe = root.path + "/pipe"
        try kernelCall("mkfifo") { mkfifo(pipe, 0o600) }
        let loading = Task { try await store.load(from: .path(pipe), progress: { _ in }) }
        // Opened for writing only once the load reads it, and so has its thread.
        var writer: Descriptor?
        while writer == nil {
            do throws(KernelError) { writer = try Descriptor.open(pipe, O_WRONLY | O_NONBLOCK) } catch {
                try #require(error.errno.rawValue == ENXIO)
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: true)
        #expect(try await !store.rootMounts(containerID: "c0ffee", isDisposable: false).isEmpty)
        writer?.close()
        await #expect(throws: EngineError.self) { try await loading.value }
        try await store.removeRoot(containerID: "c0ffee")
    }

    @Test("An OCI archive and a docker archive of the same image give the same image", arguments: [true, false])
    func bothForms(ociFirst: Bool) async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let builder = Fixture.twoLayers()
        let oci = try root.write("a.tar", builder.oci(name: "app:1"))
        let docker = try root.write("b.tar", builder.docker(tags: ["other/app:2", "app:3"]))
        for path in ociFirst ? [oci, docker] : [docker, oci] {
            let images = try await store.load(from: .path(path), progress: { _ in })
            #expect(images.map(\.id) == [builder.id])
        }
        #expect(try await store.resolve("app:1").familiarNames == ["app:1", "app:3", "other/app:2"])
        let summaries = try await store.list(ImageFilter())
        #expect(summaries.count == 1)
        #expect(summaries[0].sizeBytes == 15)
    }

    @Test("A container's root shows the layers, whiteouts applied, and keeps what is written")
    func containerRoot() async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let path = try root.write("a.tar", Fixture.twoLayers().oci(name: "app:1"))
        let image = try await store.load(from: .path(path), progress: { _ in })[0]
        let mounts = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
        #expect(mounts.count == 1)
        #expect(try await store.rootMounts(containerID: "c0ffee", isDisposable: false) == mounts)
        let target = try root.make("mnt")
        let script =
            "mount -t overlay overlay -o '\(mounts[0].options.joined(separator: ","))' \(target) && cd \(target) && "
            + "find . | sort && cat run/pid && echo new > etc/new"
        let (status, text) = try Command.run(["unshare", "-m", "sh", "-c", script])
        #expect(status == 0)
        #expect(text == ".\n./etc\n./etc/kept\n./run\n./run/pid\n./var\n./var/run\nupper\n")
        #expect(try FileContents.read("\(root.path)/snapshots/c0ffee/fs/etc/new") == Array("new\n".utf8))
        try await store.removeRoot(containerID: "c0ffee")
        try await store.removeRoot(containerID: "c0ffee")
    }

    @Test("Removing the last image leaves nothing")
    func removal() async throws {
        let root = try TemporaryRoot()
        let index = MemoryImageIndex()
        let store = try await ImageStore(dataRoot: root.path, index: index)
        let path = try root.write("a.tar", Fixture.twoLayers().docker(tags: ["app:1", "app:2"]))
        let image = try await store.load(from: .path(path), progress: { _ in })[0]
        #expect(try await store.remove("app:1", force: false, uses: []) == [.untagged("app:1")])
        let removals = try await store.remove("app:2", force: false, uses: [])
        #expect(removals.prefix(2) == [.untagged("app:2"), .deleted(image.id.description)])
        #expect(removals.count == 4)
        #expect(index.entries().isEmpty)
        #expect(try Leftovers.of(root.path) == [])
        await #expect(throws: EngineError(.notFound, "No such image: app:2", object: "app:2")) {
            try await store.resolve("app:2")
        }
    }

    @Test("A store opened again knows its images, and takes away what a crash left")
    func reopening() async throws {
        let root = try TemporaryRoot()
        let index = MemoryImageIndex()
        var store = try await ImageStore(dataRoot: root.path, index: index)
        let path = try root.write("a.tar", Fixture.twoLayers().oci(name: "app:1"))
        let image = try await store.load(from: .path(path), progress: { _ in })[0]
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: false)
        _ = try root.make("snapshots/.new-1-1/fs/x")
        _ = try root.write("content/ingest/1-1", [1, 2, 3])
        store = try await ImageStore(dataRoot: root.path, index: index)
        #expect(store.damaged == [])
        #expect(try await store.resolve("app:1") == image)
        #expect(try Directory.list("\(root.path)/content/ingest") == [])
        let kept = [".bottom-2", ".driver"]
        #expect(try Directory.list("\(root.path)/snapshots").allSatisfy { !$0.hasPrefix(".") || kept.contains($0) })
        try await store.collectGarbage(containers: [])
        #expect(try Directory.list("\(root.path)/snapshots").contains("c0ffee") == false)
        #expect(try await store.resolve("app:1") == image)
    }

    @Test("A stream is loaded as a file is, and progress tells the layers and the name")
    func stream() async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let bytes = Fixture.twoLayers().docker(tags: ["app:1"])
        let rest = Mutex(bytes[...])
        let stream = EngineStream<[UInt8]> {
            rest.withLock { rest in
                defer { rest = rest.dropFirst(777) }
                return rest.isEmpty ? nil : Array(rest.prefix(777))
            }
        }
        let seen = Mutex<[ImageLoadProgress]>([])
        let images = try await store.load(from: .bytes(stream)) { step in seen.withLock { $0.append(step) } }
        #expect(images[0].familiarNames == ["app:1"])
        let steps = seen.withLock { $0 }
        #expect(steps.last == .loaded(name: "app:1", id: images[0].id.description))
        for layer in images[0].layers {
            #expect(
                steps.contains(
                    .layer(
                        digest: layer.blob.description, doneBytes: layer.blobSizeBytes, totalBytes: layer.blobSizeBytes)
                ))
        }
    }

    @Test("Two loads of one image at once share the work")
    func concurrentLoads() async throws {
        let root = try TemporaryRoot()
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        let path = try root.write("a.tar", Fixture.twoLayers().oci(name: "app:1"))
        let ids = try await withThrowingTaskGroup(of: Digest.self) { group in
            for _ in 0..<8 { group.addTask { try await store.load(from: .path(path), progress: { _ in })[0].id } }
            return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await store.list(ImageFilter()).count == 1)
    }

    @Test("An image of as many layers as can be stacked is used, and no layer is put on it")
    func deepest() async throws {
        let root = try TemporaryRoot(onTmpfs: true)
        let store = try await ImageStore(dataRoot: root.path, index: MemoryImageIndex())
        var builder = ArchiveBuilder()
        for number in 0..<LayerDepth.limit {
            var tar = TarBytes()
            tar.file("f", "\(number)")
            builder.layer(tar.finished)
        }
        let path = try root.write("a.tar", builder.docker(tags: ["deep:1"]))
        let image = try await store.load(from: .path(path), progress: { _ in })[0]
        _ = try await store.prepareRoot(containerID: "c0ffee", image: image, isContainer: true)
        let opened = try await store.openRoot(containerID: "c0ffee", forWriting: false, inside: InnerMounts())
        let file = OwnedDescriptor(try opened.descriptor.open("f", O_RDONLY))
        #expect(try file.descriptor.readAll() == Array("\(LayerDepth.limit - 1)".utf8))
        let wanted = ContainerCommit(
            containerID: "c0ffee", baseID: image.id.description, execution: image.config.execution, createdBy: "",
            request: ContainerCommitRequest(name: "deeper:1"), isLeftOut: { _ in false })
        let error = await #expect(throws: EngineError.self) { try await store.commit(wanted, whenRead: {}) }
        #expect(error?.message.contains("commit c0ffee: max depth exceeded") == true, "\(error?.message ?? "")")
    }
}
