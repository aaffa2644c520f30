import CLinux
import Glibc
import Testing

@testable import Linux

/// What is taken from the usual places of cgroups, and where they are not believed. What changes is mounted in a thread's
/// own namespace, and goes with it.
@Suite(.enabled(if: geteuid() == 0, "needs root")) struct UsualCgroupLayoutTests {
    private static let place = "/sys/fs/cgroup"
    private static let table = try? CgroupLayout(mounts: MountTable.current())
    private static let isMixed = table?.mode == .hybrid && table?.unifiedMountPoint == place + "/unified"

    private static func byController(_ hierarchies: [CgroupLayout.Hierarchy]) -> [CgroupLayout.Hierarchy] {
        hierarchies.sorted { $0.controllers[0] < $1.controllers[0] }
    }

    @Test("The usual places tell the same as the table of mounts")
    func agreement() throws {
        let table = try CgroupLayout(mounts: MountTable.current())
        let usual = try #require(try CgroupLayout.usual(), "this machine's cgroups are not in the usual places")
        #expect(usual.unifiedMountPoint == table.unifiedMountPoint)
        #expect(Self.byController(usual.legacy) == Self.byController(table.legacy))
    }

    @Test("Without version 2 the rest is as before", .enabled(if: isMixed, "needs version 1 with version 2 beside it"))
    func withoutUnified() throws {
        let before = try #require(try CgroupLayout.usual())
        let after = try Self.seen { () throws(KernelError) in try Mount.unmount(Self.place + "/unified") }
        #expect(after?.legacy == before.legacy)
        #expect(after?.mode == .legacy)
    }

    @Test(
        "Something mounted over a hierarchy or over all sends the reader to the table",
        .enabled(if: isMixed, "needs version 1 with version 2 beside it"), arguments: ["/pids", ""])
    func covered(below: String) throws {
        let layout = try Self.seen { () throws(KernelError) in
            try Mount.mount("tmpfs", at: Self.place + below, type: "tmpfs")
        }
        #expect(layout == nil)
    }

    @Test(
        "A cgroup further down in a hierarchy's place is not taken for its top",
        .enabled(if: isMixed, "needs version 1 with version 2 beside it"), arguments: ["pids", "unified"])
    func partial(hierarchy: String) throws {
        let top = "\(Self.place)/\(hierarchy)"
        let below = "\(top)/gantry-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(below)
        // A failure shows in the leftovers of the suite.
        defer { rmdir(below) }
        #expect(try Self.seen { () throws(KernelError) in try Mount.mount(below, at: top, .bind) } == nil)
    }

    @Test(
        "Version 2 alone is believed at its top, and not further down",
        .enabled(if: table?.unifiedMountPoint != nil, "needs version 2"))
    func unifiedAlone() throws {
        let top = try #require(Self.table?.unifiedMountPoint)
        let layout = try CgroupLayout.usual(at: top)
        #expect(layout?.mode == .unified)
        #expect(layout?.unifiedMountPoint == top)
        let below = "\(top)/gantry-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(below)
        // As above.
        defer { rmdir(below) }
        #expect(try CgroupLayout.usual(at: below) == nil)
    }

    /// The usual layout as a thread sees it that has changed its own mounts.
    private static func seen(
        after change: @escaping () throws(KernelError) -> Void
    ) throws(KernelError) -> CgroupLayout? {
        let look = Look(change)
        var thread = pthread_t()
        let context = Unmanaged.passUnretained(look)
        guard pthread_create(&thread, nil, { Look.main($0) }, context.toOpaque()) == 0 else {
            throw KernelError("start a thread", "", .inputOutput)
        }
        pthread_join(thread, nil)
        return try look.result.get()
    }
}

private final class Look {
    private let change: () throws(KernelError) -> Void
    var result: Result<CgroupLayout?, KernelError> = .success(nil)

    init(_ change: @escaping () throws(KernelError) -> Void) { self.change = change }

    static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let look = Unmanaged<Look>.fromOpaque(context).takeUnretainedValue()
        do throws(KernelError) {
            // CLONE_NEWNS and CLONE_FS.
            try kernelCall("unshare") { gantry_unshare(0x20200) }
            try Mount.setPropagation("/", [.recursive, .private])
            try look.change()
            look.result = .success(try CgroupLayout.usual())
        } catch {
            look.result = .failure(error)
        }
        return nil
    }
}
