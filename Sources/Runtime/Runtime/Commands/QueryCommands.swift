import Glibc
import JSON
import Linux
import OCI

/// `state`, `list`, `ps`.
extension Invocation {
    func state() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "")
        try arguments.expectOperands("state", exactly: 1)
        let record = try store.record(of: arguments.operands[0])
        let status = ContainerStatus.of(record, in: store, try HostFacts.layout())
        return try Self.print(
            String(decoding: record.stateJSON(status).prettyBytes(indent: "  "), as: UTF8.self) + "\n")
    }

    func list() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "quiet|q format|f=")
        try arguments.expectOperands("list", exactly: 0)
        let layout = try HostFacts.layout()
        var found: [(record: ContainerRecord, status: ContainerStatus)] = []
        for id in try store.ids() {
            do throws(RuntimeError) {
                let record = try store.record(of: id)
                found.append((record, ContainerStatus.of(record, in: store, layout)))
            } catch {
                // Deleted meanwhile.
                if error == .doesNotExist { continue }
                log.warning("load container \(id): \(error)")
            }
        }
        if try arguments.flag("quiet") { return try Self.print(found.map { $0.record.id + "\n" }.joined()) }
        switch arguments["format"] ?? "table" {
        case "json":
            let states = JSONValue.array(found.map { $0.record.stateJSON($0.status) })
            return try Self.print(states.compactText + "\n")
        case "table":
            let rows = found.map { record, status in
                [
                    record.id, status == .stopped ? "0" : String(record.pid), status.rawValue, record.bundle,
                    record.created, record.ownerName,
                ]
            }
            return try Self.print(Self.table([["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]] + rows))
        default: throw RuntimeError("invalid format option")
        }
    }

    /// Columns of at least 12 cells, three spaces apart.
    private static func table(_ rows: [[String]]) -> String {
        var widths = [Int](repeating: 9, count: rows[0].count)
        for row in rows {
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.utf8.count) }
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] + 3 - cell.utf8.count)
            }
            return cells.joined() + "\n"
        }.joined()
    }

    func processes() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "format|f=", operandsEndOptions: true)
        try arguments.expectOperands("ps", atLeast: 1)
        let record = try store.record(of: arguments.operands[0])
        let cgroup = record.cgroup(in: try HostFacts.layout())
        let members = try attempt { () throws(KernelError) in try cgroup.processes() }
        let helpers = EntriesUnderway.among(members, of: record)
        let pids = members.filter { !helpers.contains($0) }
        switch arguments["format"] ?? "table" {
        case "json":
            return try Self.print(JSONValue.array(pids.map { .integer(Int64($0)) }).compactText + "\n")
        case "table":
            return try processTable(pids, Array(arguments.operands.dropFirst()))
        default: throw RuntimeError("invalid format option")
        }
    }

    /// Lets ps(1) print all processes, and passes on the lines of the container's.
    private func processTable(_ pids: [Int32], _ words: [String]) throws(RuntimeError) -> Int32 {
        let text = try attempt("unable to run ps") { () throws(KernelError) in
            let (reading, writing) = try Descriptor.pipe()
            defer { reading.close() }
            var spawn = Spawn(program: "/bin/ps", arguments: ["ps"] + (words.isEmpty ? ["-ef"] : words))
            spawn.descriptors = [nil, writing, Descriptor.standardError]
            let pid: Int32
            do throws(KernelError) { pid = try spawn.start() } catch {
                writing.close()
                throw error
            }
            writing.close()
            let bytes = try reading.readAll()
            _ = try PidFD.reap(try PidFD.open(pid: pid))
            return String(decoding: bytes, as: UTF8.self)
        }
        let lines = text.split(separator: "\n")
        guard let header = lines.first,
            let column = header.split(separator: " ").firstIndex(where: { $0 == "PID" })
        else { throw RuntimeError("couldn't find PID field in ps output") }
        let wanted = Set(pids.map(String.init))
        let kept = lines.dropFirst().filter { line in
            let fields = line.split(separator: " ")
            return fields.count > column && wanted.contains(String(fields[column]))
        }
        return try Self.print(([header] + kept).map { $0 + "\n" }.joined())
    }
}
