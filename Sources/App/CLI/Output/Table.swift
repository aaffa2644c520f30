/// Rows under titles, columns as wide as their widest cell and three spaces apart, and no narrower than docker prints
/// them.
struct Table {
    let titles: [String]
    /// The space between two columns counts.
    var minimumWidth = 10
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
            if index < cells.count - 1 {
                line += String(repeating: " ", count: max(widths[index] + 3, minimumWidth) - cell.count)
            }
        }
        return line + "\n"
    }
}
