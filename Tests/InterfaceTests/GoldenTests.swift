import EngineAPI
import Foundation
import Testing

@testable import Interface

/// Whole screens as text. `GANTRY_UPDATE_GOLDEN=1` writes them anew, to be read before they are committed.
@Suite struct GoldenTests {
    @Test("The main screen looks as agreed", arguments: [(80, 24), (120, 40), (40, 12), (30, 8)])
    func mainScreen(columns: Int, rows: Int) throws {
        var bench = try Bench.connected(columns, rows)
        bench.fillFigures()
        bench.openConsole("/ # echo \u{1b}[31mred\u{1b}[0m 日本\r\nred 日本\r\n/ # ")
        try expect(bench, "main-\(columns)x\(rows)")
    }

    @Test("The picture in the README is what the program draws")
    func readme() throws {
        var bench = try Bench.connected()
        bench.fillFigures()
        let listing = "bin   dev   etc   home  proc  root  run   sbin  sys   tmp   usr   var"
        bench.openConsole("/ # ls\r\n\(listing)\r\n/ # ")
        bench.type("a")
        try expect(bench, "readme-80x24")
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("README.md")
        #expect(try String(contentsOf: file, encoding: .utf8).contains("```text\n\(bench.text)\n```"))
    }

    @Test("An attached console tells how to leave it")
    func attached() throws {
        var bench = try Bench.connected()
        bench.openConsole("/ # ")
        bench.type("a")
        try expect(bench, "attached-80x24")
    }

    @Test("An empty store says which key makes a container")
    func empty() throws {
        try expect(try Bench.connected(80, 24, containers: []), "empty-80x24")
    }

    @Test("The form for a new container shows its fields and what is wrong")
    func form() throws {
        var bench = try Bench.connected()
        bench.type("n<tab>we b<tab><tab><tab>64q")
        try expect(bench, "form-80x24")
    }

    @Test("Before the engine answers the screen says so")
    func connecting() throws { try expect(try Bench(80, 24), "connecting-80x24") }

    @Test("Removing a running container says that it is killed")
    func confirmation() throws {
        var bench = try Bench.connected()
        bench.type("d")
        try expect(bench, "remove-80x24")
    }

    @Test("The help lists every key by its place")
    func help() throws {
        var bench = try Bench.connected()
        bench.type("?")
        try expect(bench, "help-80x24")
    }

    @Test("Networks are shown with their containers, addresses, ports and traffic")
    func networks() throws {
        var bench = try Bench.connected(containers: NetworksScreenTests.containers())
        bench.type("N")
        bench.send(.networks(NetworksScreenTests.networks))
        for second in 0..<2 {
            var sample = Sample.stats(Sample.id(1), second: second)
            var counters = NetworkStats()
            counters.receivedBytes = UInt64(second) * 123_456
            counters.sentBytes = UInt64(second) * 789
            sample.networks["eth0"] = counters
            bench.send(.stats([sample]))
        }
        bench.type("jj")
        try expect(bench, "networks-80x24")
    }

    @Test("Volumes are shown with their sizes and users")
    func volumes() throws {
        var bench = try Bench.connected(containers: NetworksScreenTests.containers())
        bench.type("V")
        var list = NetworksScreenTests.volumes
        list[1].sizeBytes = 3_000_000
        bench.send(.volumes(list))
        try expect(bench, "volumes-80x24")
    }

    @Test("A pull shows its layers over the images")
    func pull() throws {
        var bench = try Bench.connected()
        bench.type("Ippostgres:16<enter>")
        var progress = JobProgress()
        let steps: [(String, ImageLayerStep)] = [
            ("a", .existing), ("b", .pulled), ("c", .unpacking(doneBytes: 30_000_000, totalBytes: 40_000_000)),
            ("d", .downloading(doneBytes: 5_000_000, totalBytes: 64_000_000)), ("e", .waiting),
        ]
        for (letter, step) in steps {
            _ = progress.transfer.take("sha256:" + String(repeating: letter, count: 64), step)
        }
        progress.text = progress.transfer.summary
        bench.send(.job(try #require(bench.model.jobs.first?.id), .progress(progress)))
        try expect(bench, "pull-80x24")
    }

    @Test("The disk usage is told by part and object")
    func usage() throws {
        var bench = try Bench.connected()
        bench.type("U")
        bench.send(.usage(ImagesScreenTests.sampleUsage))
        try expect(bench, "usage-80x24")
    }

    private func expect(_ bench: Bench, _ name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/\(name).txt")
        if ProcessInfo.processInfo.environment["GANTRY_UPDATE_GOLDEN"] != nil {
            try Data((bench.text + "\n").utf8).write(to: file)
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        #expect(bench.text + "\n" == expected, "the screen differs from \(name):\n\(bench.text)")
    }
}
