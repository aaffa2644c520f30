import JSON

/// Prints rows as docker's lists do: a table, `table TEMPLATE`, `json`, a template a line, or ids alone.
struct Listing {
    /// Name of a template's field, the column's title, and its cell.
    typealias Column = (field: String, title: String)

    let columns: [Column]
    let rows: [[String: String]]

    /// - Parameter format: what `--format` said; nil or `table` for the usual columns.
    func text(format: String?, usual: [String]) throws -> String {
        guard let format, format != "table" else { return table(usual.map { "{{.\($0)}}" }.joined(separator: "\t")) }
        if format == "json" {
            return rows.map { object($0).compactText + "\n" }.joined()
        }
        if format.hasPrefix("table ") { return table(String(format.dropFirst(6))) }
        do throws(Template.Failure) {
            let template = try Template(format)
            var text = ""
            for row in rows { text += try template.render(object(row)) + "\n" }
            return text
        } catch {
            throw UsageError(message: error.message, code: 1)
        }
    }

    private func table(_ template: String) -> String {
        let cells = template.replacing("\\t", with: "\t").split(separator: "\t").map(String.init)
        let titles = Dictionary(columns.map { ($0.field, $0.title) }) { first, _ in first }
        var table = Table(titles: cells.map { titles[field($0)] ?? field($0).uppercased() })
        table.rows = rows.map { row in cells.map { row[field($0)] ?? "" } }
        return table.text
    }

    /// `{{.Names}}` → `Names`
    private func field(_ cell: String) -> String {
        String(cell.drop { $0 == "{" || $0 == "." || $0 == " " }.prefix { $0 != "}" && $0 != " " })
    }

    private func object(_ row: [String: String]) -> JSONValue {
        .object(JSONObject(row.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
}
