import Dispatch

/// One connection and the queue that it is used on, one use after another in the order of the calls' arrival.
///
/// Safety: `database` and `ballast` are touched only by what runs on `queue`, which is serial.
final class DatabaseQueue: @unchecked Sendable {
    private let queue = DispatchQueue(label: "gantry.metadata", qos: .userInitiated)
    private let path: String
    private var database: Database?
    private var ballast: Ballast

    init(path: String) {
        self.path = path
        ballast = Ballast(path: "\(path)-ballast")
    }

    /// Opens the file and prepares it. Called once, before anything else.
    func open(_ prepare: @escaping @Sendable (Database) throws -> Void) async throws {
        try await onQueue {
            let opened = try Database(path: self.path)
            do { try prepare(opened) } catch {
                // It cannot be used; that closing it fails, too, is no further news.
                try? opened.close()
                throw error
            }
            self.database = opened
            self.ballast.keep()
        }
    }

    /// Makes a change, all of it or nothing.
    ///
    /// - Parameter makesRoom: what can be removed once this is written: on a full disk it has the ballast's room.
    func change<Value: Sendable>(
        makesRoom: Bool, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await onQueue {
            guard let database = self.database else { throw StorageError(.other, "the metadata is closed") }
            self.ballast.keep()
            do { return try database.transaction(body) } catch let error as DatabaseError {
                guard makesRoom, error.isFull, self.ballast.giveUp() else { throw error }
                return try database.transaction(body)
            }
        }
    }

    func use<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await onQueue {
            guard let database = self.database else { throw StorageError(.other, "the metadata is closed") }
            return try body(database)
        }
    }

    /// Blocks until what was begun is done.
    func close() throws {
        try queue.sync {
            try database?.close()
            database = nil
        }
    }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
