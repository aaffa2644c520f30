import Archive
import CLinux
import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Snapshots
import Testing

/// A container's changes, written as a layer, give the same tree over the same layers.
@Suite struct ChangedLayerTests {
    static let kinds = SnapshotBench.kinds.filter { $0 != .copy }

    @Test(
        "Whiteouts, opaque directories, links, devices, owners, modes and attributes come through", arguments: kinds)
    func everything(kind: SnapshotBench.Kind) throws {
        let changed = try ChangedLayer(kind)
        let layers = try changed.base()
        let mounts = try changed.snapshots.prepareRoot("container", layers: layers)
        _ = try changed.bench.inside(
            mounts,
            """
            rm etc/gone && rm -r opaque && mkdir opaque && echo n > opaque/new && echo 2 >> changed && \
            rm file-to-dir && mkdir file-to-dir && rm -r dir-to-file && echo f > dir-to-file && \
            mv moved moved2 && rm link && mkdir link && echo h > hard && ln hard etc/hard && ln -s /nowhere soft && \
            mknod null c 1 3 && mknod block b 7 300 && mkfifo pipe && chmod 4711 hard && chown -h 1234567:89 soft hard && \
            mkdir -m 1777 sticky && touch -d @-5 old && : > empty && truncate -s 9000000 sparse && \
            mkdir $(printf 'd%.0s' $(seq 1 120)) && : > $(printf 'd%.0s' $(seq 1 120))/$(printf 'f%.0s' $(seq 1 250)) && \
            touch "$(printf 'new\\nline')" && chmod 700 .
            """)
        try changed.mark("container")
        let bytes = try #require(try changed.layer("container"))
        #expect(try changed.layer("container") == bytes)
        // A second later, so that what is made anew would show by its time.
        sleep(1)
        let made = try changed.bench.add(bytes, onto: layers)
        #expect(try changed.listing("copy", layers + [made]) == changed.listing("container", layers))
    }

    @Test("A root that was not changed gives no layer, and neither does what is left out", arguments: kinds)
    func nothing(kind: SnapshotBench.Kind) throws {
        let changed = try ChangedLayer(kind)
        let layers = try changed.base()
        let mounts = try changed.snapshots.prepareRoot("container", layers: layers)
        #expect(try changed.layer("container") == nil)
        _ = try changed.bench.inside(mounts, "mkdir -p dev/pts && : > dev/null")
        #expect(try changed.layer("container", leavingOut: { $0 == "/dev" }) == nil)
        let names = try changed.layer("container", leavingOut: { $0 == "/dev/pts" })
        #expect(try #require(names).starts(with: Array("dev/\0".utf8)))
    }

    @Test("An attribute that an archive would give another name is refused by its own")
    func attributeWithSign() throws {
        let changed = try ChangedLayer(.overlay)
        _ = try changed.snapshots.prepareRoot("container", layers: try changed.base())
        try changed.mark("container", "trusted.a=b")
        let error = #expect(throws: SnapshotError.self) { try changed.layer("container") }
        #expect("\(error.map { "\($0)" } ?? "")".contains("attribute `trusted.a=b`, whose name no archive can hold"))
    }

    @Test("A file whose name would be a whiteout is refused by its name")
    func reservedName() throws {
        let changed = try ChangedLayer(.overlay)
        let mounts = try changed.snapshots.prepareRoot("container", layers: try changed.base())
        _ = try changed.bench.inside(mounts, ": > etc/.wh.kept")
        let error = #expect(throws: SnapshotError.self) { try changed.layer("container") }
        #expect("\(error.map { "\($0)" } ?? "")".contains("`etc/.wh.kept`: a layer cannot hold a name"))
    }

    @Test(
        "A root that is held open shows what is mounted in it, and the machine's table shows nothing",
        arguments: kinds)
    func innerMounts(kind: SnapshotBench.Kind) throws {
        let changed = try ChangedLayer(kind)
        let root = try changed.bench.root.make("source")
        _ = try changed.bench.root.write("source/inner", Array("i".utf8))
        _ = try changed.snapshots.prepareRoot("container", layers: try changed.base())
        var inside = InnerMounts([.init(source: root, target: "/new/place", isReadOnly: true)])
        let error = #expect(throws: SnapshotError.self) {
            _ = try changed.snapshots.openRoot("container", forWriting: false, inside: inside)
        }
        guard case .kernel(let failure)? = error, failure.errno == .noSuchFile else {
            Issue.record("\(String(describing: error))")
            return
        }
        inside.makesTargets = true
        _ = try changed.snapshots.openRoot("container", forWriting: true, inside: inside)
        inside.makesTargets = false
        inside.isRootReadOnly = true
        let held = try changed.snapshots.openRoot("container", forWriting: false, inside: inside)
        defer { withExtendedLifetime(held) {} }
        let tree = RootedTree(root: held.descriptor)
        try tree.open("/new/place/inner", O_RDONLY).close()
        for path in ["/new/place/x", "/x"] {
            let refusal = #expect(throws: KernelError.self) { try tree.open(path, O_WRONLY | O_CREAT, mode: 0o600) }
            #expect(refusal?.errno == .readOnlyFileSystem)
        }
        let mounts = String(decoding: try FileContents.read("/proc/self/mountinfo"), as: UTF8.self)
        #expect(!mounts.contains("/new/place"))
    }
}

/// A snapshotter with a stack of two layers.
private struct ChangedLayer {
    let bench: SnapshotBench
    var snapshots: any Snapshotter { bench.snapshots }

    init(_ kind: SnapshotBench.Kind) throws { bench = try SnapshotBench(kind) }

    func base() throws -> [Digest] {
        var lower = TarBytes()
        lower.directory("etc/")
        lower.file("etc/gone", "1")
        lower.file("etc/kept", "1")
        lower.file("opaque/old/deep", "1")
        lower.file("changed", "1")
        lower.file("file-to-dir", "1")
        lower.file("dir-to-file/x", "1")
        lower.file("moved/a/b", "1")
        lower.link("link", to: "changed")
        let first = try bench.add(lower.finished, onto: [])
        var upper = TarBytes()
        upper.file("etc/upper", "2")
        return [first, try bench.add(upper.finished, onto: [first])]
    }

    func layer(_ id: String, leavingOut isLeftOut: @escaping (String) -> Bool = { _ in false }) throws
        -> [UInt8]?
    {
        final class Sink { var bytes: [UInt8] = [] }
        let sink = Sink()
        let writer = TarWriter { (bytes) throws(ArchiveError) in sink.bytes += bytes }
        guard try snapshots.archiveChanges(id, leavingOut: isLeftOut, to: writer) else { return nil }
        try writer.finish()
        return sink.bytes
    }

    func listing(_ id: String, _ layers: [Digest]) throws -> [String] {
        _ = try snapshots.prepareRoot(id, layers: layers)
        let root = try snapshots.openRoot(id, forWriting: false, inside: InnerMounts())
        defer { withExtendedLifetime(root) {} }
        return try TreeListing.lines(root.descriptor.procPath + "/.")
    }

    /// Attributes that tools do not set: a capability, and one of the machine's own kind.
    func mark(_ id: String, _ own: String = "trusted.gantry") throws {
        let root = try snapshots.openRoot(id, forWriting: true, inside: InnerMounts())
        defer { withExtendedLifetime(root) {} }
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        for (name, value) in [("security.capability", capability), (own, [1, 0, 10])] {
            let path = Array("\(root.descriptor.procPath)/changed".utf8CString)
            try kernelCall("set attribute", name) { gantry_lsetxattr(path, name, value, value.count) }
        }
    }
}
