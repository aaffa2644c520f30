import EngineAPI

/// What ps(1) printed, cut into a table.
enum PsOutput {
    /// The rows of the processes `pids`. The last column takes the rest of its line, spaces and all. Lines of threads
    /// (`-` for a pid) belong to the process before them.
    static func table(_ output: [UInt8], pids: Set<Int32>) throws(EngineError) -> ProcessTable {
        var lines = output.split(separator: 10).makeIterator()
        let titles = lines.next().map(words) ?? []
        guard let pidColumn = titles.firstIndex(of: "PID") else {
            throw EngineError(.invalid, "Couldn't find PID field in ps output")
        }
        var rows: [[String]] = []
        var isOurs = false
        while let line = lines.next() {
            let row = fields(line, count: titles.count)
            guard row.count > pidColumn else { continue }
            if row[pidColumn] != "-" { isOurs = Int32(row[pidColumn]).map(pids.contains) ?? false }
            if isOurs { rows.append(row) }
        }
        return ProcessTable(titles: titles, rows: rows)
    }

    private static func words(_ line: ArraySlice<UInt8>) -> [String] {
        line.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func fields(_ line: ArraySlice<UInt8>, count: Int) -> [String] {
        var rest = line.drop { $0 == 32 }
        var fields: [String] = []
        while fields.count < count - 1, !rest.isEmpty {
            let word = rest.prefix { $0 != 32 }
            fields.append(String(decoding: word, as: UTF8.self))
            rest = rest.dropFirst(word.count).drop { $0 == 32 }
        }
        let last = rest.reversed().drop { $0 == 32 }.reversed()
        if !last.isEmpty { fields.append(String(decoding: Array(last), as: UTF8.self)) }
        return fields
    }
}
