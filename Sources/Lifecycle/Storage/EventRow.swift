/// An entry of the events journal.
package struct EventRow: Hashable, Sendable {
    /// Nanoseconds since 1970.
    package var time: Int64
    package var kind: String
    package var action: String
    /// The id of what it happened to.
    package var actor: String
    /// A JSON object of strings.
    package var attributes: String

    package init(time: Int64, kind: String, action: String, actor: String, attributes: String) {
        self.time = time
        self.kind = kind
        self.action = action
        self.actor = actor
        self.attributes = attributes
    }
}

extension MetadataStore {
    /// How many events are kept; docker keeps 256, in memory alone.
    package static let journalCapacity = 4096

    /// Journals events that come with no other change, in one transaction; returns their numbers.
    package func journal(_ events: [EventRow]) async throws(StorageError) -> [Int64] {
        try await write("journal the event") { database in try events.map { try Self.append($0, database) } }
    }

    /// Events numbered up to `last` whose time is in the bounds, the oldest first, with their numbers.
    package func events(
        since: Int64?, until: Int64?, upTo last: Int64
    ) async throws(StorageError) -> [(number: Int64, event: EventRow)] {
        try await read("read the events") { database in
            try database.rows(
                sql: "SELECT * FROM event WHERE number <= ? AND time >= ? AND time <= ? ORDER BY number",
                arguments: [last, since ?? Int64.min, until ?? Int64.max]
            ).map { row in
                let event = EventRow(
                    time: row["time"], kind: row["kind"], action: row["action"], actor: row["actor"],
                    attributes: row["attributes"])
                return (row["number"], event)
            }
        }
    }

    /// The number of the newest event; 0 where there never was one.
    package func lastEventNumber() async throws(StorageError) -> Int64 {
        try await read("read the events") { database in
            try database.value(sql: "SELECT max(number) FROM event") ?? 0
        }
    }

    /// Adds an event; every so often the oldest go, so that the journal stays bounded.
    static func append(_ event: EventRow, _ database: Database) throws -> Int64 {
        try database.execute(
            sql: "INSERT INTO event (time, kind, action, actor, attributes) VALUES (?,?,?,?,?)",
            arguments: [event.time, event.kind, event.action, event.actor, event.attributes])
        let number = database.lastInsertedRowID
        if number % 256 == 0 {
            try database.execute(
                sql: "DELETE FROM event WHERE number <= ?", arguments: [number - Int64(journalCapacity)])
        }
        return number
    }
}
