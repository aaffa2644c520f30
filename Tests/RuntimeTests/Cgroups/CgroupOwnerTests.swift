import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// The container's user as the owner of its cgroup.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct CgroupOwnerTests {
    // No layout to be read: nothing to be given away either.
    private static let isUnified = (try? CgroupLayout.current())?.mode == .unified

    private static func open(_ spec: inout RuntimeSpec) {
        for index in spec.mounts.indices where spec.mounts[index].type == "cgroup" {
            spec.mounts[index].options.removeAll { $0 == "ro" }
        }
        if !spec.linux.namespaces.contains(where: { $0.kind == .cgroup }) {
            spec.linux.namespaces.append(LinuxNamespace(.cgroup))
        }
    }

    private static func owner(
        _ layout: CgroupLayout = ContainerPlanTests.unified, _ change: (inout RuntimeSpec) -> Void
    ) throws -> UInt32? {
        try ContainerPlanTests.plan(layout: layout) { spec in
            open(&spec)
            spec.process?.user.uid = 7
            change(&spec)
        }.cgroup.owner
    }

    @Test("It is, where it may write to its cgroup's mount and has a cgroup namespace, in version 2")
    func conditions() throws {
        #expect(try Self.owner { _ in } == 7)
        #expect(try Self.owner { $0.process?.user.uid = 0 } == nil)
        #expect(try Self.owner(ContainerPlanTests.hybrid) { _ in } == nil)
        #expect(try Self.owner { $0.linux.namespaces.removeAll { $0.kind == .cgroup } } == nil)
        #expect(try Self.owner { $0.mounts.removeAll { $0.type == "cgroup" } } == nil)
        #expect(
            try Self.owner { spec in
                for index in spec.mounts.indices { spec.mounts[index].options.append("ro") }
            } == nil)
        #expect(
            try Self.owner { spec in
                spec.linux.namespaces.removeAll { $0.kind == .cgroup }
                spec.linux.namespaces.append(LinuxNamespace(.cgroup, path: "/proc/1/ns/cgroup"))
            } == nil)
    }

    @Test(
        "In a user namespace it is who that user is on the host; an id without a mapping is nobody",
        arguments: [
            (UInt32(0), UInt32(5000)), (7, 5007), (10, 9000), (30, nil),
        ] as [(UInt32, UInt32?)])
    func mapped(_ uid: UInt32, _ expected: UInt32?) throws {
        let found = try Self.owner { spec in
            spec.process?.user.uid = uid
            spec.linux.namespaces.append(LinuxNamespace(.user))
            spec.linux.uidMappings = [
                LinuxIDMapping(containerID: 0, hostID: 5000, size: 10),
                LinuxIDMapping(containerID: 10, hostID: 9000, size: 1),
            ]
            spec.linux.gidMappings = spec.linux.uidMappings
        }
        #expect(found == expected)
    }

    @Test(
        "It may make cgroups below its own, and changes no limit of its own",
        .enabled(if: isUnified && RuntimeUnderTest.isPrivileged, "needs root and cgroup v2 alone"))
    func divides() throws {
        let script = """
            stat -c %u /sys/fs/cgroup /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/pids.max
            mkdir /sys/fs/cgroup/below && echo 0 >/sys/fs/cgroup/below/cgroup.procs && cat /proc/self/cgroup
            echo 5 >/sys/fs/cgroup/pids.max || echo refused
            """
        let container = try TestContainer(.ours, ["sh", "-c", script])
        Self.open(&container.spec)
        container.spec.process?.user.uid = 1234
        container.spec.linux.resources?.pids = LinuxPids(limit: 50)
        let result = try container.run()
        #expect(result.output == "1234\n1234\n0\n0::/below\nrefused\n", "\(result.errors)")
        #expect(try container.leftovers() == [])
    }
}
