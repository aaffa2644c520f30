import EngineAPI
import Terminal
import Testing

@testable import Interface

/// What is told of containers that do not run, or do not do well.
@Suite struct StopReportTests {
    private static func inspects(_ bench: inout Bench) -> [Effect] {
        bench.takeEffects().filter { if case .inspect = $0 { true } else { false } }
    }

    @Test("Details of a stopped container are asked for once for each of its ends")
    func asks() throws {
        var bench = try Bench.connected()
        #expect(Self.inspects(&bench) == [])
        bench.type("jjj")
        #expect(Self.inspects(&bench) == [.inspect(Sample.id(4), .explainStop)])
        bench.send(.containers(Sample.containers))
        #expect(Self.inspects(&bench) == [])
        var list = Sample.containers
        list[3].state.finishedAt = Sample.now
        bench.send(.containers(list))
        #expect(Self.inspects(&bench) == [.inspect(Sample.id(4), .explainStop)])
    }

    @Test("It says how it ended, why, how long it ran and whether it is started again")
    func report() throws {
        var details = Sample.details(Sample.containers[3])
        details.state.oomKilled = true
        details.state.error = "shim lost"
        details.state.startedAt = Sample.ago(800)
        details.restartCount = 3
        details.spec.restartPolicy = RestartPolicy(.onFailure, maximumRetries: 5)
        var bench = try Bench.connected(200, 50)
        bench.type("jjj")
        bench.send(.inspected(details, .explainStop))
        for text in [
            "exited 137: killed, out of memory", "shim lost", "ran 5m, ended 8m ago",
            "restart on-failure (at most 5), done 3×", "command: sh",
        ] { #expect(bench.text.contains(text), "\(text)") }
        bench.type("j")
        #expect(bench.text.contains("created, not started") && !bench.text.contains("shim lost"))
    }

    @Test("A start that failed is told with its error")
    func failedStart() throws {
        var details = Sample.details(Sample.containers[4])
        details.state.error = "exec: \"nosuch\": executable file not found in $PATH"
        let report = StopReport(Sample.containers[4], details, at: Sample.now)
        #expect(report.lines.map(\.text).prefix(2) == ["could not be started", details.state.error])
    }

    @Test("Health is told in the list, counted in its title and filtered by", arguments: [80, 44])
    func health(columns: Int) throws {
        var list = Sample.containers
        list[0].state.health = HealthState(status: .unhealthy)
        list[1].state.health = HealthState(status: .healthy)
        list[2].state.health = HealthState(status: .unhealthy)
        var bench = try Bench.connected(columns, 24, containers: list)
        #expect(bench.text.contains(columns >= 60 ? "▲ unhealthy web" : "▲R"))
        #expect(bench.text.contains("· 2 unhealthy"))
        if columns >= 60 { #expect(bench.text.contains("● healthy   database")) }
        bench.type("/unhealthy")
        #expect(bench.model.containers.rows.map(\.name) == ["web", "batch-of-the-night"])
    }

    @Test("A short word finds names alone, and no id by chance")
    func filterIDs() throws {
        var bench = try Bench.connected()
        bench.type("/aa")
        #expect(bench.model.containers.rows.isEmpty)
        bench.type("aa")
        #expect(bench.model.containers.rows.count == 5)
    }

    @Test("A long name leaves room for what stands beside it")
    func longNames() throws {
        let name = String(repeating: "long-name-", count: 20)
        var bench = try Bench.connected(
            80, 24, containers: [Sample.container(id: Sample.id(1), name: name, .running)])
        bench.openConsole()
        #expect(bench.text.contains("a attaches"))
        bench.type("m")
        #expect(bench.row(0).contains("following"))
    }

    @Test("The inspection tells ports, networks, health and how long each step of the launch took")
    func inspection() throws {
        var details = Sample.details(Sample.containers[0])
        details.ports = NetworksScreenTests.containers()[0].ports
        details.networks = NetworksScreenTests.containers()[0].networks
        details.networks[0].ipv4PrefixLength = 24
        details.state.health = HealthState(
            status: .unhealthy, failingStreak: 2,
            log: [HealthResult(start: Sample.ago(2), end: Sample.ago(1), exitCode: 1, output: "no\nanswer\n")])
        details.spec.healthCheck = HealthCheck(test: ["CMD", "wget", "-q O", "localhost"])
        details.spec.healthCheck?.interval = .seconds(90)
        func step(_ name: LaunchStep.Name, _ milliseconds: Int64) -> LaunchStep {
            LaunchStep(
                name, at: Timestamp(nanosecondsSinceEpoch: Sample.now.nanosecondsSinceEpoch + milliseconds * 1_000_000))
        }
        details.launch = [
            step(.payloadAccepted, 0), step(.imageResolved, 1), step(.startAccepted, 100), step(.specBuilt, 102),
            step(.processStarted, 142),
        ]
        var bench = try Bench.connected(100, 80)
        bench.send(.inspected(details, .show))
        for text in [
            "80/tcp  0.0.0.0:8080", "front      joined", "  address  10.7.0.2/24", "1: no ⏎ answer",
            "2.0 ms  +   2.0 ms  █", "42.0 ms  +  40.0 ms  ████████████████████████", "restart policy",
            #"wget "-q O" localhost"#, "every 1m30s, fails after 30.0s, unhealthy after 3 in a row",
        ] { #expect(bench.text.contains(text), "\(text)") }
    }

    @Test("The list tells apart what ended by itself and what took too much memory")
    func outOfMemory() throws {
        var list = Sample.containers
        list[3].state.oomKilled = true
        let bench = try Bench.connected(containers: list)
        #expect(bench.text.contains("■ oom 137   failed"))
    }

    @Test("What the last health check said stands over the figures of one that does not do well")
    func illness() throws {
        var list = Sample.containers
        func check(_ code: Int32, _ output: String) -> HealthResult {
            HealthResult(start: Sample.ago(2), end: Sample.ago(1), exitCode: code, output: output)
        }
        list[0].state.health = HealthState(
            status: .unhealthy, failingStreak: 4, log: [check(0, "well"), check(1, "no\nanswer\n")])
        var bench = try Bench.connected(containers: list)
        bench.fillFigures()
        #expect(bench.text.contains("unhealthy, 4 checks failed: no answer") && bench.text.contains("cpu  9.0%"))
        list[0].state.health = HealthState(status: .starting, failingStreak: 1, log: [check(1, "")])
        bench.send(.containers(list))
        #expect(bench.text.contains("1 check failed") && !bench.text.contains("unhealthy"))
        list[0].state.health = HealthState(status: .healthy, log: [check(1, "old"), check(0, "well")])
        bench.send(.containers(list))
        #expect(!bench.text.contains("failed:") && !bench.text.contains("old"))
    }

    @Test("A value of the inspection is copied alone, a section whole, a file's line without its number")
    func copies() throws {
        var details = Sample.details(Sample.containers[0])
        details.environment = ["PATH=/bin", "MODE=a b"]
        var bench = try Bench.connected(100, 80)
        bench.send(.inspected(details, .show))
        func copied() -> [Effect] { bench.takeEffects().filter { if case .copy = $0 { true } else { false } } }
        bench.type("/MODE<enter>y")
        #expect(copied() == [.copy("a b")] && bench.model.status?.text == "copied a b")
        bench.type("kky")
        #expect(copied() == [.copy("PATH=/bin\nMODE=a b")] && bench.model.status?.text == "copied 2 lines")
        bench.type("zy")
        #expect(copied() == [.copy("PATH=/bin\nMODE=a b")], "folded or not")
        bench.type("<esc>f")
        bench.send(.files(FilesScreenTests.place("/"), .success(FilesScreenTests.root)))
        bench.type("jjv")
        for case .file(let request) in bench.model.subscriptions {
            bench.send(.file(request, .success(Array("one\n  two\n".utf8))))
        }
        bench.type("jy")
        #expect(copied() == [.copy("  two")])
    }

    @Test("That a container runs is not said any more once it does not")
    func staleWords() throws {
        var bench = try Bench.connected()
        let web = EngineAction.Target(id: Sample.id(1), name: "web")
        func succeed(_ action: EngineAction, _ result: JobResult) throws {
            _ = bench.model.begin(action, "do it")
            bench.send(.job(try #require(bench.model.jobs.last?.id), .succeeded(result)))
        }
        func die(_ name: String) {
            bench.send(
                .event(
                    .init(
                        kind: .container, action: "die", actorID: Sample.id(1), attributes: ["name": name],
                        time: Sample.now)))
        }
        let actions: [(EngineAction, Bool)] = [
            (.start(web), false), (.restart(web), false), (.unpause(web), false), (.stop(web), true),
        ]
        for (action, stays) in actions {
            try succeed(action, .done("so it is"))
            die("other")
            #expect(bench.model.status?.text == "so it is", "\(action)")
            die("web")
            #expect((bench.model.status != nil) == stays, "\(action)")
        }
        let made = Sample.container(id: Sample.id(9), name: "made", .running, age: 0)
        try succeed(.start(web), .created(made, warnings: []))
        #expect(bench.model.status?.text == "made runs")
        die("made")
        #expect(bench.model.status == nil)
    }
}
