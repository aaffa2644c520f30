/// Where names stand in a text of TOML: its reader does not tell.
struct TOMLLines {
    private var places: [String: Int] = [:]
    private var tables: [String: Int] = [:]

    init(_ text: String) {
        var table = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.filter { $0 != " " && $0 != "\t" && $0 != "\"" && $0 != "\r" }
            if words.hasPrefix("["), let end = words.firstIndex(of: "]") {
                table = String(words[words.index(after: words.startIndex)..<end])
                tables[table] = tables[table] ?? index + 1
            } else if let sign = words.firstIndex(of: "=") {
                // `keys.stop = …` outside of a table is `stop` of `keys`.
                let path = (table.isEmpty ? [] : [table]) + words[..<sign].split(separator: ".").map(String.init)
                let name = path.joined(separator: ".")
                places[name] = places[name] ?? index + 1
            }
        }
    }

    func number(of name: String, in table: String) -> Int {
        places[table.isEmpty ? name : "\(table).\(name)"] ?? numberOfTable(table)
    }

    func numberOfTable(_ table: String) -> Int { tables[table] ?? 1 }
}
