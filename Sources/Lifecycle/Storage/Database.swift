import CSQLite
import Glibc

/// An open connection to an SQLite file. Used by one thread at a time: `DatabaseQueue` sees to that.
final class Database {
    private let connection: OpaquePointer
    /// Prepared once for each text; there are as many as the program has.
    private var statements: [String: Statement] = [:]

    /// sqlite3_open_v2: makes the file where there is none. Only its owner may read it: there are containers' variables in
    /// it.
    init(path: String) throws(DatabaseError) {
        Self.keepPrivate(path)
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened else { throw DatabaseError(code: code, message: "no memory for a connection") }
        connection = opened
        guard code == SQLITE_OK else {
            let error = DatabaseError(code: code, connection: opened)
            sqlite3_close_v2(opened)
            throw error
        }
        sqlite3_busy_timeout(opened, 5000)
        // A command that hosts the engine for a moment would else pay four fsyncs: two to close, two to begin a new
        // log. The log stays small by the checkpoints, so that the next to open it has little to read.
        _ = gantry_sqlite_keep_log_on_close(opened)
    }

    /// The files beside the database have the mode that it has when they are made. What cannot be done here fails in
    /// SQLite's own words.
    private static func keepPrivate(_ path: String) {
        let made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if made >= 0 { Glibc.close(made) }
        // Of an engine that left the mode to SQLite. By path: a descriptor that is closed would end SQLite's locks.
        for suffix in ["", "-wal", "-shm"] { chmod(path + suffix, 0o600) }
    }

    /// sqlite3_close: nothing may be called afterwards.
    func close() throws(DatabaseError) {
        statements = [:]
        let code = sqlite3_close(connection)
        guard code == SQLITE_OK else { throw DatabaseError(code: code, connection: connection) }
    }

    /// The number that the last INSERT gave its row.
    var lastInsertedRowID: Int64 { sqlite3_last_insert_rowid(connection) }

    /// Runs one statement that gives no rows.
    func execute(sql: String, arguments: [any SQLBindable] = []) throws(DatabaseError) {
        let statement = try statement(sql)
        defer { statement.reset() }
        try statement.bind(arguments)
        while try statement.step() {}
    }

    /// Runs statements parted by semicolons, each once.
    func execute(script: String) throws(DatabaseError) {
        let code = sqlite3_exec(connection, script, nil, nil, nil)
        guard code == SQLITE_OK else { throw DatabaseError(code: code, connection: connection) }
    }

    /// All rows of a query.
    func rows(sql: String, arguments: [any SQLBindable] = []) throws(DatabaseError) -> [Row] {
        let statement = try statement(sql)
        defer { statement.reset() }
        try statement.bind(arguments)
        var rows: [Row] = []
        while try statement.step() { rows.append(Row(columns: statement.columns, values: statement.values)) }
        return rows
    }

    /// The first column of a query's first row; nil where there is no row, or it is NULL.
    func value<Value: SQLReadable>(
        sql: String, arguments: [any SQLBindable] = []
    ) throws(DatabaseError) -> Value? {
        try rows(sql: sql, arguments: arguments).first?.values.first.flatMap { Value(sql: $0) }
    }

    /// All of `body` or nothing: COMMIT where it returns, ROLLBACK where it throws or the commit fails.
    func transaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try execute(sql: "BEGIN IMMEDIATE")
        do {
            let value = try body(self)
            try execute(sql: "COMMIT")
            return value
        } catch {
            // SQLite itself has rolled back after some errors, a full disk for one; what failed is what matters.
            if sqlite3_get_autocommit(connection) == 0 { try? execute(sql: "ROLLBACK") }
            throw error
        }
    }

    private func statement(_ sql: String) throws(DatabaseError) -> Statement {
        if let known = statements[sql] { return known }
        let made = try Statement(sql, connection)
        statements[sql] = made
        return made
    }
}

/// What SQLite answered, as its result code and its words.
struct DatabaseError: Error {
    /// The primary result code: `SQLITE_FULL`.
    let code: Int32
    let message: String
    /// The errno of the file system's refusal; 0 for none.
    let systemError: Int32

    /// The disk has no space left, or the user's share of it has none: that one SQLite does not tell from other failures.
    var isFull: Bool { code == SQLITE_FULL || isOverQuota }
    var isOverQuota: Bool { code == SQLITE_IOERR && systemError == EDQUOT }

    init(code: Int32, message: String, systemError: Int32 = 0) {
        self.code = code & 0xFF
        self.message = message
        self.systemError = systemError
    }

    init(code: Int32, connection: OpaquePointer?) {
        let words = connection.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        self.init(
            code: code, message: words.map { String(cString: $0) } ?? "error \(code)",
            systemError: connection.map { sqlite3_system_errno($0) } ?? 0)
    }
}
