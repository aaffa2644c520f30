/// The tables, as the steps that lead from an empty file to them. A step that was released is never changed.
enum Schema {
    /// SQLite's own counter, `user_version`, says how many of these were made.
    private static let steps = [
        """
        CREATE TABLE container (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            definition TEXT NOT NULL,
            phase TEXT NOT NULL,
            boot_id TEXT NOT NULL,
            pid INTEGER NOT NULL,
            pid_start INTEGER NOT NULL,
            exit_code INTEGER NOT NULL,
            oom_killed INTEGER NOT NULL,
            error TEXT NOT NULL,
            started_at INTEGER,
            finished_at INTEGER,
            restart_count INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE event (
            number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            time INTEGER NOT NULL,
            kind TEXT NOT NULL,
            action TEXT NOT NULL,
            actor TEXT NOT NULL,
            attributes TEXT NOT NULL
        );
        CREATE TABLE image (
            id TEXT NOT NULL PRIMARY KEY,
            created_at INTEGER NOT NULL,
            document TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE image_name (
            name TEXT NOT NULL PRIMARY KEY,
            image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE
        ) WITHOUT ROWID;
        CREATE INDEX image_name_image ON image_name (image);
        CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        """,
        """
        ALTER TABLE container ADD COLUMN stopped_by_hand INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE container ADD COLUMN health TEXT NOT NULL DEFAULT '';
        ALTER TABLE container ADD COLUMN launch TEXT NOT NULL DEFAULT '';
        """,
        """
        CREATE TABLE network (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            document TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE endpoint (
            container TEXT NOT NULL,
            network TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE,
            document TEXT NOT NULL,
            PRIMARY KEY (container, network)
        ) WITHOUT ROWID;
        CREATE TABLE volume (
            name TEXT NOT NULL PRIMARY KEY,
            document TEXT NOT NULL
        ) WITHOUT ROWID;
        """,
        "ALTER TABLE container ADD COLUMN removes_volumes INTEGER NOT NULL DEFAULT 0",
        // A container stays part of a network that was removed: it must not start without one.
        """
        CREATE TABLE membership (
            container TEXT NOT NULL,
            network TEXT NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (container, network)
        ) WITHOUT ROWID;
        INSERT INTO membership SELECT container, network, document FROM endpoint;
        DROP TABLE endpoint;
        ALTER TABLE membership RENAME TO endpoint;
        """,
    ]

    static func migrate(_ database: Database) throws {
        let made: Int = try database.value(sql: "PRAGMA user_version") ?? 0
        if made == steps.count { return }
        guard made < steps.count else {
            throw StorageError(
                .newer, "the data root was written by a later version of gantry (schema \(made), known \(steps.count))")
        }
        for (index, step) in steps.enumerated().dropFirst(made) {
            try database.transaction { database in
                try database.execute(script: step)
                try database.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
    }
}
