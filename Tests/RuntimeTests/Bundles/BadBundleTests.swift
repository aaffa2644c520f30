import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// Bundles, ids, signals and states that a command cannot work with: the words and the code that callers of runc expect,
/// on every runtime that is installed.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct BadBundleTests {
    private static let ours = RuntimeUnderTest.ours

    private func expectRefusal(
        _ container: TestContainer, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try container.create()
        #expect(result.code == 1, "\(result.errors)", sourceLocation: sourceLocation)
        if container.runtime.name == Self.ours.name {
            #expect(result.errors.contains(words), "\(result.errors)", sourceLocation: sourceLocation)
        }
        #expect(try container.leftovers() == [], sourceLocation: sourceLocation)
    }

    @Test("A root file system that is missing, no directory or a loop is refused", arguments: RuntimeUnderTest.all)
    func root(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["true"])
        symlink("loop", "\(container.bundle)/loop")
        symlink("nowhere", "\(container.bundle)/dangling")
        try FileContents.replace("\(container.bundle)/file", with: [], durable: false)
        for (path, words) in [
            ("missing", "no such file or directory"), ("loop", "too many levels"), ("dangling", "no such file"),
            ("file", "not a directory"), ("file/deeper", "not a directory"),
            (String(repeating: "x", count: 300), "too long"),
        ] {
            container.spec.root?.path = path
            try expectRefusal(container, words)
        }
    }

    @Test("A root that is relative, has dots or is a link is found", arguments: RuntimeUnderTest.all)
    func relativeRoot(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["echo", "found"])
        for path in ["rootfs", "./rootfs", "../bundle/rootfs", "rootfs/../rootfs/."] {
            container.spec.root?.path = path
            let result = try container.run()
            #expect(result.output == "found\n", "\(path): \(result.errors)")
        }
    }

    @Test("A bundle that is missing, empty or a loop is refused", arguments: RuntimeUnderTest.all)
    func bundle(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try Directory.create("\(container.folder)/empty")
        symlink("loop", "\(container.folder)/loop")
        for (path, words) in [("missing", "no such file"), ("empty", "config.json"), ("loop", "loop")] {
            let result = try container.command("create", "--bundle", "\(container.folder)/\(path)", container.id)
            #expect(result.code == 1)
            #expect(result.errors.contains(words), "\(path): \(result.errors)")
            #expect(try container.leftovers() == [])
        }
    }

    @Test(
        "An id that is no file's name is refused by every command", arguments: RuntimeUnderTest.all,
        ["", ".", "..", "a/b", "../a", "/", "a b", "a\nb", "ä", "a@1", String(repeating: "x", count: 1025)])
    func ids(_ runtime: RuntimeUnderTest, _ id: String) throws {
        let container = try TestContainer(runtime)
        try container.write()
        for command in ["create", "run", "state", "start", "kill", "delete", "pause", "resume", "ps", "exec"] {
            let rest = command == "exec" ? [id, "true"] : [id]
            let result = try runtime.run([command] + rest, root: container.root, in: container.bundle)
            #expect(result.code != 0 && result.output == "", "\(command): \(result.output)")
            #expect(!result.errors.isEmpty)
        }
        #expect(try container.leftovers() == [])
    }

    @Test("A longer id than a file's name can be leaves nothing")
    func longID() throws {
        let container = try TestContainer(Self.ours)
        try container.write()
        let result = try container.command("create", String(repeating: "x", count: 300))
        #expect(result.code == 1 && result.errors.contains("file name too long"), "\(result.errors)")
        #expect(((try? Directory.list(container.root)) ?? []) == [])  // Not even the root need be there.
    }

    @Test("A signal that does not exist is refused, and the container runs on", arguments: RuntimeUnderTest.all)
    func signals(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        try container.createAndStart()
        // runc takes any whole number and the empty word.
        let others = ["", "99999999999", "-9x", "RTMIN+99", "SIG"]
        for name in ["FOO", "SIGFOO"] + (runtime.name == Self.ours.name ? others : []) {
            let result = try container.command("kill", container.id, name)
            #expect(result.code == 1, "\(name)")
            #expect(result.errors.contains("unknown signal"), "\(name): \(result.errors)")
            #expect(result.errors.contains(name))
        }
        #expect(try container.status() == "running")
    }

    @Test("A command in the wrong state is refused with runc's words", arguments: RuntimeUnderTest.all)
    func states(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        func refuse(_ words: [String], _ message: String, code: Int32 = 1) throws {
            let result = try runtime.run(words, root: container.root, in: container.bundle)
            #expect(result.code == code, "\(words): \(result.errors)")
            #expect(result.errors.contains(message), "\(words): \(result.errors)")
        }
        #expect(try container.create().code == 0)
        try refuse(["resume", container.id], "not paused")
        #expect(try container.command("start", container.id).code == 0)
        try refuse(["start", container.id], "cannot start an already running container")
        try refuse(["resume", container.id], "not paused")
        try refuse(["delete", container.id], "is not stopped: running")
        #expect(try container.command("pause", container.id).code == 0)
        try refuse(["exec", container.id, "true"], "paused container", code: 255)
        try refuse(["delete", container.id], "is not stopped: paused")
        #expect(try container.command("resume", container.id).code == 0)
        #expect(try container.command("kill", container.id, "KILL").code == 0)
        try container.waitForEnd()
        try refuse(["start", container.id], "cannot start a container that has stopped")
        try refuse(["kill", container.id], "container not running")
        try refuse(["pause", container.id], "not running")
        try refuse(["exec", container.id, "true"], "cannot exec in a stopped container", code: 255)
        #expect(try container.command("delete", container.id).code == 0)
        try refuse(["delete", container.id], "container does not exist")
        #expect(try container.leftovers() == [])
    }

    @Test("Numbers of options that cannot be are refused")
    func numbers() throws {
        let container = try TestContainer(Self.ours, ["true"])
        try container.write()
        for number in ["-1", "2147483647", "99999999999", "x", "500"] {
            let result = try container.command("create", "--preserve-fds", number, container.id)
            #expect(result.code == 1, "\(number)")
            #expect(try container.leftovers() == [])
        }
    }
}
