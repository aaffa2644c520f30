/// Rows under titles, columns as wide as their widest cell and three spaces apart, as docker prints them.
struct Table {
    let titles: [String]
    var rows: [[String]] = []

    var text: String {
        var widths = titles.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], cell.count)
            }
        }
        return ([titles] + rows).map { line($0, widths) }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += cell
            if index < cells.count - 1 { line += String(repeating: " ", count: widths[index] - cell.count + 3) }
        }
        return line + "\n"
    }
}
