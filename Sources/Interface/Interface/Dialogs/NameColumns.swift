import Terminal

/// Names side by side, as ls(1) has them: down the first column, then down the next.
enum NameColumns {
    /// - Parameter rows: the most there may be; where they do not hold all names, the last tells how many more there are.
    static func lines(of names: [String], columns: Int, rows: Int) -> [String] {
        guard !names.isEmpty, rows > 0 else { return [] }
        let width = min(columns, (names.map { TextWidth.columns(of: $0) }.max() ?? 0) + 2)
        let across = max(1, (columns + 2) / max(1, width))
        let needed = (names.count + across - 1) / across
        guard needed > rows else { return lay(names, in: needed, width) }
        let shown = across * (rows - 1)
        return (rows > 1 ? lay(Array(names.prefix(shown)), in: rows - 1, width) : [])
            + ["… and \(names.count - shown) more"]
    }

    private static func lay(_ names: [String], in rows: Int, _ width: Int) -> [String] {
        (0..<rows).map { row in
            stride(from: row, to: names.count, by: rows).map { index in
                names[index] + String(repeating: " ", count: max(0, width - TextWidth.columns(of: names[index])))
            }.joined().trimmingSpaces
        }
    }
}
