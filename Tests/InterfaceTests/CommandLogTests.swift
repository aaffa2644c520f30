import EngineAPI
import Testing

@testable import Interface

@Suite struct CommandLogTests {
    private static func lines(_ bench: Bench) -> [String] { bench.model.commands.entries.map { $0.line() } }

    @Test("What is asked of the engine is written down as docker's command line")
    func lines() throws {
        let cases: [(row: Int, keys: String, line: String)] = [
            (0, "sy", "docker stop web"), (0, "ry", "docker restart web"), (0, "p", "docker pause web"),
            (2, "p", "docker unpause batch-of-the-night"), (3, "S", "docker start failed"),
            (0, "dy", "docker rm -f web"), (3, "Dy", "docker rm -v failed"),
            (0, "<F9>hup<enter>", "docker kill -s HUP web"), (0, "R<ctrl-u>api<enter>", "docker rename web api"),
            (0, "i", "docker inspect web"), (0, "m", "docker logs -f -n 2000 web"), (0, "E", "docker exec -it web sh"),
            (0, "<ctrl-e><ctrl-u>ls 'a b'<tab>root<enter>", "docker exec -it -u root web ls 'a b'"),
            (0, "Ippostgres:16<enter>", "docker pull postgres:16"),
            (0, "Vndata<enter>", "docker volume create data"),
            (0, "Nnfront<tab><tab>10.7.0.0/24<enter>", "docker network create --subnet 10.7.0.0/24 front"),
            (0, "n<enter>", "docker run -it gantry/starter:latest"),
            (
                0,
                "n<tab>web2<tab>sh -c 'echo $HOME'<tab> <tab><right><tab>64m<tab>1.5<tab>100<tab>/s:/d:ro<tab>A=1<tab><tab>"
                    + "8080:80<enter>",
                "docker run -d --name web2 --restart always -m 64m --cpus 1.5 --pids-limit 100 -v /s:/d:ro -e A=1 "
                    + "-p 8080:80 gantry/starter:latest sh -c 'echo $HOME'"
            ),
        ]
        for (row, keys, line) in cases {
            var bench = try Bench.connected()
            bench.type(String(repeating: "j", count: row) + keys)
            #expect(Self.lines(bench).first == line)
        }
    }

    @Test("Each has its result and what it took; what failed says why")
    func results() throws {
        var bench = try Bench.connected()
        bench.type("sy")
        let id = try #require(bench.model.jobs.first?.id)
        #expect(bench.model.commands.entries[0].outcome == .running)
        let later = Timestamp(nanosecondsSinceEpoch: Sample.now.nanosecondsSinceEpoch + 3_400_000_000)
        bench.send(.tick(later))
        bench.send(.job(id, .failed(EngineError(.conflict, "cannot stop container"))))
        #expect(bench.model.commands.entries[0].outcome == .failed("cannot stop container"))
        #expect(bench.model.commands.entries[0].took == .milliseconds(3400))
        bench.type("ry")
        bench.send(.job(try #require(bench.model.jobs.first?.id), .succeeded(.done("web restarted"))))
        bench.type("@")
        #expect(bench.row(2).contains("✓ docker restart web") && bench.row(2).contains("web restarted"))
        #expect(bench.row(3).contains("3.4s ✗ docker stop web") && bench.row(3).contains("cannot stop"))
        bench.type("j<enter>")
        #expect(bench.text.contains("took 3.4s") && bench.text.contains("cannot stop container"))
        bench.type("<esc>ygantry<enter>")
        #expect(bench.takeEffects().contains(.copy("gantry stop web")))
        bench.type("/restart<enter>")
        #expect(bench.model.commandRows("restart").count == 1)
    }

    @Test("An inspection is done once it is answered, and failed where it is not")
    func inspection() throws {
        var bench = try Bench.connected()
        bench.type("i")
        #expect(bench.model.commands.entries[0].outcome == .running)
        bench.send(.notInspected(Sample.id(1), "Cannot connect"))
        #expect(bench.model.commands.entries[0].outcome == .failed("Cannot connect"))
        #expect(bench.row(22).contains("Cannot connect"))
        bench.type("i")
        bench.send(.inspected(Sample.details(Sample.containers[0]), .show))
        #expect(bench.model.commands.entries[0].outcome == .done(""))
    }

    @Test("An exec's end is told with its code")
    func exec() throws {
        var bench = try Bench.connected()
        bench.type("E")
        let id = try #require(bench.model.shownConsoleID)
        bench.send(.console(id, .ended("ended (3)")))
        #expect(bench.model.commands.entries[0].outcome == .done("ended (3)"))
    }

    @Test("The log is bounded, and forgets the oldest")
    func bounded() {
        var log = CommandLog()
        for number in 0..<600 {
            log.begin(["stop", "c\(number)"], at: Sample.now, from: .job(JobID(number: number)))
        }
        #expect(log.entries.count == CommandLog.capacity && log.entries[0].words[1] == "c599")
        log.end(.job(JobID(number: 0)), .done(""), at: Sample.now)
        log.end(.job(JobID(number: 599)), .done("x"), at: Sample.now)
        #expect(log.entries[0].outcome == .done("x"))
    }

    @Test(
        "Words are quoted as a shell needs it",
        arguments: [
            ("plain-1.2:/x", "plain-1.2:/x"), ("a b", "'a b'"), ("", "''"), ("it's", "'it'\\''s'"), ("$X", "'$X'"),
        ])
    func quoting(word: String, quoted: String) { #expect(ShellWord.quoted(word) == quoted) }

    @Test("A command of a megabyte is kept as far as anybody reads it")
    func longCommands() throws {
        var log = CommandLog()
        log.begin(["run", "image", String(repeating: "x", count: 1 << 20), "rest"], at: Sample.now)
        log.begin(["run"] + Array(repeating: "word", count: 1 << 17), at: Sample.now)
        #expect(log.entries[1].words.last?.hasSuffix("x…") == true)
        #expect(log.entries[0].line().utf8.count < 10_000 && log.entries[0].words.last?.hasSuffix("…") == true)
    }

    @Test("Words that fill the room to its end are followed by none")
    func full() {
        var log = CommandLog()
        let long = String(repeating: "é", count: (CommandLog.lengthLimit - 4) / 2)
        log.begin(["run", long, "y"], at: Timestamp(nanosecondsSinceEpoch: 0))
        #expect(log.entries[0].words == ["run", long, "…"])
    }
}
