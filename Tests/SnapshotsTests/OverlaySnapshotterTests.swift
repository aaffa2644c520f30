import Archive
import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Snapshots
import Testing

@Suite struct OverlaySnapshotterTests {
    private let bench: SnapshotBench
    private var root: TemporaryRoot { bench.root }
    private var snapshots: any Snapshotter { bench.snapshots }

    init() throws { bench = try SnapshotBench(.overlay) }

    @Test("An unpacked layer that stands alone holds nothing of those below, and no file of the mount's own")
    func layerContents() throws {
        var lower = TarBytes()
        lower.file("big", String(repeating: "x", count: 100_000))
        let first = try bench.add(lower.finished, onto: [])
        var upper = TarBytes()
        upper.file("own", "1")
        let second = try bench.add(upper.finished, onto: [first])
        #expect(try Directory.list("\(root.path)/snapshots/\(second.hex)").sorted() == ["fs", "layer.json"])
        #expect(try Directory.list("\(root.path)/snapshots/\(second.hex)/fs") == ["own"])
        #expect(try snapshots.layer(second)?.sizeBytes == 1)
        let mounts = try FileContents.read("/proc/self/mountinfo")
        #expect(!String(decoding: mounts, as: UTF8.self).contains(root.path))
    }

    @Test("What each container's root has where its image lacks it is made once for all of them")
    func bottom() throws {
        var image = TarBytes()
        image.file("etc/hosts", "own")
        let layer = try bench.add(image.finished, onto: [])
        for (id, layers) in [("first", [layer]), ("second", [])] {
            let mounts = try snapshots.prepareRoot(id, layers: layers, hasBottom: true)
            let found = try bench.inside(mounts, "find . | sort | tr '\\n' ' '")
            let files = "./etc/hostname ./etc/hosts ./etc/mtab ./etc/resolv.conf"
            #expect(found == ". ./.dockerenv ./dev ./etc \(files) ./proc ./sys ")
            #expect(try bench.inside(mounts, "cat etc/hosts") == (layers.isEmpty ? "" : "own"))
            #expect(try snapshots.rootMounts(id, isDisposable: false) == mounts)
            #expect(try snapshots.changes(id) { _ in false }.isEmpty)
            #expect(try Directory.list("\(root.path)/snapshots/\(id)/fs").isEmpty)
        }
        // One that was made without stays as it is.
        let plain = try snapshots.prepareRoot("plain", layers: [layer], hasBottom: false)
        #expect(try bench.inside(plain, "find . | sort | tr '\\n' ' '") == ". ./etc ./etc/hosts ")
    }

    @Test("A root of 120 layers mounts, also where the data root's path is long and has a comma and a colon")
    func manyLayers() throws {
        let long = root.path + "/with,comma:colon/" + String(repeating: "long/", count: 10)
        let many = try OverlaySnapshotter(path: long)
        var chain: [Digest] = []
        for number in 0..<120 {
            let id = Digest.sha256(of: [UInt8(number)])
            _ = try many.unpack(id, onto: chain) { (directory) throws(ArchiveError) in
                do throws(KernelError) {
                    try directory.open("layer-\(number)", O_CREAT | O_WRONLY, mode: 0o644).close()
                } catch { throw .kernel(error) }
                return 0
            }
            chain.append(id)
        }
        let mounts = try many.prepareRoot("container", layers: chain)
        // The shim names the layers from the directory that they have in common.
        let short = mounts[0].options.map {
            $0.replacing("\(long.replacing(",", with: "\\,").replacing(":", with: "\\:"))/", with: "")
        }
        #expect(short.joined(separator: ",").utf8.count < 4000)
        let target = try root.make("mnt")
        let (status, text) = try Command.run(
            [
                "unshare", "-m", "sh", "-c",
                "cd \(long) && mount -t overlay overlay -o '\(short.joined(separator: ","))' \(target) && ls \(target) | wc -l",
            ])
        #expect(status == 0 && text == "120\n", "\(text)")
    }

    @Test("A directory is copied out of 126 layers, where the data root's path is long and has a comma and a colon")
    func copyOfManyLayers() throws {
        let many = try OverlaySnapshotter(
            path: root.path + "/with,comma:colon/" + String(repeating: "long/", count: 10))
        var chain: [Digest] = []
        for number in 0..<126 {
            let id = Digest.sha256(of: [UInt8(number)])
            _ = try many.unpack(id, onto: chain) { (directory) throws(ArchiveError) in
                do throws(KernelError) {
                    try RootedTree(root: directory).createDirectories("/data").close()
                    try RootedTree(root: directory).open("/data/\(number)", O_CREAT | O_WRONLY, mode: 0o644).close()
                } catch { throw .kernel(error) }
                return 0
            }
            chain.append(id)
        }
        _ = try many.prepareRoot("container", layers: chain)
        let target = try root.make("copy")
        let opened = try many.openRoot("container", forWriting: false, inside: InnerMounts())
        #expect(try RootCopy.copy("/data", of: opened, into: target))
        #expect(try Set(Directory.list(target)) == Set((0..<126).map { "\($0)" }))
        #expect(try !RootCopy.copy("/nowhere", of: opened, into: target))
    }

