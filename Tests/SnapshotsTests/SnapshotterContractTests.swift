import Archive
import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Snapshots
import Testing

/// What every snapshotter must do.
@Suite struct SnapshotterContractTests {
    @Test(
        "Whiteouts, opaque directories and links of lower layers look through the overlay as they should",
        arguments: SnapshotBench.kinds)
    func semantics(kind: SnapshotBench.Kind) throws {
        let bench = try SnapshotBench(kind)
        var lower = TarBytes()
        lower.file("gone", "1")
        lower.file("dir/old", "1")
        lower.file("opaque/old", "1")
        lower.file("shared", "lower")
        lower.directory("run/")
        lower.link("var/run", to: "/run")
        lower.file("file-to-dir", "1")
        lower.file("dir-to-file/x", "1")
        let first = try bench.add(lower.finished, onto: [])
        var upper = TarBytes()
        upper.file(".wh.gone")
        upper.directory("opaque/")
        upper.file("opaque/.wh..wh..opq")
        upper.file("opaque/new", "2")
        upper.file("var/run/pid", "2")
        upper.link("second-name", to: "shared", .hardLink)
        upper.directory("file-to-dir/")
        upper.file("dir-to-file", "2")
        let second = try bench.add(upper.finished, onto: [first])
        let mounts = try bench.snapshots.prepareRoot("container", layers: [first, second])
        let seen = try bench.inside(
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
        let again = try bench.snapshots.prepareRoot("other", layers: [first, second])
        #expect(try bench.inside(again, "cat shared run/pid") == "lower2")
    }

    @Test("A layer that fails leaves nothing, however far it had come", arguments: SnapshotBench.kinds)
    func failure(kind: SnapshotBench.Kind) throws {
        let bench = try SnapshotBench(kind)
        var lower = TarBytes()
        lower.file("a", "1")
        let first = try bench.add(lower.finished, onto: [])
        for parents in [[], [first]] {
            var bad = TarBytes()
            bad.file("b/c", "1")
            bad.file("../out", "1")
            #expect(throws: SnapshotError.self) { try bench.add(bad.finished, onto: parents) }
        }
        #expect(try bench.snapshots.layers() == [first])
        let left = try Directory.list("\(bench.root.path)/snapshots").filter { $0 != ".bottom-2" }
        #expect(left.sorted() == [first.hex, "l"].sorted())
    }

    @Test(
        "A layer whose facts are cut off or gone is none: it is made anew in place of what is left, and can be removed",
        arguments: SnapshotBench.kinds, ["{", "", "{}", nil])
    func damaged(kind: SnapshotBench.Kind, facts: String?) throws {
        let bench = try SnapshotBench(kind)
        var (lower, upper) = (TarBytes(), TarBytes())
        lower.file("a", "1")
        upper.file("b", "2")
        let first = try bench.add(lower.finished, onto: [])
        let second = try bench.add(upper.finished, onto: [first])
        let directory = "\(bench.root.path)/snapshots/\(first.hex)"
        func damage() throws {
            unlink("\(directory)/layer.json")
            unlink("\(directory)/fs/a")
            if let facts { try FileContents.replace("\(directory)/layer.json", with: Array(facts.utf8)) }
        }
        try damage()
        #expect(try bench.snapshots.layer(first) == nil)
        #expect(throws: SnapshotError.missingLayer(first)) {
            try bench.snapshots.prepareRoot("container", layers: [first, second])
        }
        #expect(try bench.add(lower.finished, onto: []) == first)
        let mounts = try bench.snapshots.prepareRoot("container", layers: [first, second])
        #expect(try bench.inside(mounts, "cat a b") == "12")
        try damage()
        for layer in [second, first, first] { try bench.snapshots.removeLayer(layer) }
        #expect(access(directory, F_OK) != 0)
        #expect(try bench.snapshots.layers() == [])
    }

    @Test("An image of no layers has an empty root", arguments: SnapshotBench.kinds)
    func noLayers(kind: SnapshotBench.Kind) throws {
        let bench = try SnapshotBench(kind)
        let mounts = try bench.snapshots.prepareRoot("container", layers: [])
        #expect(try bench.inside(mounts, "find .; touch x; ls") == ".\nx\n")
    }

    @Test("A container's id that is no name, or a missing layer, is refused", arguments: SnapshotBench.kinds)
    func refused(kind: SnapshotBench.Kind) throws {
        let bench = try SnapshotBench(kind)
        for name in ["", "../x", "a/b", ".", "..", "x"] {
            #expect(throws: SnapshotError.invalidName(name)) { try bench.snapshots.prepareRoot(name, layers: []) }
        }
        let missing = Digest.sha256(of: [1])
        #expect(throws: SnapshotError.missingLayer(missing)) {
            try bench.snapshots.prepareRoot("name", layers: [missing])
        }
        #expect(try bench.snapshots.roots() == [:])
    }

    @Test("Random trees look the same through a layer that adds nothing", arguments: SnapshotBench.kinds)
    func copies(kind: SnapshotBench.Kind) throws {
        let bench = try SnapshotBench(kind)
        let source = try bench.root.make("source")
        let script = """
            cd \(source); mkdir -p d/e 'a b'; printf x > d/f; ln d/f d/g; ln -s ../x d/l; mkfifo d/p; mknod d/n c 1 3
            truncate -s 3M d/s; printf end >> d/s; chown 7:8 d/e; chmod 2751 d/e; chmod 4755 d/f
            printf y > "$(printf 'd/\\377\\376')"; setfattr -n user.k -v v d/f; setfattr -n trusted.t -v w d/e
            setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 d/s
            touch -d @1000000000 d/f d/e d; touch -h -d @999 d/l
            """
        guard Command.exists("setfattr") else { return print("not tried, because the machine has no setfattr") }
        try Command.require("sh", "-ec", script)
        let archive = "\(bench.root.path)/tree.tar"
        try Command.require("tar", "-C", source, "--xattrs", "--xattrs-include=*", "--sparse", "-cf", archive, ".")
        let first = try bench.add(try FileContents.read(archive), onto: [])
        var empty = TarBytes()
        empty.file("own", "1")
        let second = try bench.add(empty.finished, onto: [first])
        let mounts = try bench.snapshots.prepareRoot("container", layers: [first, second])
        let other = try bench.root.make("copy")
        _ = try bench.inside(
            mounts,
            "rm own && tar --xattrs --xattrs-include='*' --sparse -cf - . | tar -C \(other) --xattrs --xattrs-include='*' -pxf -"
        )
        try Command.require("touch", "-r", source, other)
        #expect(try TreeListing.lines(other) == TreeListing.lines(source))
    }

    @Test(
        "A disposable root is mounted again and again, and keeps what was written",
        arguments: SnapshotBench.kinds)
    func disposable(kind: SnapshotBench.Kind) throws {
        let bench = try SnapshotBench(kind)
        _ = try bench.snapshots.prepareRoot("container", layers: [])
        for round in 1...3 {
            let mounts = try bench.snapshots.rootMounts("container", isDisposable: true)
            #expect(try bench.inside(mounts, "echo x >> file; wc -l < file") == "\(round)\n")
        }
    }
}
