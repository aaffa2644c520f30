import Glibc
import Linux
import OCI
import Testing

@testable import Runtime

/// What callers see of hooks beyond their order, which the rules of the specification try.
@Suite(.enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(3)))
struct HookContractTests {
    private static func shell(_ script: String) -> RuntimeHook {
        RuntimeHook(path: "/bin/sh", args: ["sh", "-c", script])
    }

    @Test(
        "How a hook ended is told in Go's words, a signal apart from a code that says the same",
        arguments: RuntimeUnderTest.all)
    func ends(_ runtime: RuntimeUnderTest) throws {
        for (script, words) in [
            ("kill -KILL $$", "error running hook: signal: killed, stdout: , stderr: "),
            ("ulimit -c 0; kill -SEGV $$", "error running hook: signal: segmentation fault, stdout: , stderr: "),
            ("echo out; exit 137", "error running hook: exit status 137, stdout: out"),
        ] {
            let container = try TestContainer(runtime)
            container.spec.hooks.createRuntime = [Self.shell(script)]
            let result = try container.create()
            #expect(result.code == 1 && result.errors.contains(words), "\(script): \(result.errors)")
            #expect(try container.leftovers() == [])
        }
        let slow = try TestContainer(runtime)
        slow.spec.hooks.createRuntime = [RuntimeHook(path: "/bin/sleep", args: ["sleep", "30"], timeoutSeconds: 1)]
        let result = try slow.create()
        #expect(result.errors.contains("hook ran past specified timeout of 1.0s"), "\(result.errors)")
    }

    @Test("The container's limits are its program's and not those of its hooks", arguments: RuntimeUnderTest.all)
    func limits(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "ulimit -n; cat /proc/self/oom_score_adj"])
        var own = rlimit()
        #expect(getrlimit(__rlimit_resource_t(7), &own) == 0)
        let noting = Self.shell(
            "cat >/dev/null; ulimit -n >> \(container.folder)/limits; cat /proc/self/oom_score_adj >> \(container.folder)/scores"
        )
        container.spec.hooks.prestart = [noting]
        container.spec.hooks.createRuntime = [noting]
        container.spec.hooks.createContainer = [noting]
        container.spec.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 99, hard: 100)]
        container.spec.process?.oomScoreAdj = 300
        let result = try container.run()
        #expect(result.output == "99\n300\n", "\(result.errors)")
        #expect(container.lines("limits") == Array(repeating: String(own.rlim_cur), count: 3))
        #expect(container.lines("scores").last == "300")
    }

    @Test("A limit that cannot be set is refused after the hooks as before them, and nothing is left")
    func refusedLimit() throws {
        let container = try TestContainer(.ours)
        container.spec.hooks.createContainer = [Self.shell("cat >/dev/null")]
        // Above what the kernel allows anybody: fs.nr_open.
        container.spec.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 1 << 40, hard: 1 << 40)]
        let result = try container.create()
        #expect(result.code == 1 && result.errors.contains("error setting rlimit type 7"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }
}
