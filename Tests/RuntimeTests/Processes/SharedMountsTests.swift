import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// Containers without a mount namespace: their mounts are made among the caller's, and go with them.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct SharedMountsTests {
    private static func container(_ command: [String]) throws -> TestContainer {
        let container = try TestContainer(.ours, command)
        container.spec.linux.namespaces.removeAll { $0.kind == .mount }
        (container.spec.linux.maskedPaths, container.spec.linux.readonlyPaths) = ([], [])
        return container
    }

    @Test("The container has its root and its mounts, and nothing stays when it is deleted")
    func life() throws {
        let container = try Self.container(["sleep", "60"])
        try container.createAndStart()
        let pid = try #require(try container.state()["pid"]?.integer)
        var (own, theirs) = (stat(), stat())
        stat("/proc/self/ns/mnt", &own)
        stat("/proc/\(pid)/ns/mnt", &theirs)
        #expect(own.st_ino == theirs.st_ino)
        let mounts = try MountTable.current().map(\.mountPoint)
        #expect(mounts.contains(container.rootfs) && mounts.contains("\(container.rootfs)/proc"))
        let inside = try container.exec("sh", "-c", "ls /; cat /proc/1/cmdline")
        #expect(inside.output.contains("bin") && !inside.output.contains("work"), "\(inside.output)\(inside.errors)")
        #expect(inside.output.contains("sleep"))
        #expect(try container.exec("pwd").output == "/\n")
        #expect(try container.command("delete", "--force", container.id).code == 0)
        #expect(try container.leftovers() == [])
    }

    @Test("run, and a create that fails, leave nothing")
    func ends() throws {
        let container = try Self.container(["sh", "-c", "ls /proc/self/exe; touch /tmp/in"])
        #expect(try container.run().output == "/proc/self/exe\n")
        #expect(access("\(container.rootfs)/tmp/in", F_OK) == 0)
        #expect(try container.leftovers() == [])
        let failing = try Self.container(["/nowhere"])
        #expect(try failing.create().code == 1)
        #expect(try failing.leftovers() == [])
    }

    @Test("What would change the caller's mounts, or could be undone, is refused")
    func refusals() {
        let table: [(String, (inout RuntimeSpec) -> Void)] = [
            ("without a private MNT namespace", { $0.linux.maskedPaths = ["/x"] }),
            ("without a private MNT namespace", { $0.linux.readonlyPaths = ["/x"] }),
            ("linux.rootfsPropagation", { $0.linux.rootfsPropagation = "shared" }),
            (
                "needs a mount namespace",
                {
                    $0.linux.namespaces.append(LinuxNamespace(.user))
                    $0.linux.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 1, size: 1)]
                    $0.linux.gidMappings = $0.linux.uidMappings
                }
            ),
        ]
        for (words, change) in table {
            let error = #expect(throws: RuntimeError.self) {
                try ContainerPlanTests.plan { spec in
                    spec.linux.namespaces.removeAll { $0.kind == .mount }
                    (spec.linux.maskedPaths, spec.linux.readonlyPaths) = ([], [])
                    change(&spec)
                }
            }
            #expect(error?.message.contains(words) == true, "\(words): \(error?.message ?? "")")
        }
    }
}
