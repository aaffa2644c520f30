import Archive
import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Snapshots
import Testing

@Suite struct OverlaySnapshotterTests {
    private let root: TemporaryRoot
    private let snapshots: OverlaySnapshotter

    init() throws {
        root = try TemporaryRoot(onTmpfs: true)
        snapshots = try OverlaySnapshotter(path: root.path + "/snapshots")
    }

    /// Applies one layer more; returns its chain ID.
    private func add(_ tar: [UInt8], onto parents: [Digest]) throws -> Digest {
        let chain = Digest.chainIDs([parents.last, .sha256(of: tar)].compactMap { $0 }).last
        let chainID = try #require(chain)
        let path = try root.write("layer.tar", tar)
        let facts = try snapshots.unpack(chainID, onto: parents) { (directory) throws(ArchiveError) in
            let file: Descriptor
            do throws(KernelError) { file = try Descriptor.open(path, O_RDONLY) } catch { throw .kernel(error) }
            defer { file.close() }
            let input = try InflatingInput(DescriptorInput(file), hash: nil, limits: UnpackLimits())
            let applier = try LayerApplier(root: directory)
            try applier.apply(try TarReader(input, limits: UnpackLimits()))
            return applier.contentBytes
        }
        #expect(facts.parent == parents.last)
        return chainID
    }

    /// What a container with this root sees, by a command run in a mount namespace of its own.
    private func inside(_ mounts: [SnapshotMount], _ script: String) throws -> String {
        let target = try root.make("mnt")
        let options = mounts[0].options.joined(separator: ",")
        let (status, text) = try Command.run(
            [
                "unshare", "-m", "sh", "-c",
                "mount -t overlay overlay -o '\(options)' \(target) && cd \(target) && \(script)",
            ])
        #expect(status == 0, "\(text)")
        return text
    }

    @Test("Whiteouts, opaque directories and links of lower layers look through the overlay as they should")
    func semantics() throws {
        var lower = TarBytes()
        lower.file("gone", "1")
        lower.file("dir/old", "1")
        lower.file("opaque/old", "1")
        lower.file("shared", "lower")
        lower.directory("run/")
        lower.link("var/run", to: "/run")
        lower.file("file-to-dir", "1")
        lower.file("dir-to-file/x", "1")
        let first = try add(lower.finished, onto: [])
        var upper = TarBytes()
        upper.file(".wh.gone")
        upper.directory("opaque/")
        upper.file("opaque/.wh..wh..opq")
        upper.file("opaque/new", "2")
        upper.file("var/run/pid", "2")
        upper.link("second-name", to: "shared", .hardLink)
        upper.directory("file-to-dir/")
        upper.file("dir-to-file", "2")
        let second = try add(upper.finished, onto: [first])
        let mounts = try snapshots.prepareRoot("container", layers: [first, second])
        let seen = try inside(
            mounts,
            """
            find . | sort | tr '\\n' ' '; stat -c '%h' shared; cat second-name run/pid; readlink var/run; \
            rm shared; echo own > run/pid; cat second-name
            """)
        #expect(
            seen == """
                . ./dir ./dir-to-file ./dir/old ./file-to-dir ./opaque ./opaque/new ./run ./run/pid ./second-name \
                ./shared ./var ./var/run 2
                lower2/run
                lower
                """)
        // Neither layer knows of what the container did.
        let again = try snapshots.prepareRoot("other", layers: [first, second])
        #expect(try inside(again, "cat shared run/pid") == "lower2")
    }

    @Test("An unpacked layer that stands alone holds nothing of those below, and no file of the mount's own")
    func layerContents() throws {
        var lower = TarBytes()
        lower.file("big", String(repeating: "x", count: 100_000))
        let first = try add(lower.finished, onto: [])
        var upper = TarBytes()
        upper.file("own", "1")
        let second = try add(upper.finished, onto: [first])
        #expect(try Directory.list("\(root.path)/snapshots/\(second.hex)").sorted() == ["fs", "layer.json"])
        #expect(try Directory.list("\(root.path)/snapshots/\(second.hex)/fs") == ["own"])
        #expect(try snapshots.layer(second)?.sizeBytes == 1)
        let mounts = try FileContents.read("/proc/self/mountinfo")
        #expect(!String(decoding: mounts, as: UTF8.self).contains(root.path))
    }

    @Test("A layer that fails leaves nothing, however far it had come")
    func failure() throws {
        var lower = TarBytes()
        lower.file("a", "1")
        let first = try add(lower.finished, onto: [])
        for parents in [[], [first]] {
            var bad = TarBytes()
            bad.file("b/c", "1")
            bad.file("../out", "1")
            #expect(throws: SnapshotError.self) { try add(bad.finished, onto: parents) }
        }
        #expect(try snapshots.layers() == [first])
        #expect(try Directory.list("\(root.path)/snapshots").sorted() == [first.hex, "l"].sorted())
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

    @Test("An image of no layers has an empty root")
    func noLayers() throws {
        let mounts = try snapshots.prepareRoot("container", layers: [])
        #expect(try inside(mounts, "find .; touch x; ls") == ".\nx\n")
    }

    @Test("A container's id that is no name, or a missing layer, is refused")
    func refused() throws {
        for name in ["", "../x", "a/b", ".", "..", "x"] {
            #expect(throws: SnapshotError.invalidName(name)) { try snapshots.prepareRoot(name, layers: []) }
        }
        let missing = Digest.sha256(of: [1])
        #expect(throws: SnapshotError.missingLayer(missing)) { try snapshots.prepareRoot("name", layers: [missing]) }
        #expect(try snapshots.roots() == [:])
    }

    @Test("A layer's link tells it from another that begins alike, and goes with it")
    func links() throws {
        var tar = TarBytes()
        tar.file("x", "1")
        let id = try add(tar.finished, onto: [])
        let place = "\(root.path)/snapshots/l/\(id.hex.prefix(4))"
        try kernelCall("symlink") { symlink("../somebody-else/fs", place) }
        _ = try snapshots.prepareRoot("container", layers: [id])
        #expect(access("\(root.path)/snapshots/l/\(id.hex.prefix(6))/x", F_OK) == 0)
        try snapshots.removeRoot("container")
        try snapshots.removeLayer(id)
        #expect(try Directory.list("\(root.path)/snapshots/l") == ["\(id.hex.prefix(4))"])
        try snapshots.removeLeftovers()
        #expect(try Directory.list("\(root.path)/snapshots/l") == [])
    }

    @Test("A data root on overlayfs is refused with the reason")
    func onOverlay() throws {
        // A store on an overlay can only be seen from inside its mount namespace, which a test's threads must not leave:
        // the descriptor of a detached one serves.
        var tar = TarBytes()
        tar.file("x", "1")
        let id = try add(tar.finished, onto: [])
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
}
