/// What a column of this program's tables can hold.
enum SQLValue: Hashable {
    case null
    case integer(Int64)
    case text(String)
}

/// Can be given to a statement's parameter.
protocol SQLBindable {
    var sql: SQLValue { get }
}

/// Can be read from a column. A file that another program has changed may hold anything: what does not fit reads as zero or
/// empty, as SQLite's own conversions have it.
protocol SQLReadable {
    init?(sql: SQLValue)
}

/// A row of a result.
struct Row {
    let columns: [String: Int]
    let values: [SQLValue]

    /// The value of a column that the query names.
    subscript(column: String) -> Int64 { integer(column) ?? 0 }
    subscript(column: String) -> Int64? { integer(column) }
    subscript(column: String) -> Int32 { Int32(truncatingIfNeeded: integer(column) ?? 0) }
    subscript(column: String) -> Int { Int(integer(column) ?? 0) }
    subscript(column: String) -> Bool { integer(column) ?? 0 != 0 }
    subscript(column: String) -> String { String(sql: value(column)) ?? "" }
    subscript(column: String) -> String? { String(sql: value(column)) }

    private func integer(_ column: String) -> Int64? { Int64(sql: value(column)) }

    private func value(_ column: String) -> SQLValue {
        guard let place = columns[column] else { preconditionFailure("the query has no column `\(column)`") }
        return values[place]
    }
}

extension String: SQLBindable, SQLReadable {
    var sql: SQLValue { .text(self) }

    init?(sql: SQLValue) {
        switch sql {
        case .null: return nil
        case .integer(let number): self = String(number)
        case .text(let text): self = text
        }
    }
}

extension Int64: SQLBindable, SQLReadable {
    var sql: SQLValue { .integer(self) }

    init?(sql: SQLValue) {
        switch sql {
        case .null: return nil
        case .integer(let number): self = number
        case .text(let text): self = Int64(text) ?? 0
        }
    }
}

extension Int: SQLBindable, SQLReadable {
    var sql: SQLValue { .integer(Int64(self)) }

    init?(sql: SQLValue) {
        guard let number = Int64(sql: sql) else { return nil }
        self.init(number)
    }
}

extension Int32: SQLBindable {
    var sql: SQLValue { .integer(Int64(self)) }
}

extension Bool: SQLBindable {
    var sql: SQLValue { .integer(self ? 1 : 0) }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
    var sql: SQLValue { self?.sql ?? .null }
}
