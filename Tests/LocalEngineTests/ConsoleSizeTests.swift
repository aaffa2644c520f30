import EngineAPI
import LocalEngine
import Testing

/// What a program finds before any client has told the size of its terminal.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct ConsoleSizeTests {
    @Test("A terminal has the size that its making asks for, from the first command on, until it is told otherwise")
    func sizes() async throws {
        try await EngineBench.with { engine, bench in
            let script = "stty size >/tmp/size; mv /tmp/size /size; exec sleep 1000"
            let id = try await bench.create(script, on: engine) { spec in
                (spec.tty, spec.consoleSize) = (true, TerminalSize(columns: 71, rows: 19))
            }
            try await engine.start(id)
            func size() async throws -> String? { try? await EngineBench.text(of: "/size", id, engine) }
            #expect(try await eventually { try await size() == "19 71\n" })
            #expect(try await engine.inspect(id).spec.consoleSize == TerminalSize(columns: 71, rows: 19))

            var spec = ExecSpec(command: ["sh", "-c", "stty size >/exec"])
            (spec.tty, spec.consoleSize) = (true, TerminalSize(columns: 66, rows: 22))
            for (size, expected) in [(nil, "22 66\n"), (TerminalSize(columns: 55, rows: 11), "11 55\n")] {
                let exec = try await engine.createExec(id, spec)
                #expect(try await engine.inspect(id).execIDs == [exec], "made, and yet to be started")
                let stream = try await engine.startExec(exec, size: size)
                while try await stream.read() != nil {}
                await stream.close()
                #expect(try await EngineBench.text(of: "/exec", id, engine) == expected)
                #expect(try await eventually { try await engine.inspect(id).execIDs == [] })
            }
        }
    }
}
