import JSON

/// Prints rows as docker's lists do: a table, `table TEMPLATE`, `json`, a template a line, or ids alone.
struct Listing {
    /// Name of a template's field, the column's title, and its cell.
    typealias Column = (field: String, title: String)

    let columns: [Column]
    let rows: [[String: String]]
    /// The labels of each row, for `{{.Label "key"}}`; nil where docker's list has no such method.
    var labels: [[String: String]]?

    /// - Parameter format: what `--format` said; nil, nothing or `table` for the usual columns.
    func text(format: String?, usual: [String]) throws -> String {
        do throws(Template.Failure) {
            guard let format, !format.isEmpty, format != "table" else {
                return table(of: usual)
            }
            if format == "json" { return rows.map { object($0).compactText + "\n" }.joined() }
            // In a list's format, and only there, docker takes these two for the characters.
            let template = format.replacing("\\t", with: "\t").replacing("\\n", with: "\n")
            if template.hasPrefix("table ") { return try table(String(template.dropFirst(6))) }
            return try lines(Template(template), rows).map { $0 + "\n" }.joined()
        } catch {
            throw UsageError(message: error.message, code: 1)
        }
    }

    private func lines(_ template: Template, _ rows: [[String: String]]) throws(Template.Failure) -> [String] {
        var lines: [String] = []
        for (index, row) in rows.enumerated() {
            lines.append(try template.render(object(row), methods: methods { labels?[index][$0] ?? "" }))
        }
        return lines
    }

    /// As a template of these fields would make it.
    private func table(of fields: [String]) -> String {
        var table = Table(titles: fields.map { field in columns.first { $0.field == field }?.title ?? "" })
        table.rows = rows.map { row in fields.map { row[$0] ?? "" } }
        return table.text
    }

    /// The titles come of the same template, filled in with the titles for the fields.
    private func table(_ text: String) throws(Template.Failure) -> String {
        let template = try Template(text)
        let titles = Dictionary(columns.map { ($0.field, $0.title) }) { first, _ in first }
        let head = try template.render(object(titles), methods: methods(Self.title))
        // Cells are told apart by tabs, so none may be in a name.
        let shown = rows.map { row in row.mapValues(\.withControlsEscaped) }
        func cells(_ line: String) -> [String] {
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
        var table = Table(titles: cells(head))
        table.rows = try lines(template, shown).map(cells)
        return table.text
    }

    /// `com.example.build-date` → `build date`
    private static func title(_ label: String) -> String {
        let last = label.split(separator: ".").last.map(String.init) ?? label
        return last.replacing("-", with: " ").replacing("_", with: " ")
    }

    private func methods(_ label: @escaping (String) -> String) -> TemplateEvaluation.Methods {
        labels == nil ? [:] : ["Label": label]
    }

    private func object(_ row: [String: String]) -> JSONValue {
        .object(JSONObject(row.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
}

extension [String: String] {
    /// `a=1,b=2`, as docker's lists give labels.
    var listed: String { sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",") }
}
