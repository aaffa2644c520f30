import Foundation
import Testing

/// Input in quantity for a process in a container, from docker's client and ours.
@Suite(
    .serialized, .timeLimit(.minutes(3)), .enabled(if: RunningDaemon.missing == nil, "needs root, docker and the build")
)
struct InputTests {
    /// Runs a shell's line, in which `$C` is a client of the daemon's and `$F` a file of forty megabytes.
    private func shell(_ daemon: RunningDaemon, _ client: String, _ line: String) async throws -> Tool.Result {
        try await Tool(
            path: "/bin/sh", arguments: ["-c", line],
            environment: ["C": client, "F": "\(daemon.root)/input", "HOME": daemon.root]
        ).run()
    }

    private func clients(_ daemon: RunningDaemon) throws -> [String] {
        let docker = try #require(Tool.find("docker"))
        return [docker, Tool.gantry].map { "\($0) -H unix://\(daemon.socketPath)" }
    }

    @Test("It arrives whole, to an exec and to a container of its own; an early end holds nobody up")
    func whole() async throws {
        let daemon = try await RunningDaemon()
        let made = try await daemon.docker(
            "run", "-d", "--name", "cc", "--network", "none", "gantry/starter", "sleep", "1000")
        #expect(made.code == 0)
        let sum = try await shell(
            daemon, "", "dd if=/dev/urandom of=$F bs=1M count=40 2>/dev/null; sha256sum <$F")
        for client in try clients(daemon) {
            let exec = try await shell(daemon, client, "cat $F | $C exec -i cc sha256sum")
            #expect(exec.output == sum.output, "\(client): \(exec.errors)")
            let run = try await shell(
                daemon, client, "$C run -i --rm --network none gantry/starter sha256sum <$F")
            #expect(run.output == sum.output, "\(client): \(run.errors)")
            let early = try await shell(daemon, client, "cat $F | $C exec -i cc sh -c 'head -c 100000 | wc -c; exit 7'")
            #expect(early.code == 7 && early.output == "100000\n", "\(client): \(early.errors)")
        }
        try await daemon.end()
    }

    @Test("A client that is killed in the middle has ended an exec's input, behind all that it had sent")
    func killed() async throws {
        let daemon = try await RunningDaemon()
        let made = try await daemon.docker(
            "run", "-d", "--name", "cc", "--network", "none", "gantry/starter", "sleep", "1000")
        #expect(made.code == 0)
        let docker = try #require(Tool.find("docker")) + " -H unix://\(daemon.socketPath)"
        let script =
            "mkfifo $F; $C exec -i cc sh -c 'cat >/all; echo done >/end' <$F & P=$!; exec 3>$F;"
            + " dd if=/dev/zero bs=1M count=20 2>/dev/null >&3; until $C exec cc sh -c 'test $(stat -c %s /all) -eq 20971520';"
            + " do sleep 0.1; done; kill -9 $P; until $C exec cc test -e /end; do sleep 0.1; done; $C exec cc wc -c /all"
        #expect(try await shell(daemon, docker, script).output == "20971520 /all\n")
        try await daemon.end()
    }
}
