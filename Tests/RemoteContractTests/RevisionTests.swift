import EngineAPI
import Testing

/// What is served again and again is compared with what the engine itself says, after each thing that changes it.
@Suite struct RevisionTests {
    /// What a client may see change.
    private struct Sight: Hashable, CustomStringConvertible {
        var facts: [String]

        var description: String { facts.joined(separator: " | ") }

        init(_ engine: any Engine, _ id: String) async throws {
            let details = try await engine.inspect(id)
            let rows = try await engine.containers(ContainerFilter(all: true)).filter { $0.id == id }
            facts = [
                details.name, "\(details.state.status)", "\(details.state.pid)", "\(details.state.exitCode)",
                "\(details.execIDs)", "\(details.spec.limits.memoryBytes ?? 0)", "\(details.launch.count)",
                "\(details.spec.restartPolicy)",
                "\(details.networks.map { "\($0.networkName) \($0.ipv4Address)" })", "\(details.state.error)",
                "\(rows.map { "\($0.name) \($0.state.status) \($0.networks.map(\.networkName))" })",
            ]
        }
    }

    @Test(
        "Whoever asks again and again sees each change as soon as it was answered",
        .enabled(
            if: ServedEngine.missing == nil,
            "needs root, busybox-static, and gantry-shim and gantry-runtime beside the tests"))
    func changes() async throws {
        let served = try await ServedEngine()
        let (remote, local) = (served.remote, served.local)
        var spec = ContainerSpec(image: "gantry/starter")
        spec.command = ["sleep", "1000"]
        spec.networkMode = NetworkMode(rawValue: "one")
        _ = try await remote.createNetwork(NetworkSpec(name: "one"))
        _ = try await remote.createNetwork(NetworkSpec(name: "two"))
        let id = try await remote.create(spec, name: "first").id
        var update = ContainerUpdate()
        update.limits.memoryBytes = 64 << 20
        let memory = update
        var exec = ExecSpec(command: ["sleep", "1000"])
        exec.attachStdout = false
        let command = exec
        let steps: [(String, @Sendable () async throws -> Void)] = [
            ("start", { try await remote.start(id) }), ("pause", { try await remote.pause(id) }),
            ("unpause", { try await remote.unpause(id) }), ("rename", { try await remote.rename(id, to: "second") }),
            ("update", { _ = try await remote.update(id, memory) }),
            ("exec", { try await remote.startExecDetached(try await remote.createExec(id, command)) }),
            ("connect", { try await remote.connect(id, to: "two", EndpointSpec()) }),
            ("disconnect", { try await remote.disconnect(id, from: "one", force: false) }),
            ("restart", { try await remote.restart(id, signal: "KILL", timeoutSeconds: 0) }),
            (
                "kill",
                {
                    try await remote.kill(id, signal: "KILL")
                    _ = try await remote.wait(id, for: .notRunning)
                }
            ),
        ]
        var last = try await Sight(remote, id)
        for (name, step) in steps {
            for _ in 0..<3 { _ = try await Sight(remote, id) }
            try await step()
            // What goes on by itself, as the way out of a network after an end, is over when two looks are the same.
            var (truth, seen) = (try await Sight(local, id), try await Sight(remote, id))
            while true {
                let again = try await Sight(local, id)
                if again == truth { break }
                (truth, seen) = (again, try await Sight(remote, id))
            }
            #expect(seen == truth, "after \(name)")
            #expect(seen != last, "\(name) changed nothing")
            last = truth
        }
        try await remote.remove(id, force: true, volumes: true)
        await #expect(throws: EngineError.self) { try await remote.inspect(id) }
        #expect(try await remote.containers(ContainerFilter(all: true)).isEmpty)
        try await served.clear()
    }
}
