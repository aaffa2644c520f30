import EngineAPI
import JSON

extension ProcessTable {
    /// The answer of `GET /containers/{id}/top`.
    package var dockerBody: JSONValue {
        ["Titles": .texts(titles), "Processes": .array(rows.map { .texts($0) })]
    }

    package init(dockerBody body: JSONValue) {
        let rows = body.elements("Processes").map { row in (row.array ?? []).map { $0.string ?? "" } }
        let titles = body.texts("Titles")
        let words = titles.count == 1 ? titles[0].split(separator: " ").map(String.init) : []
        guard words.count > 1 else {
            self.init(titles: titles, rows: rows)
            return
        }
        // Podman hands on whole lines of a container's own ps.
        self.init(
            titles: words,
            rows: rows.compactMap(\.first).map { line in
                line.split(separator: " ", maxSplits: words.count - 1).map { part in
                    String(part.drop { $0 == " " })
                }
            })
    }
}

extension ProcessNode {
    /// An element of the answer of Gantry's own `GET /gantry/containers/{id}/processes`.
    package var gantryBody: JSONValue {
        [
            "Role": .string(role.rawValue), "Pid": .integer(Int64(pid)), "ParentPid": .integer(Int64(parentPID)),
            "ContainerPid": containerPID.map { .integer(Int64($0)) } ?? .null, "State": .string(state),
            "ResidentBytes": .unsignedInteger(residentBytes), "StartedAt": .string(WireTime.text(startedAt)),
            "Command": .string(command), "Threads": .count(threadCount),
            "CPUNanoseconds": .unsignedInteger(cpuNanoseconds),
        ]
    }

    package init?(gantryBody body: JSONValue) {
        guard let role = Role(rawValue: body.text("Role")), let pid = body.whole("Pid").flatMap({ Int32(exactly: $0) })
        else { return nil }
        self.init(
            role: role, pid: pid, parentPID: Int32(clamping: body.whole("ParentPid") ?? 0),
            containerPID: body.whole("ContainerPid").map { Int32(clamping: $0) }, state: body.text("State"),
            residentBytes: body.unsigned("ResidentBytes"),
            startedAt: WireTime.parse(body.text("StartedAt")) ?? Timestamp(nanosecondsSinceEpoch: 0),
            command: body.text("Command"), threadCount: Int(body.whole("Threads") ?? 1),
            cpuNanoseconds: body.unsigned("CPUNanoseconds"))
    }
}

extension ProcessTable {
    private static func start(ofAge seconds: UInt64?, at now: Timestamp) -> Timestamp {
        guard let seconds, let age = Int64(exactly: seconds.multipliedSaturated(by: 1_000_000_000)),
            age < now.nanosecondsSinceEpoch
        else { return Timestamp(nanosecondsSinceEpoch: 0) }
        return Timestamp(nanosecondsSinceEpoch: now.nanosecondsSinceEpoch - age)
    }

    /// The options by which `top` of another engine tells what a process tree needs.
    package static let treeArguments = ["-eo", "pid,ppid,stat,rss,nlwp,cputimes,etimes,args"]

    /// Processes from a table made with `treeArguments` at a time; the first whose parent is not in the table is the init.
    /// What the table does not tell is empty, 0, and the beginning of time.
    package func processNodes(at now: Timestamp) -> [ProcessNode] {
        func column(_ row: [String], _ name: String) -> String {
            guard let index = titles.firstIndex(of: name), index < row.count else { return "" }
            return row[index]
        }
        let pids = Set(rows.map { column($0, "PID") })
        return rows.compactMap { row in
            guard let pid = Int32(column(row, "PID")) else { return nil }
            let parent = column(row, "PPID")
            return ProcessNode(
                role: pids.contains(parent) ? .process : .initial, pid: pid, parentPID: Int32(parent) ?? 0,
                containerPID: nil, state: String(column(row, "STAT").prefix(1)),
                residentBytes: (UInt64(column(row, "RSS")) ?? 0).multipliedSaturated(by: 1024),
                startedAt: Self.start(ofAge: UInt64(column(row, "ELAPSED")), at: now),
                command: column(row, titles.contains("COMMAND") ? "COMMAND" : "CMD"),
                threadCount: Int(column(row, "NLWP")) ?? 1,
                cpuNanoseconds: (UInt64(column(row, "TIME")) ?? 0).multipliedSaturated(by: 1_000_000_000))
        }
    }
}
