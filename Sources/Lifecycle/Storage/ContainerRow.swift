/// What is kept of a container. Times are nanoseconds since 1970.
package struct ContainerRow: Hashable, Sendable {
    package var id: String
    /// Unique among all rows, also of those being made and removed.
    package var name: String
    package var createdAt: Int64
    /// JSON: what the container is made from; only an update of its limits or policy changes it.
    package var definition: String
    package var state: State

    package init(id: String, name: String, createdAt: Int64, definition: String, state: State) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
        self.definition = definition
        self.state = state
    }

    /// How far the container's life has come.
    package enum Phase: String, Hashable, Sendable, CaseIterable {
        /// The name is taken, files are being made: undone after a crash.
        case creating
        case created, starting, running, paused, exited
        /// Ended, and to be started again: by its policy, or in the middle of a restart by hand. With a pid, of a restart
        /// by hand that has not ended it yet.
        case restarting
        /// Files are being deleted: finished after a crash.
        case removing
        /// Could not be removed.
        case dead

        fileprivate var isOfEnd: Bool {
            switch self {
            case .exited, .restarting, .removing, .dead: true
            case .creating, .created, .starting, .running, .paused: false
            }
        }
    }

    /// The part that changes.
    package struct State: Hashable, Sendable {
        package var phase: Phase
        /// The boot in which the row was written: processes of another boot are gone.
        package var bootID = ""
        package var pid: Int32 = 0
        /// Field 22 of /proc/PID/stat.
        package var pidStartTicks: UInt64 = 0
        package var exitCode: Int32 = 0
        package var oomKilled = false
        package var error = ""
        package var startedAt: Int64?
        package var finishedAt: Int64?
        package var restartCount = 0
        /// Somebody stopped it: a restart policy must not start it.
        package var isStoppedByHand = false
        /// Being removed with its volumes that have no name.
        package var removesVolumes = false
        /// JSON: what health checks found last; empty where there are none.
        package var health = ""
        /// JSON: the steps of the last start.
        package var launch = ""

        package init(phase: Phase) { self.phase = phase }
    }
}

/// A step of a container's life, made whole or not at all.
package enum ContainerChange: Hashable, Sendable {
    case insert(ContainerRow)
    case state(id: String, ContainerRow.State)
    case rename(id: String, name: String)
    case definition(id: String, String)
    case health(id: String, String)
    case delete(id: String)

    /// A container's end and its removal: what is to begin does not take the room that is held for these.
    fileprivate var makesRoom: Bool {
        switch self {
        case .state(_, let state): state.phase.isOfEnd
        case .delete: true
        case .insert, .rename, .definition, .health: false
        }
    }
}

extension MetadataStore {
    /// Makes a change and journals its events in one transaction.
    ///
    /// - Returns: the events' numbers in the journal, which only grow.
    /// - Throws: `duplicate` where another container has the name; `full`.
    package func commit(_ change: ContainerChange, _ events: [EventRow]) async throws(StorageError) -> [Int64] {
        try await write("write the container's row", makesRoom: change.makesRoom) { database in
            try Self.apply(change, database)
            return try events.map { try Self.append($0, database) }
        }
    }

    /// Every container, the oldest first.
    package func containers() async throws(StorageError) -> [ContainerRow] {
        try await read("read the containers") { database in
            try database.rows(sql: "SELECT * FROM container ORDER BY created_at, id").map(Self.container)
        }
    }

    private static func apply(_ change: ContainerChange, _ database: Database) throws {
        switch change {
        case .insert(let row): try insert(row, database)
        case .state(let id, let state):
            try database.execute(
                sql: """
                    UPDATE container SET phase = ?, boot_id = ?, pid = ?, pid_start = ?, exit_code = ?, oom_killed = ?,
                    error = ?, started_at = ?, finished_at = ?, restart_count = ?, stopped_by_hand = ?, health = ?,
                    launch = ?, removes_volumes = ? WHERE id = ?
                    """, arguments: state.arguments + [id])
        case .rename(let id, let name):
            try database.execute(sql: "UPDATE container SET name = ? WHERE id = ?", arguments: [name, id])
        case .definition(let id, let text):
            try database.execute(sql: "UPDATE container SET definition = ? WHERE id = ?", arguments: [text, id])
        case .health(let id, let text):
            try database.execute(sql: "UPDATE container SET health = ? WHERE id = ?", arguments: [text, id])
        case .delete(let id):
            try database.execute(sql: "DELETE FROM container WHERE id = ?", arguments: [id])
        }
    }

    private static func insert(_ row: ContainerRow, _ database: Database) throws {
        let own: [any SQLBindable] = [row.id, row.name, row.createdAt, row.definition]
        try database.execute(
            sql: """
                INSERT INTO container (id, name, created_at, definition, phase, boot_id, pid, pid_start, exit_code,
                oom_killed, error, started_at, finished_at, restart_count, stopped_by_hand, health, launch,
                removes_volumes) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
                """, arguments: own + row.state.arguments)
    }

    private static func container(_ row: Row) throws -> ContainerRow {
        let phaseName: String = row["phase"]
        guard let phase = ContainerRow.Phase(rawValue: phaseName) else {
            throw StorageError(.corrupt, "a container's row has the unknown phase `\(phaseName)`")
        }
        var state = ContainerRow.State(phase: phase)
        state.bootID = row["boot_id"]
        state.pid = row["pid"]
        state.pidStartTicks = UInt64(bitPattern: row["pid_start"])
        state.exitCode = row["exit_code"]
        state.oomKilled = row["oom_killed"]
        state.error = row["error"]
        state.startedAt = row["started_at"]
        state.finishedAt = row["finished_at"]
        state.restartCount = row["restart_count"]
        state.isStoppedByHand = row["stopped_by_hand"]
        state.health = row["health"]
        state.launch = row["launch"]
        state.removesVolumes = row["removes_volumes"]
        return ContainerRow(
            id: row["id"], name: row["name"], createdAt: row["created_at"], definition: row["definition"], state: state)
    }
}

extension ContainerRow.State {
    fileprivate var arguments: [any SQLBindable] {
        [
            phase.rawValue, bootID, pid, Int64(bitPattern: pidStartTicks), exitCode, oomKilled, error, startedAt,
            finishedAt, restartCount, isStoppedByHand, health, launch, removesVolumes,
        ]
    }
}
