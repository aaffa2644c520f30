import Glibc
import JSON
import Linux
import OCI
import Testing

@testable import Runtime

/// Containers of a user without rights: uid 1000, made by setpriv.
@Suite(
    .serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root, to become another user"),
    .timeLimit(.minutes(2)))
struct RootlessTests {
    private static let hasHelpers: Bool = {
        let helpers: [String] = ["/usr/bin/newuidmap", "/usr/bin/newgidmap"]
        return helpers.allSatisfy { access($0, X_OK) == 0 }
    }()

    /// A bundle that belongs to uid 1000, with the runtime beside it, which that user can reach.
    private final class Bundle {
        let container: TestContainer

        init(_ command: [String]) throws {
            container = try TestContainer(.ours, command)
            let program = try FileContents.read(container.runtime.path)
            try FileContents.replace("\(container.folder)/runtime", with: program, mode: 0o755, durable: false)
            container.spec = Invocation.rootlessTemplate(uid: 1000, gid: 1000)
            container.spec.process?.terminal = false
            container.spec.process?.args = command
            container.spec.process?.rlimits = []
            container.spec.root?.readonly = false
        }

        func write() throws {
            try container.write()
            let owned = try Self.plain("/bin/chown", ["-R", "1000:1000", container.folder])
            #expect(owned.code == 0, "\(owned.errors)")
        }

        /// Runs the runtime as uid 1000 and no group but 1000.
        func runtime(_ words: String..., global: [String] = []) throws -> RuntimeUnderTest.Result {
            try write()
            return try Self.plain(
                "/usr/bin/setpriv", user + global + words, in: container.bundle)
        }

        var user: [String] {
            [
                "--reuid", "1000", "--regid", "1000", "--clear-groups", "--inh-caps=-all",
                "\(container.folder)/runtime", "--root", "\(container.folder)/state-1000",
            ]
        }

        static func plain(
            _ program: String, _ words: [String], in directory: String? = nil
        ) throws -> RuntimeUnderTest.Result {
            try RuntimeUnderTest(name: PathName.split(program).name, path: program).runPlain(words, in: directory)
        }
    }

    @Test("An ordinary user runs a container as its root, which is that user outside")
    func run() throws {
        let bundle = try Bundle(["sh", "-c", "id -u; echo $$; cat /proc/self/uid_map; touch /made; hostname"])
        let result = try bundle.runtime("run", bundle.container.id)
        #expect(result.code == 0, "\(result.errors)")
        let words = result.output.split { $0 == "\n" || $0 == " " }
        #expect(words == ["0", "1", "0", "1000", "1", "gantry"])
        var facts = stat()
        #expect(stat("\(bundle.container.rootfs)/made", &facts) == 0)
        #expect(facts.st_uid == 1000)
    }

    @Test("create, start, exec, state, kill and delete work for an ordinary user without a cgroup")
    func lifecycle() throws {
        let bundle = try Bundle(["sleep", "60"])
        let id = bundle.container.id
        let created = try bundle.runtime("create", id)
        try #require(created.code == 0, "\(created.errors)")
        #expect(try bundle.runtime("start", id).code == 0)
        let exec = try bundle.runtime("exec", id, "sh", "-c", "id -u; ps | grep -c sleep")
        #expect(exec.output.hasPrefix("0\n"), "\(exec.errors)")
        let state = try JSONValue(parsing: try bundle.runtime("state", id).output)
        #expect(state["status"]?.string == "running")
        #expect(try bundle.runtime("kill", id, "KILL").code == 0)
        let deleted = try bundle.runtime("delete", "--force", id)
        #expect(deleted.code == 0, "\(deleted.errors)")
        #expect(try bundle.container.leftovers() == [])
    }

    @Test("Limits, or a certain cgroup, that an ordinary user may not have are refused")
    func cgroups() throws {
        let bundle = try Bundle(["true"])
        bundle.container.spec.linux.resources = LinuxResources()
        bundle.container.spec.linux.resources?.pids = LinuxPids(limit: 10)
        let limited = try bundle.runtime("run", bundle.container.id)
        #expect(limited.code == 1)
        #expect(limited.errors.contains("rootless needs no limits + no cgrouppath"), "\(limited.errors)")
        #expect(limited.errors.contains("permission denied"))
        bundle.container.spec.linux.resources = nil
        bundle.container.spec.linux.cgroupsPath = "/gantry-nobody"
        let placed = try bundle.runtime("run", bundle.container.id)
        #expect(placed.code == 1)
        #expect(placed.errors.contains("unable to apply cgroup configuration"), "\(placed.errors)")
        bundle.container.spec.linux.cgroupsPath = nil
        let strict = try bundle.runtime("run", bundle.container.id, global: ["--rootless", "false"])
        #expect(strict.code == 1)
        #expect(strict.errors.contains("permission denied"), "\(strict.errors)")
        let wrong = try bundle.runtime("list", global: ["--rootless", "maybe"])
        #expect(wrong.code == 1)
    }

    @Test("Without a user namespace an ordinary user gets no container")
    func noUserNamespace() throws {
        let bundle = try Bundle(["true"])
        bundle.container.spec.linux.namespaces.removeAll { $0.kind == .user }
        bundle.container.spec.linux.uidMappings = []
        bundle.container.spec.linux.gidMappings = []
        let result = try bundle.runtime("run", bundle.container.id)
        #expect(result.code == 1)
        #expect(result.errors.contains("rootless container requires user namespaces"), "\(result.errors)")
    }

    @Test("Subordinate ids are mapped by newuidmap and newgidmap", .enabled(if: hasHelpers, "uidmap is not installed"))
    func subordinate() throws {
        let bundle = try Bundle(["sh", "-c", "cat /proc/self/uid_map; id -u; id -G"])
        bundle.container.spec.linux.uidMappings.append(LinuxIDMapping(containerID: 1, hostID: 100_000, size: 500))
        bundle.container.spec.linux.gidMappings.append(LinuxIDMapping(containerID: 1, hostID: 100_000, size: 500))
        bundle.container.spec.process?.user.uid = 7
        bundle.container.spec.process?.user.additionalGids = [9]
        try bundle.write()
        let name = "u\(getpid())"
        let files = [("passwd", "\(name):x:1000:1000::/:/bin/sh\n"), ("subuid", "1000:100000:500\n")]
        for (file, text) in files + [("subgid", "1000:100000:500\n")] {
            try FileContents.replace(
                "\(bundle.container.folder)/\(file)", with: Array(text.utf8), mode: 0o644, durable: false)
        }
        let mounts = ["passwd", "subuid", "subgid"].map { "mount --bind \(bundle.container.folder)/\($0) /etc/\($0)" }
        let script = (mounts + ["exec setpriv \"$@\""]).joined(separator: " && ")
        let private_ = ["--mount", "--propagation", "private", "/bin/sh", "-c", script, "sh"]
        let result = try Bundle.plain(
            "/usr/bin/unshare", private_ + bundle.user + ["run", bundle.container.id], in: bundle.container.bundle)
        #expect(result.code == 0, "\(result.errors)")
        let words = result.output.split { $0 == "\n" || $0 == " " }
        #expect(words == ["0", "1000", "1", "1", "100000", "500", "7", "0", "9"])
        // What nobody gave the user is refused in the helper's words.
        bundle.container.spec.linux.uidMappings[1].size = 501
        try bundle.write()
        let refused = try Bundle.plain(
            "/usr/bin/unshare", private_ + bundle.user + ["run", bundle.container.id], in: bundle.container.bundle)
        #expect(refused.code == 1)
        #expect(refused.errors.contains("not allowed"), "\(refused.errors)")
    }
}
