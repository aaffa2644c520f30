import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// Callers that leave the runtime less than a program expects: closed standard streams, signals that they ignore.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct InheritedStateTests {
    /// Runs the runtime out of a shell that has done `preparation` and applies `redirection` to it.
    private func run(
        _ container: TestContainer, _ words: [String], after preparation: String = "true", _ redirection: String = ""
    ) throws -> RuntimeUnderTest.Result {
        let script = "\(preparation); exec \(container.runtime.path) \"$@\" \(redirection)"
        // Of dash, no program inherits that SIGCHLD is ignored.
        return try RuntimeUnderTest(name: "bash", path: "/bin/bash").runPlain(
            ["-c", script, "bash", "--root", container.root] + words, in: container.bundle)
    }

    @Test(
        "CVE-2024-21626: a standard stream that the caller has closed is the null device and no file of the runtime's",
        arguments: [(0, "<&-"), (1, ">&-"), (2, "2>&-"), (2, "<&- >&- 2>&-")])
    func closedStreams(_ number: Int, _ redirection: String) throws {
        let container = try TestContainer(.ours)
        container.spec.process?.user.uid = 1000
        container.grant("CAP_CHOWN")
        try container.write()
        #expect(try run(container, ["create", container.id], redirection).code == 0)
        var facts = stat()
        try kernelCall("stat", container.root) { stat("\(container.root)/\(container.id)", &facts) }
        #expect(facts.st_uid == 0, "the runtime's directory was given away")
        let pid = try #require(try container.state()["pid"]?.integer)
        try kernelCall("stat", "stream") { stat("/proc/\(pid)/fd/\(number)", &facts) }
        #expect(facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0x103)
    }

    @Test("CVE-2024-21626: nor is a program of the host found by it", arguments: ["<&-", ">&-", "2>&-"])
    func programByClosedStream(_ redirection: String) throws {
        let container = try TestContainer(.ours)
        chmod("\(try container.hostFolder())/secret", 0o755)
        for number in 0...2 {
            container.spec.process?.args = ["/proc/self/fd/\(number)/../../host/secret"]
            try container.write()
            #expect(try run(container, ["create", container.id], redirection).code == 1)
            #expect(try container.leftovers() == [])
        }
    }

    @Test("CVE-2024-21626: a directory is no standard stream, of a container or of an exec")
    func directoryAsStream() throws {
        let container = try TestContainer(.ours)
        let host = try container.hostFolder()
        container.spec.process?.user.uid = 1000
        try container.write()
        let created = try run(container, ["create", container.id], "< \(host)")
        #expect(created.code == 1 && created.errors.contains("use as a standard stream"), "\(created.errors)")
        #expect(try container.leftovers() == [])
        try container.createAndStart()
        let words = ["exec", "--cwd", "/proc/self/fd/0", container.id, "cat", "secret"]
        let result = try run(container, words, "< \(host)")
        #expect(result.code == 255 && result.output == "", "\(result.output)")
        var facts = stat()
        try kernelCall("stat", host) { stat(host, &facts) }
        #expect(facts.st_uid == 0)
        try container.expectHostUntouched(host)
    }

    @Test("A caller that ignores SIGCHLD gets the codes of run and exec, and its hooks are run")
    func ignoredChildren() throws {
        let container = try TestContainer(.ours, ["sh", "-c", "exit 7"])
        container.spec.hooks.createRuntime = [RuntimeHook(path: "/bin/true", args: ["true"])]
        try container.write()
        let result = try run(container, ["run", container.id], after: "trap '' CHLD")
        #expect(result.code == 7, "\(result.errors)")
        #expect(try container.leftovers() == [])
        container.spec.process?.args = ["sleep", "60"]
        try container.createAndStart()
        let exec = try run(container, ["exec", container.id, "sh", "-c", "exit 3"], after: "trap '' CHLD")
        #expect(exec.code == 3, "\(exec.errors)")
    }
}
