import EngineAPI

extension ContractCase {
    static let logDriverCases = [
        ContractCase("The driver local keeps every byte, both streams, and times that sort, over a rotation") { scene in
            let engine = scene.engine
            let begin = Timestamp.now()
            let script =
                "for i in $(seq 1 400); do echo line $i; echo error $i >&2; done; printf 'a\\377\\n'; printf half"
            let id = try await scene.start(script) { spec in
                spec.log.driver = .local
                (spec.log.maximumSizeBytes, spec.log.maximumFiles) = (4096, 20)
            }
            _ = try await engine.wait(id, for: .notRunning)
            var request = LogRequest()
            request.stderr = false
            let lines = try await entries(engine, id, request)
            let text = lines.flatMap(\.bytes)
            let wanted = (1...400).flatMap { Array("line \($0)\n".utf8) } + [97, 255, 10] + Array("half".utf8)
            try expect(text == wanted, "\(text.count) bytes where \(wanted.count) are expected")
            try expect(lines.allSatisfy { $0.time >= begin && $0.time <= .now() }, "times are wrong")
            request.stderr = true
            try expectEqual(try await entries(engine, id, request).count, 802)
            request.tail = 1
            try expectEqual(try await entries(engine, id, request).map(\.bytes), [Array("half".utf8)])
            try expectEqual(try await engine.inspect(id).spec.log.driver, .local)
        },
        ContractCase("A json-file can tell of tag, labels and variables, and is read all the same") { scene in
            let engine = scene.engine
            let id = try await scene.start("echo hi") { spec in
                spec.labels = ["tier": "web", "other": "x"]
                spec.environment = ["OWN=1"]
                spec.log.options = ["tag": "{{.Name}}/{{.ID}}", "labels": "tier", "env-regex": "^OW"]
            }
            _ = try await engine.wait(id, for: .notRunning)
            try expectEqual(try await entries(engine, id, LogRequest()).map(\.bytes), [Array("hi\n".utf8)])
            try expectEqual(try await engine.inspect(id).spec.log.options["labels"], "tier")
            let bad = try await scene.create("true") { $0.log.options = ["tag": "{{.Nonsense}}"] }
            try await expectRefusal(.invalid, "nothing is known of {{.Nonsense}}") { try await engine.start(bad) }
        },
    ]

    private static func entries(
        _ engine: any Engine, _ id: String, _ request: LogRequest
    ) async throws -> [LogEntry] {
        var found: [LogEntry] = []
        for try await some in try await engine.logs(id, request) { found += some }
        return found
    }
}
