import Glibc
import ImageFixtures
import Linux
import OCI
import Testing

@testable import Snapshots

/// Which driver a data root gets.
@Suite struct StorageDriverTests {
    private let root: TemporaryRoot
    private var path: String { root.path + "/snapshots" }
    private var record: String {
        get throws { String(decoding: try FileContents.read("\(path)/.driver"), as: UTF8.self) }
    }

    init() throws { root = try TemporaryRoot(onTmpfs: true) }

    private func open(_ wanted: StorageDriver? = nil) throws -> ChosenSnapshotter {
        try ChosenSnapshotter.open(path: path, wanted: wanted)
    }

    @Test("What works is chosen without a word, written down, and nothing of the trial stays")
    func usual() throws {
        let chosen = try open()
        #expect(chosen.driver == .overlay && chosen.note == nil)
        #expect(try record.hasPrefix("overlay2 "))
        #expect(try Directory.list(path).sorted() == [".bottom-2", ".driver", "l"])
        #expect(try open().driver == .overlay)
    }

    @Test("A trial over which a process of this number was killed says nothing against the kernel's overlay")
    func trialCutShort() throws {
        let left = "\(path)/.new-trial-\(getpid())"
        for part in ["lower/d", "fs", "work", "merged"] { try Directory.create("\(left)/\(part)") }
        // The file is hidden already.
        try kernelCall("mknod", left) { mknod("\(left)/fs/d", S_IFCHR, 0) }
        let chosen = try open()
        #expect(chosen.driver == .overlay && chosen.note == nil)
        #expect(access(left, F_OK) != 0)
    }

    @Test("What a driver has made is given to none that cannot read it; an empty data root is anybody's")
    func others() throws {
        #expect(try open(.copy).driver == .copy)
        #expect(try open().driver == .overlay, "nothing was made")
        let copies = try open(.copy)
        _ = try copies.snapshots.prepareRoot("container", layers: [])
        #expect(try open().driver == .copy)
        let error = #expect(throws: SnapshotError.self) { try open(.overlay) }
        #expect(error == .otherDriver(found: .copy, wanted: .overlay))
        try copies.snapshots.removeRoot("container")
        #expect(try open().driver == .overlay)
    }

    @Test("A data root of before, without a record, is the kernel's; the program can go on with it, and not back")
    func program() throws {
        _ = try open(.overlay).snapshots.prepareRoot("container", layers: [])
        unlink("\(path)/.driver")
        #expect(try open().driver == .overlay)
        guard SnapshotBench.kinds.contains(.program) else { return print("fuse-overlayfs is not there: not tried") }
        let chosen = try open(.fuseOverlay)
        #expect(chosen.driver == .fuseOverlay)
        // It has changed nothing yet.
        #expect(try open().driver == .overlay)
        _ = try chosen.snapshots.rootMounts("container", isDisposable: false)
        let next = try open()
        #expect(next.driver == .fuseOverlay && next.note?.contains("since it made what is there") == true)
        #expect(throws: SnapshotError.otherDriver(found: .fuseOverlay, wanted: .overlay)) { try open(.overlay) }
    }

    @Test("Where the kernel refuses, the program is taken, or copies are, and the note says why")
    func fallback() throws {
        let upper = try root.make("upper")
        let work = try root.make("work")
        let lower = try root.make("lower")
        let merged = try root.make("merged")
        // Overlayfs is not stacked on itself.
        try Mount.mount(
            "overlay", at: merged, type: "overlay", data: "lowerdir=\(lower),upperdir=\(upper),workdir=\(work)")
        defer { try? Mount.unmount(merged, detach: true) }  // Else the folder stays, which LeftoverTests finds.
        let chosen = try ChosenSnapshotter.open(path: "\(merged)/snapshots", wanted: nil)
        #expect(chosen.driver == (SnapshotBench.kinds.contains(.program) ? .fuseOverlay : .copy))
        #expect(chosen.note?.contains("itself on overlayfs") == true, "\(chosen.note ?? "")")
    }
}
