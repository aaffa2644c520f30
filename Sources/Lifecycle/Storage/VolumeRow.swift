/// What is kept of a volume: a document that the volumes' service writes and reads.
package struct VolumeRow: Hashable, Sendable {
    package var name: String
    package var document: String

    package init(name: String, document: String) {
        self.name = name
        self.document = document
    }
}

extension MetadataStore {
    package func volumes() async throws(StorageError) -> [VolumeRow] {
        try await read("read the volumes") { database in
            try database.rows(sql: "SELECT name, document FROM volume ORDER BY name").map {
                VolumeRow(name: $0["name"], document: $0["document"])
            }
        }
    }

    /// Adds a volume; `duplicate` where one has the name.
    package func insert(_ volume: VolumeRow) async throws(StorageError) {
        try await write("write the volume `\(volume.name)`") { database in
            try database.execute(
                sql: "INSERT INTO volume (name, document) VALUES (?, ?)", arguments: [volume.name, volume.document])
        }
    }

    package func deleteVolume(_ name: String) async throws(StorageError) {
        try await write("remove the volume `\(name)`", makesRoom: true) { database in
            try database.execute(sql: "DELETE FROM volume WHERE name = ?", arguments: [name])
        }
    }
}
