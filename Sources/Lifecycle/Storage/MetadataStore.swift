/// The engine's metadata: containers, images and the events journal in one SQLite file.
///
/// Calls may be made from any task; SQLite runs on a queue of its own, never on the cooperative pool, and changes are
/// made one after another in the order of the calls' arrival there. A call that returned is durable against the death of
/// this process (WAL, `synchronous=NORMAL`); the last ones before a power cut may be lost, but never half of one.
package final class MetadataStore: Sendable {
    let queue: DatabaseQueue

    private init(_ queue: DatabaseQueue) { self.queue = queue }

    /// Opens the file, making or migrating it as needed.
    ///
    /// - Throws: `newer` where a later version wrote it, `corrupt`, `denied`, `full`.
    package static func open(_ path: String) async throws(StorageError) -> MetadataStore {
        let queue = DatabaseQueue(path: path)
        do {
            try await queue.open { database in
                try database.execute(
                    script: """
                        PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;
                        PRAGMA wal_autocheckpoint=400
                        """)
                try Schema.migrate(database)
            }
            return MetadataStore(queue)
        } catch {
            throw StorageError(error, doing: "open `\(path)`")
        }
    }

    /// Closes the file. Later calls fail.
    package func close() throws(StorageError) {
        do { try queue.close() } catch { throw StorageError(error, doing: "close the metadata") }
    }

    /// A value that is kept by a name of its own; nil where there is none.
    package func setting(_ name: String) async throws(StorageError) -> String? {
        try await read("read the setting `\(name)`") { database in
            try database.value(sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])
        }
    }

    package func set(_ name: String, to value: String) async throws(StorageError) {
        try await write("write the setting `\(name)`") { database in
            try database.execute(
                sql:
                    "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                arguments: [name, value])
        }
    }

    /// - Parameter makesRoom: the change is one without which something cannot be removed: it is made on a full disk, too.
    func write<Value: Sendable>(
        _ operation: String, makesRoom: Bool = false, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StorageError) -> Value {
        do { return try await queue.change(makesRoom: makesRoom, body) } catch {
            throw StorageError(error, doing: operation)
        }
    }

    func read<Value: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StorageError) -> Value {
        do { return try await queue.use(body) } catch { throw StorageError(error, doing: operation) }
    }
}
