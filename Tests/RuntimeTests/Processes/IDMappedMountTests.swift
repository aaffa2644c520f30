import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// Mounts whose owners are translated.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct IDMappedMountTests {
    private static func mapping(_ inside: UInt32, _ outside: UInt32) -> [LinuxIDMapping] {
        [LinuxIDMapping(containerID: inside, hostID: outside, size: 1000)]
    }

    /// A container with `source` at `/m`: a file of owner 5:6, and one below in a mount of its own.
    private static func container(_ options: [String], _ change: (inout RuntimeMount) -> Void) throws -> TestContainer {
        let container = try TestContainer(
            .ours, ["sh", "-c", "stat -c %u:%g /m/file /m/below/file; touch /m/new && echo made"])
        let source = "\(container.folder)/source"
        try Directory.create("\(source)/below")
        try Mount.mount("tmpfs", at: "\(source)/below", type: "tmpfs")
        for file in ["\(source)/file", "\(source)/below/file"] {
            try FileContents.replace(file, with: [], mode: 0o644, durable: false)
            chown(file, 5, 6)
        }
        var mount = RuntimeMount(destination: "/m", type: "bind", source: source, options: options)
        change(&mount)
        container.spec.mounts.append(mount)
        return container
    }

    private static func run(_ container: TestContainer) throws -> RuntimeUnderTest.Result {
        defer { try? Mount.unmount("\(container.folder)/source/below", detach: true) }  // The folder goes next.
        return try container.run()
    }

    /// Whether this kernel translates the owners of a tmpfs, as it does since Linux 6.3.
    private static let canMapTmpfs: Bool = {
        do throws(KernelError) {
            let tree = OwnedDescriptor(try Mount.make("tmpfs", options: [], attributes: []))
            let namespace = OwnedDescriptor(try MappingNamespace.make(uidMap: "0 1000 1\n", gidMap: "0 1000 1\n"))
            try Mount.setAttributes(tree.descriptor, set: .identityMapped, userNamespace: namespace.descriptor)
            return true
        } catch {
            // Any other failure is the test's to show.
            return error.errno != .invalidArgument
        }
    }()

    /// - Parameter below: the owner that the container sees of the file below.
    private static func expectMapping(by option: String, below: String) throws {
        let container = try Self.container(["rbind", option]) { mount in
            (mount.uidMappings, mount.gidMappings) = (Self.mapping(0, 1000), Self.mapping(0, 2000))
        }
        let made = "\(container.folder)/source/new"
        chmod("\(container.folder)/source", 0o777)
        container.spec.process?.user = RuntimeUser(uid: 1007, gid: 2008)
        let result = try Self.run(container)
        #expect(result.output == "1005:2006\n\(below)\nmade\n", "\(result.errors)")
        var facts = stat()
        #expect(stat(made, &facts) == 0)
        #expect(facts.st_uid == 7 && facts.st_gid == 8)
    }

    @Test("idmap translates one mount, in both directions")
    func oneMount() throws { try Self.expectMapping(by: "idmap", below: "5:6") }

    @Test("ridmap translates those below too", .enabled(if: canMapTmpfs, "needs a tmpfs that can be id-mapped"))
    func mountsBelow() throws { try Self.expectMapping(by: "ridmap", below: "1005:2006") }

    @Test("Without mappings of its own the mount has those of the container's user namespace, new or joined")
    func ofTheNamespace() throws {
        func inNamespace(_ container: TestContainer) {
            container.spec.linux.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)]
            container.spec.linux.gidMappings = container.spec.linux.uidMappings
            container.spec.linux.namespaces.append(LinuxNamespace(.user))
            for path in ["", "/tmp", "/dev", "/etc"] { chown(container.rootfs + path, 100_000, 100_000) }
        }
        let first = try Self.container(["bind", "idmap"]) { _ in }
        inNamespace(first)
        let result = try Self.run(first)
        #expect(result.output.hasPrefix("5:6\n"), "\(result.output)\(result.errors)")

        let holder = try TestContainer(.ours)
        inNamespace(holder)
        try holder.createAndStart()
        let pid = try #require(try holder.state()["pid"]?.integer)
        let second = try Self.container(["bind", "idmap"]) { _ in }
        chown(second.rootfs, 100_000, 100_000)
        second.spec.linux.namespaces.append(LinuxNamespace(.user, path: "/proc/\(pid)/ns/user"))
        let joined = try Self.run(second)
        #expect(joined.output.hasPrefix("5:6\n"), "\(joined.output)\(joined.errors)")
    }

    @Test("What cannot be mapped is refused, naming the mount")
    func refusals() throws {
        let table: [([String], String, (inout RuntimeMount) -> Void)] = [
            (["bind", "idmap"], "must have both uid and gid mappings", { _ in }),
            (["bind", "idmap"], "must have both uid and gid mappings", { $0.uidMappings = Self.mapping(0, 1) }),
            (
                ["idmap", "size=1k"], "only supported for bind-mounts",
                { ($0.type, $0.uidMappings) = ("tmpfs", Self.mapping(0, 1)) }
            ),
            (
                ["bind"], "/proc cannot be id-mapped",
                {
                    $0.source = "/proc"
                    ($0.uidMappings, $0.gidMappings) = (Self.mapping(0, 1), Self.mapping(0, 1))
                }
            ),
        ]
        for (options, words, change) in table {
            let container = try Self.container(options, change)
            let result = try Self.run(container)
            let index = container.spec.mounts.count - 1
            #expect(result.code == 1 && result.errors.contains("mounts[\(index)]"), "\(result.errors)")
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(try container.leftovers() == [])
        }
    }
}
