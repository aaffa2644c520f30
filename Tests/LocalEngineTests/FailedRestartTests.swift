import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Starts that the restart policy wants and that fail.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct FailedRestartTests {
    @Test("A container whose program is away for a while is started once it is back, and no end is told meanwhile")
    func comesBack() async throws {
        try await EngineBench.with { engine, bench in
            let place = "\(bench.root)/place"
            let program = try Self.makeProgram(in: place)
            let id = try await bench.create("", on: engine) { spec in
                spec.command = ["/place/program"]
                spec.restartPolicy = RestartPolicy(.always)
                spec.mounts = [MountSpec(.bind, source: place, target: "/place")]
            }
            try await engine.start(id)
            #expect(rename(program, program + "-away") == 0)
            let pid = try await engine.inspect(id).state.pid
            kill(pid, SIGKILL)
            try await until { try await engine.inspect(id).restartCount >= 3 }
            var state = try await engine.inspect(id).state
            #expect(state.status == .restarting && state.exitCode == 137)
            #expect(state.error.contains("/place/program"))
            #expect(rename(program + "-away", program) == 0)
            try await until { try await engine.inspect(id).state.status == .running }
            state = try await engine.inspect(id).state
            #expect(state.error.isEmpty)
            var request = EventRequest()
            request.since = Timestamp(nanosecondsSinceEpoch: 0)
            request.until = .now()
            var actions: [String] = []
            for try await event in try await engine.events(request) where event.actorID == id {
                actions.append(event.action)
            }
            #expect(actions == ["create", "start", "die", "start"])
        }
    }

    @Test("Who stops a container between two starts that fail is obeyed")
    func stopped() async throws {
        try await EngineBench.with { engine, bench in
            let place = "\(bench.root)/place"
            let program = try Self.makeProgram(in: place)
            let id = try await bench.create("", on: engine) { spec in
                spec.command = ["/place/program"]
                spec.restartPolicy = RestartPolicy(.unlessStopped)
                spec.mounts = [MountSpec(.bind, source: place, target: "/place")]
            }
            try await engine.start(id)
            unlink(program)
            kill(try await engine.inspect(id).state.pid, SIGKILL)
            try await until { try await engine.inspect(id).restartCount >= 2 }
            try await refuses { _ = try await engine.createExec(id, ExecSpec(command: ["true"])) }
            try await refuses { _ = try await engine.attach(id, AttachRequest()) }
            try await refuses { _ = try await engine.top(id, psArguments: []) }
            try await engine.stop(id, signal: nil, timeoutSeconds: 1)
            #expect(try await engine.inspect(id).state.status == .exited)
        }
    }

    private func refuses(_ body: () async throws -> Void) async throws {
        let error = await #expect(throws: EngineError.self) { try await body() }
        #expect(error?.kind == .conflict)
        #expect(error?.message.hasSuffix(" is restarting, wait until the container is running") == true)
    }

    private static func makeProgram(in directory: String) throws -> String {
        mkdir(directory, 0o755)
        let path = "\(directory)/program"
        let file = OwnedDescriptor(try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o755))
        try file.descriptor.writeAll(Array("#!/bin/sh\nexec sleep 1000\n".utf8))
        return path
    }

    private func until(_ holds: () async throws -> Bool) async throws {
        for _ in 0..<3000 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it does not come to that")
    }
}
