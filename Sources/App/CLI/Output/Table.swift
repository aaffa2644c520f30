/// Rows under titles, columns as wide as their widest cell and three spaces apart, and no narrower than docker prints
/// them. What cells hold that a terminal would obey is escaped: names, labels and commands are of others' making.
struct Table {
    let titles: [String]
    /// The space between two columns counts.
    var minimumWidth = 10
    var rows: [[String]] = []

    var text: String {
        let rows = rows.map { $0.map(\.withControlsEscaped) }
        // A row from another engine may have more cells than there are titles.
        let columns = rows.reduce(titles.count) { max($0, $1.count) }
        var widths = titles.map(\.count) + [Int](repeating: 0, count: columns - titles.count)
        for row in rows {
            for (index, cell) in row.enumerated() {
                widths[index] = max(widths[index], cell.count)
            }
        }
        return ([titles] + rows).map { line($0, widths) }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += cell
            if index < cells.count - 1 {
                line += String(repeating: " ", count: max(widths[index] + 3, minimumWidth) - cell.count)
            }
        }
        return line + "\n"
    }
}
