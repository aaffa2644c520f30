/// What is kept of an image: a document that the image store writes and reads, and the names that point at it.
package struct ImageRow: Hashable, Sendable {
    package var id: String
    /// Nanoseconds since 1970.
    package var storedAt: Int64
    package var document: String
    package var names: [String]
}

package enum ImageChange: Hashable, Sendable {
    /// Adds or replaces an image; its names stay.
    case put(id: String, storedAt: Int64, document: String)
    /// Points a name at an image, away from another where that had it.
    case name(String, id: String)
    case removeName(String)
    /// Removes an image with its names.
    case delete(id: String)
}

extension MetadataStore {
    /// Every image with its names, in order of their ids.
    package func images() async throws(StorageError) -> [ImageRow] {
        try await read("read the images") { database in
            var names: [String: [String]] = [:]
            for row in try database.rows(sql: "SELECT name, image FROM image_name ORDER BY name") {
                names[row["image"], default: []].append(row["name"])
            }
            return try database.rows(sql: "SELECT id, created_at, document FROM image ORDER BY id").map {
                row in
                let id: String = row["id"]
                return ImageRow(
                    id: id, storedAt: row["created_at"], document: row["document"], names: names[id] ?? [])
            }
        }
    }

    /// Makes all the changes, in order, or none.
    package func apply(_ changes: [ImageChange]) async throws(StorageError) {
        let makesRoom = changes.allSatisfy { change in
            switch change {
            case .removeName, .delete: true
            case .put, .name: false
            }
        }
        try await write("write the images' rows", makesRoom: makesRoom) { database in
            for change in changes { try Self.apply(change, database) }
        }
    }

    private static func apply(_ change: ImageChange, _ database: Database) throws {
        switch change {
        case .put(let id, let storedAt, let document):
            try database.execute(
                sql: """
                    INSERT INTO image (id, created_at, document) VALUES (?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, document = excluded.document
                    """, arguments: [id, storedAt, document])
        case .name(let name, let id):
            try database.execute(
                sql: """
                    INSERT INTO image_name (name, image) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET image = excluded.image
                    """, arguments: [name, id])
        case .removeName(let name):
            try database.execute(sql: "DELETE FROM image_name WHERE name = ?", arguments: [name])
        case .delete(let id):
            try database.execute(sql: "DELETE FROM image WHERE id = ?", arguments: [id])
        }
    }
}
