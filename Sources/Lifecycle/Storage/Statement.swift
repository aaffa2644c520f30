import CSQLite

/// A prepared statement (sqlite3_stmt), kept for its connection's lifetime.
final class Statement {
    private let statement: OpaquePointer
    private let connection: OpaquePointer
    /// The names of the result's columns, with their places.
    let columns: [String: Int]

    init(_ sql: String, _ connection: OpaquePointer) throws(DatabaseError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw DatabaseError(code: code, connection: connection) }
        statement = prepared
        self.connection = connection
        let names = (0..<sqlite3_column_count(prepared)).map { column in
            sqlite3_column_name(prepared, column).map { String(cString: $0) } ?? ""
        }
        columns = Dictionary(zip(names, names.indices)) { first, _ in first }
    }

    deinit { sqlite3_finalize(statement) }

    /// Gives the parameters, from the first on, their values.
    func bind(_ arguments: [any SQLBindable]) throws(DatabaseError) {
        let wanted = Int(sqlite3_bind_parameter_count(statement))
        precondition(arguments.count == wanted, "\(arguments.count) arguments for \(wanted) parameters")
        for (index, argument) in arguments.enumerated() {
            let code = bind(argument.sql, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw DatabaseError(code: code, connection: connection) }
        }
    }

    /// Goes on to the next row; false where there is none.
    func step() throws(DatabaseError) -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw DatabaseError(code: code, connection: connection)
        }
    }

    /// The row that `step` went to.
    var values: [SQLValue] { (0..<sqlite3_column_count(statement)).map(value) }

    /// Makes it ready for the next use; the error that a step gave was told by that step.
    func reset() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }

    private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .text(var text):
            // SQLITE_TRANSIENT: SQLite makes its own copy before the call returns.
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            return text.withUTF8 { bytes in
                // No address would mean NULL, which an empty text is not.
                guard let start = bytes.baseAddress else {
                    return sqlite3_bind_text(statement, index, "", 0, transient)
                }
                return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    sqlite3_bind_text(statement, index, $0, Int32(bytes.count), transient)
                }
            }
        }
    }

    private func value(_ column: Int32) -> SQLValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: return .null
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        default:
            guard let start = sqlite3_column_text(statement, column) else { return .null }
            let count = Int(sqlite3_column_bytes(statement, column))
            return .text(String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self))
        }
    }
}
