import EngineAPI

extension ContractCase {
    static let stdioCases = [
        ContractCase("Who attaches before the start misses no byte, and streams are kept apart") { scene in
            let output = try await scene.run("echo out; echo err >&2; exit 9")
            try expectEqual(output.stdout, "out\n")
            try expectEqual(output.stderr, "err\n")
            try expectEqual(output.exitCode, 9)
        },
        ContractCase("Much output arrives whole and in order") { scene in
            let output = try await scene.run("seq 1 50000")
            let expected = (1...50000).map { "\($0)\n" }.joined()
            try expect(output.stdout == expected, "\(output.stdout.utf8.count) of \(expected.utf8.count) bytes")
        },
        ContractCase("Input reaches the program, and its end ends it") { scene in
            let id = try await scene.create("cat; echo done") { spec in
                spec.openStdin = true
                spec.stdinOnce = true
            }
            let facts = try await scene.engine.stdioFacts(id)
            let spec = try await scene.engine.inspect(id).spec
            try expect(facts == StdioFacts(id: id, spec) && facts.openStdin && !facts.tty, "\(facts)")
            let stream = try await scene.engine.attach(id, AttachRequest(stdin: true))
            try await scene.engine.start(id)
            try await stream.write(Array("one\n".utf8))
            try await stream.write(Array("two\n".utf8))
            try await stream.closeInput()
            try expectEqual(try await Output(reading: stream).stdout, "one\ntwo\ndone\n")
        },
        ContractCase("A container with a terminal has one, of the size it is given") { scene in
            let id = try await scene.create("read line; test -t 0 && stty size") { spec in
                spec.tty = true
                spec.openStdin = true
            }
            let stream = try await scene.engine.attach(id, AttachRequest(stdin: true))
            try await scene.engine.start(id)
            try await scene.engine.resize(id, to: TerminalSize(columns: 93, rows: 27))
            try await stream.write(Array("\n".utf8))
            let text = try await Output(reading: stream).stdout
            try expect(text.contains("27 93\r\n"), "`\(text)`")
        },
        ContractCase("Two that are attached see the same") { scene in
            let id = try await scene.create("echo both; sleep 0.2; echo ends")
            let first = try await scene.engine.attach(id, AttachRequest())
            let second = try await scene.engine.attach(id, AttachRequest())
            try await scene.engine.start(id)
            try expectEqual(try await Output(reading: first).stdout, "both\nends\n")
            try expectEqual(try await Output(reading: second).stdout, "both\nends\n")
        },
        ContractCase("Who detaches leaves the program running") { scene in
            let id = try await scene.start("while :; do echo tick; sleep 0.1; done")
            let stream = try await scene.engine.attach(id, AttachRequest())
            _ = try await stream.read()
            await stream.close()
            try expectEqual(try await scene.engine.inspect(id).state.status, .running)
        },
    ]

