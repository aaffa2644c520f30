import EngineAPI
import Glibc
import Testing

@testable import Metrics

@Suite struct PsOutputTests {
    @Test("Rows of the container alone are kept, the last column with its spaces")
    func filter() throws {
        let text = """
            UID          PID    PPID  C STIME TTY          TIME CMD
            root          10       1  0 23:00 ?        00:00:00 sh -c  sleep 1
            root          11      10  0 23:00 ?        00:00:00 other

            """
        let table = try PsOutput.table(Array(text.utf8), pids: [10])
        #expect(table.titles == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"])
        #expect(table.rows == [["root", "10", "1", "0", "23:00", "?", "00:00:00", "sh -c  sleep 1"]])
    }

    @Test("Lines of threads belong to the process before them")
    func threads() throws {
        let text = "  PID   LWP CMD\n   10     - a\n    -    10 -\n   11     - b\n    -    11 -\n"
        let table = try PsOutput.table(Array(text.utf8), pids: [10])
        #expect(table.rows == [["10", "-", "a"], ["-", "10", "-"]])
    }

    @Test("Output without a pid column is refused in docker's words")
    func noPID() {
        #expect(throws: EngineError(.invalid, "Couldn't find PID field in ps output")) {
            try PsOutput.table(Array("COMMAND\nsh\n".utf8), pids: [1])
        }
    }

    @Test(
        "Terminal numbers read as ps prints them",
        arguments: [(0, "?"), (34816, "pts/0"), (34821, "pts/5"), (1025, "tty1")])
    func terminals(number: Int32, name: String) {
        #expect(ProcessListing.terminal(number) == name)
    }

    @Test("The machine's own ps lists this process, and refuses what it does not know")
    func realPs() async throws {
        try #require(access("/usr/bin/ps", X_OK) == 0 || access("/bin/ps", X_OK) == 0, "ps is not installed")
        let table = try await PsCommand.table(arguments: ["-o", "pid,comm", "-p", String(getpid())], pids: [getpid()])
        #expect(table.titles == ["PID", "COMMAND"])
        #expect(table.rows.map(\.first) == [String(getpid())])
        let error = await #expect(throws: EngineError.self) {
            try await PsCommand.table(arguments: ["--no-such-option"], pids: [1])
        }
        #expect(error?.kind == .invalid)
    }

    @Test("The listing made from /proc agrees with ps in what does not change")
    func listing() async throws {
        try #require(access("/usr/bin/ps", X_OK) == 0 || access("/bin/ps", X_OK) == 0, "ps is not installed")
        let ours = ProcessListing.full(of: [getpid()])
        let theirs = try await PsCommand.table(arguments: [], pids: [getpid()])
        #expect(ours.titles == theirs.titles)
        for column in [0, 1, 2, 5, 7] { #expect(ours.rows[0][column] == theirs.rows[0][column]) }
    }
}