    @Test("Changes of any name are told, whatever comes and goes while they are looked for")
    func changesOfAnyName() throws {
        var tar = TarBytes()
        tar.file("kept/x", "1")
        let id = try bench.add(tar.finished, onto: [])
        let mounts = try snapshots.prepareRoot("container", layers: [id])
        _ = try bench.inside(
            mounts, "mkdir $(printf 'd\\351r') && : > $(printf 'd\\351r')/f && : > $(printf 'caf\\351') && rm kept/x")
        let paths = ["/caf\u{FFFD}", "/d\u{FFFD}r", "/d\u{FFFD}r/f", "/kept", "/kept/x"]
        #expect(try snapshots.changes("container") { _ in false }.map(\.path) == paths)
        // Straight into the upper directory, which is where a running container's changes come.
        let upper = "\(root.path)/snapshots/container/fs"
        let busy = try Spawn(
            program: "/bin/sh",
            arguments: ["sh", "-c", "cd \(upper) && while :; do mkdir -p q/1/2 q/3 q/4; rm -r q; done"]
        ).start()
        defer {
            kill(busy, SIGKILL)
            waitpid(busy, nil, 0)
        }
        for _ in 0..<500 {
            let seen = try snapshots.changes("container") { _ in false }.map(\.path)
            #expect(seen.filter { !$0.hasPrefix("/q") } == paths)
        }
    }

    @Test("What a link of a layer leads to, on the machine, is nothing below a directory in the link's place")
    func linkReplaced() throws {
        let outside = try root.make("outside")
        _ = try root.write("outside/f", [])
        var tar = TarBytes()
        for name in ["absolute", "kept"] { tar.link(name, to: outside) }
        tar.link("relative", to: "kept")
        let id = try bench.add(tar.finished, onto: [])
        let mounts = try snapshots.prepareRoot("container", layers: [id])
        let script = ["absolute", "relative"].map { "rm \($0) && mkdir \($0) && : > \($0)/f" }
        _ = try bench.inside(mounts, script.joined(separator: " && "))
        let changes = try snapshots.changes("container") { _ in false }
        #expect(changes.map(\.path) == ["/absolute", "/absolute/f", "/relative", "/relative/f"])
        #expect(changes.map(\.kind) == [.modified, .added, .modified, .added])
    }

    @Test("What a process of the same number has left is neither in a new layer, nor in a removal's way")
    func takenNames() throws {
        var passing = ""
        _ = try snapshots.unpack(.sha256(of: [1]), onto: []) { (directory) throws(ArchiveError) in
            var text = [CChar](repeating: 0, count: 4096)
            readlink("/proc/self/fd/\(directory.rawValue)", &text, 4095)
            passing = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return 0
        }
        let name = try #require(passing.split(separator: "/").last { $0.hasPrefix(".new-") })
        let number = try #require(name.split(separator: "-").last.flatMap { Int($0) })
        for (kind, count) in [(".new", 20), (".old", 60)] {
            for next in number + 1...number + count {
                _ = try root.make("snapshots/\(kind)-\(getpid())-\(next)/fs")
                _ = try root.write("snapshots/\(kind)-\(getpid())-\(next)/fs/stale", [])
            }
        }
        var tar = TarBytes()
        tar.file("own", "1")
        let layer = try bench.add(tar.finished, onto: [])
        #expect(try Directory.list("\(root.path)/snapshots/\(layer.hex)/fs") == ["own"])
        try snapshots.removeLayer(layer)
        #expect(try snapshots.layers() == [.sha256(of: [1])])
    }

    @Test("A layer's link tells it from another that begins alike, and goes with it")
    func links() throws {
        var tar = TarBytes()
        tar.file("x", "1")
        let id = try bench.add(tar.finished, onto: [])
        let place = "\(root.path)/snapshots/l/\(id.hex.prefix(4))"
        try kernelCall("symlink") { symlink("../somebody-else/fs", place) }
        _ = try snapshots.prepareRoot("container", layers: [id])
        #expect(access("\(root.path)/snapshots/l/\(id.hex.prefix(6))/x", F_OK) == 0)
        try snapshots.removeRoot("container")
        // The other one goes first: the longer name is found all the same.
        unlink(place)
        try snapshots.removeLayer(id)
        #expect(try Directory.list("\(root.path)/snapshots/l") == [])
    }

    @Test("A data root on overlayfs is refused with the reason")
    func onOverlay() throws {
        // A store on an overlay can only be seen from inside its mount namespace, which a test's threads must not leave:
        // the descriptor of a detached one serves.
        var tar = TarBytes()
        tar.file("x", "1")
        let id = try bench.add(tar.finished, onto: [])
        var seen: SnapshotError?
        _ = try snapshots.unpack(.sha256(of: [9]), onto: [id]) { (directory) throws(ArchiveError) in
            do throws(SnapshotError) {
                let nested = try OverlaySnapshotter(path: "/proc/self/fd/\(directory.rawValue)/nested")
                _ = try nested.prepareRoot("container", layers: [])
            } catch { seen = error }
            return 0
        }
        guard case .overlayUnavailable(let reason) = seen else { Issue.record("\(String(describing: seen))"); return }
        #expect(reason.contains("is itself on overlayfs"))
    }

    @Test("As many layers as are allowed can be stacked, looked at and written to")
    func deepest() throws {
        let bench = try SnapshotBench(.overlay)
        var layers: [Digest] = []
        for number in 0..<LayerDepth.limit {
            var tar = TarBytes()
            tar.file("f\(number)", "\(number)")
            layers.append(try bench.add(tar.finished, onto: layers))
        }
        _ = try bench.snapshots.prepareRoot("container", layers: layers, hasBottom: true)
        for forWriting in [true, false] {
            let root = try bench.snapshots.openRoot("container", forWriting: forWriting, inside: InnerMounts())
            for name in ["f0", "f\(LayerDepth.limit - 1)", ".dockerenv"] {
                try root.descriptor.open(name, O_RDONLY).close()
            }
        }
        #expect(LayerDepth.refusal(of: layers.count) == nil)
        #expect(LayerDepth.refusal(of: layers.count + 1)?.hasPrefix("max depth exceeded") == true)
    }
}
