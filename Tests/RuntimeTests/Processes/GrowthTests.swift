import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// What a runtime leaves behind a little of each time is found by doing it often. `gantry-bench runtime` does it 1,000 times.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct GrowthTests {
    private struct Traces: Equatable {
        var mounts: [String]
        var stateFiles: [String]
        var cgroups: [String]
        var ownDescriptors: Int
        var children: Int
    }

    private func traces(_ container: TestContainer) throws -> Traces {
        var cgroups: [String] = []
        let layout = try CgroupLayout.current()
        for place in layout.legacy.map(\.mountPoint) + [layout.unifiedMountPoint].compactMap(\.self) {
            cgroups += try Directory.list(place).filter { $0.contains(container.id) }.map { "\(place)/\($0)" }
        }
        let children = String(
            decoding: try FileContents.read("/proc/self/task/\(getpid())/children"), as: UTF8.self)
        return Traces(
            mounts: try MountTable.current().map(\.mountPoint).filter { $0.contains(container.id) },
            stateFiles: try Directory.list(container.root).sorted(), cgroups: cgroups,
            ownDescriptors: try Directory.list("/proc/self/fd").count,
            children: children.split(separator: " ").count)
    }

    @Test("Many lives of a container, whole, killed and failed, leave what one leaves")
    func growth() throws {
        let container = try TestContainer(RuntimeUnderTest.ours)
        container.spec.linux.seccomp = DefaultSeccomp.profile(capabilities: [])
        func live() throws {
            try container.createAndStart()
            #expect(try container.exec("true").code == 0)
            #expect(try container.command("delete", "--force", container.id).code == 0)
            container.spec.process?.args = ["/no/such/program"]
            #expect(try container.create().code == 1)
            container.spec.process?.args = ["true"]
            #expect(try container.run().code == 0)
            container.spec.process?.args = ["sleep", "60"]
        }
        try live()
        let before = try traces(container)
        #expect(before.mounts == [] && before.cgroups == [] && before.stateFiles == [SeccompCache.folder])
        for _ in 0..<25 { try live() }
        #expect(try traces(container) == before)
    }

    @Test("The cache of filters does not grow without end")
    func cache() throws {
        let root = "/tmp/gantry-test-growth-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(root)
        defer { try? Directory.removeTree(root) }  // The test's own folder; nothing to tell.
        for number in 0..<(SeccompCache.filesLimit * 2) {
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.syscalls = [LinuxSyscall(["read"], action: "SCMP_ACT_ERRNO", errnoRet: UInt32(number + 1))]
            _ = try SeccompCache(root: root).filter(for: profile)
            #expect(try Directory.list("\(root)/\(SeccompCache.folder)").count <= SeccompCache.filesLimit)
        }
    }

    @Test("A cache in a folder that others could write to is not believed")
    func openFolder() throws {
        let root = "/tmp/gantry-test-growth-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(root)
        defer { try? Directory.removeTree(root) }  // As above.
        var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.syscalls = [LinuxSyscall(["read"], action: "SCMP_ACT_ERRNO", errnoRet: 5)]
        let cache = SeccompCache(root: root)
        let made = try cache.filter(for: profile).instructions
        let folder = "\(root)/\(SeccompCache.folder)"
        let file = "\(folder)/\(try Directory.list(folder)[0])"
        var bytes = try FileContents.read(file)
        bytes[bytes.count - 8] ^= 0xFF
        try FileContents.replace(file, with: bytes, durable: false)
        #expect(try cache.filter(for: profile).instructions != made)
        chmod(folder, 0o777)
        #expect(try cache.filter(for: profile).instructions == made)
        // Nor is a link to another folder followed.
        chmod(folder, 0o700)
        rename(folder, "\(root)/elsewhere")
        symlink("\(root)/elsewhere", folder)
        #expect(try cache.filter(for: profile).instructions == made)
    }
}