    static let execCases = [
        ContractCase("A further process runs in the container, with its own output and exit code") { scene in
            let engine = scene.engine
            let id = try await scene.start("sleep 60") { $0.hostname = "contract-host" }
            var spec = ExecSpec(command: ["sh", "-c", "hostname; echo $WORD >&2; pwd; exit 12"])
            spec.environment = ["WORD=value"]
            spec.workingDirectory = "/tmp"
            let exec = try await engine.createExec(id, spec)
            let before = try await engine.inspectExec(exec)
            try expect(!before.running && before.exitCode == nil, "it runs before it is started")
            let output = try await Output(reading: try await engine.startExec(exec, size: nil))
            try expectEqual(output.stdout, "contract-host\n/tmp\n")
            try expectEqual(output.stderr, "value\n")
            try expectEqual(try await ended(exec, engine).exitCode, 12)
            try await expectRefusal(.conflict) { _ = try await engine.startExec(exec, size: nil) }
        },
        ContractCase("A further process takes input and may have a terminal") { scene in
            let engine = scene.engine
            let id = try await scene.start("sleep 60")
            var spec = ExecSpec(command: ["cat"])
            spec.attachStdin = true
            let cat = try await engine.startExec(try await engine.createExec(id, spec), size: nil)
            try await cat.write(Array("through\n".utf8))
            try await cat.closeInput()
            try expectEqual(try await Output(reading: cat).stdout, "through\n")
            var terminal = ExecSpec(command: ["stty", "size"])
            terminal.tty = true
            terminal.attachStdin = true
            let exec = try await engine.createExec(id, terminal)
            let stream = try await engine.startExec(exec, size: TerminalSize(columns: 101, rows: 33))
            let text = try await Output(reading: stream).stdout
            try expect(text.contains("33 101"), "`\(text)`")
        },
        ContractCase("A further process runs as the user it is given") { scene in
            let engine = scene.engine
            let id = try await scene.start("sleep 60")
            var spec = ExecSpec(command: ["sh", "-c", "id -u; id -g"])
            spec.user = "1234:567"
            let exec = try await engine.createExec(id, spec)
            let output = try await Output(reading: try await engine.startExec(exec, size: nil))
            try expectEqual(output.stdout, "1234\n567\n")
        },
        ContractCase("A detached process runs on without anybody") { scene in
            let engine = scene.engine
            let id = try await scene.start("sleep 60")
            let exec = try await engine.createExec(id, ExecSpec(command: ["sh", "-c", "exit 21"]))
            try await engine.startExecDetached(exec)
            try expectEqual(try await ended(exec, engine).exitCode, 21)
        },
        ContractCase("No further process in a container that does not run, and none that is not there") { scene in
            let engine = scene.engine
            let idle = try await scene.create("true")
            try await expectRefusal(.conflict, "is not running") {
                _ = try await engine.createExec(idle, ExecSpec(command: ["true"]))
            }
            try await expectRefusal(.notFound, "No such exec instance") { _ = try await engine.inspectExec("0badbad0") }
        },
    ]

    /// The exec once it has ended. Its end is told after its output's, a moment later.
    private static func ended(_ exec: String, _ engine: any Engine) async throws -> ExecDetails {
        for _ in 0..<1000 {
            let details = try await engine.inspectExec(exec)
            if details.exitCode != nil, !details.running { return details }
            try await ContinuousClock().sleep(for: .milliseconds(10))
        }
        throw ContractFailure(description: "exec \(exec) does not end")
    }

    static let logCases = [
        ContractCase("The log holds what was written, and gives its tail and its streams") { scene in
            let id = try await scene.start("for i in 1 2 3 4 5; do echo $i; done; echo bad >&2")
            _ = try await scene.engine.wait(id, for: .notRunning)
            try expectEqual(try await log(scene, id) { $0.stderr = false }, "1\n2\n3\n4\n5\n")
            try expectEqual(try await log(scene, id) { $0.stdout = false }, "bad\n")
            try expectEqual(
                try await log(scene, id) { request in
                    request.tail = 3
                    request.stderr = false
                }.isEmpty, false)
            var future = LogRequest()
            future.since = Timestamp(nanosecondsSinceEpoch: Timestamp.now().nanosecondsSinceEpoch + 60_000_000_000)
            try expectEqual(try await text(of: try await scene.engine.logs(id, future)), "")
        },
        ContractCase("Who follows the log gets every line until the end") { scene in
            let id = try await scene.start("for i in 1 2 3 4; do echo line $i; sleep 0.05; done")
            try expectEqual(try await log(scene, id) { $0.follow = true }, "line 1\nline 2\nline 3\nline 4\n")
        },
    ]

    private static func log(
        _ scene: ContractScene, _ id: String, _ change: (inout LogRequest) -> Void
    ) async throws -> String {
        var request = LogRequest()
        change(&request)
        return try await text(of: try await scene.engine.logs(id, request))
    }

    private static func text(of stream: EngineStream<LogBatch>) async throws -> String {
        var bytes: [UInt8] = []
        for try await entries in stream { for entry in entries { bytes += entry.bytes } }
        return String(decoding: bytes, as: UTF8.self)
    }
}
