import Glibc
import JSON
import Linux
import OCI
import Testing

/// The tables that people read and scripts cut: alike, byte for byte, in what all runtimes print.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct TableContractTests {
    /// Go's tabwriter as runc uses it: cells at least 12 wide, three blanks apart, the last as it is.
    private static func table(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in max(12, (rows.map { $0[column].utf8.count }.max() ?? 0) + 3) }
        return rows.map { row in
            zip(row, widths).dropLast().map { cell, width in
                cell + String(repeating: " ", count: width - cell.utf8.count)
            }.joined() + (row.last ?? "") + "\n"
        }.joined()
    }

    private static let header = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]

    /// A row of what `list --format json` says.
    private static func row(_ state: JSONValue) -> [String] {
        let pid = state["pid"]?.integer.map { String($0) } ?? ""
        return [state["id"]?.string ?? "", pid]
            + ["status", "bundle", "created", "owner"].map { state[$0]?.string ?? "" }
    }

    @Test("list is a table with a row a container, which an empty root has none of", arguments: RuntimeUnderTest.all)
    func list(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        #expect(try container.command("list").output == Self.table([Self.header]))
        func expected() throws -> String {
            let states = try JSONValue(parsing: try container.command("list", "--format", "json").output).array ?? []
            try #require(states.count == 1)
            return Self.table([Self.header] + states.map(Self.row))
        }
        #expect(try container.create().code == 0)
        #expect(try container.command("list").output == expected())
        #expect(try container.command("start", container.id).code == 0)
        #expect(try container.command("list", "-f", "table").output == expected())
        _ = try container.command("kill", container.id, "KILL")
        try container.waitForEnd()
        let stopped = try container.command("list").output
        #expect(try stopped == expected())
        #expect(stopped.contains("   0           stopped     "), "\(stopped)")
        let wrong = try container.command("list", "--format", "xml")
        #expect(wrong.code == 1 && wrong.errors.contains("invalid format option"), "\(wrong.errors)")
    }

    @Test("ps passes on the lines of ps(1) that are the container's, with its first", arguments: RuntimeUnderTest.all)
    func processes(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "sleep 61 & sleep 62 & wait"])
        try container.createAndStart()
        var pids: [String] = []
        for _ in 0..<400 where pids.count < 3 {
            let listed = try JSONValue(parsing: try container.command("ps", "--format", "json", container.id).output)
            pids = (listed.array ?? []).compactMap(\.integer).map { String($0) }
            poll(nil, 0, 10)
        }
        try #require(pids.count == 3)
        let ps = RuntimeUnderTest(name: "ps", path: "/bin/ps")
        // The name last: another's on the machine may have spaces, over which runc gives up.
        for options in [[], ["-ef"], ["aux"], ["-o", "ppid,pid,comm", "-e"]] {
            let all = try ps.runPlain(options.isEmpty ? ["-ef"] : options).output.split(separator: "\n")
            let header = try #require(all.first)
            let column = try #require(header.split(separator: " ").firstIndex { $0 == "PID" })
            let wanted = all.dropFirst().filter { line in
                let fields = line.split(separator: " ")
                return fields.count > column && pids.contains(String(fields[column]))
            }
            let lines = try runtime.run(["ps", container.id] + options, root: container.root).output
                .split(separator: "\n")
            // Times and shares go on between the two; what stands before them does not.
            #expect(lines.map { $0.prefix(15) } == ([header] + wanted).map { $0.prefix(15) }, "\(options)")
        }
        let wrong = try runtime.run(["ps", container.id, "-o", "comm"], root: container.root)
        #expect(wrong.code == 1 && wrong.errors.contains("couldn't find PID field in ps output"), "\(wrong.errors)")
    }
}
