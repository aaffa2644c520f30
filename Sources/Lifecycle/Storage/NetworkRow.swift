/// What is kept of a network: a document that the networks' service writes and reads.
package struct NetworkRow: Hashable, Sendable {
    package var id: String
    package var name: String
    package var document: String

    package init(id: String, name: String, document: String) {
        self.id = id
        self.name = name
        self.document = document
    }
}

/// A container's part in a network.
package struct EndpointRow: Hashable, Sendable {
    package var container: String
    package var network: String
    package var document: String

    package init(container: String, network: String, document: String) {
        self.container = container
        self.network = network
        self.document = document
    }
}

package enum NetworkRowChange: Hashable, Sendable {
    case put(NetworkRow)
    /// With the parts that containers have in it.
    case delete(id: String)
    case putEndpoint(EndpointRow)
    case deleteEndpoint(container: String, network: String)

    fileprivate var isRemoval: Bool {
        switch self {
        case .put, .putEndpoint: false
        case .delete, .deleteEndpoint: true
        }
    }
}

extension MetadataStore {
    package func networks() async throws(StorageError) -> [NetworkRow] {
        try await read("read the networks") { database in
            try database.rows(sql: "SELECT id, name, document FROM network ORDER BY id").map {
                NetworkRow(id: $0["id"], name: $0["name"], document: $0["document"])
            }
        }
    }

    package func endpoints() async throws(StorageError) -> [EndpointRow] {
        try await read("read the networks' containers") { database in
            try database.rows(sql: "SELECT container, network, document FROM endpoint").map {
                EndpointRow(container: $0["container"], network: $0["network"], document: $0["document"])
            }
        }
    }

    /// Makes all the changes, in order, or none.
    package func apply(_ changes: [NetworkRowChange]) async throws(StorageError) {
        if changes.isEmpty { return }
        let makesRoom = changes.allSatisfy(\.isRemoval)
        try await write("write the networks' rows", makesRoom: makesRoom) { database in
            for change in changes { try Self.apply(change, database) }
        }
    }

    private static func apply(_ change: NetworkRowChange, _ database: Database) throws {
        switch change {
        case .put(let row):
            try database.execute(
                sql: """
                    INSERT INTO network (id, name, document) VALUES (?, ?, ?)
                    ON CONFLICT (id) DO UPDATE SET name = excluded.name, document = excluded.document
                    """, arguments: [row.id, row.name, row.document])
        case .delete(let id): try database.execute(sql: "DELETE FROM network WHERE id = ?", arguments: [id])
        case .putEndpoint(let row):
            try database.execute(
                sql: """
                    INSERT INTO endpoint (container, network, document) VALUES (?, ?, ?)
                    ON CONFLICT (container, network) DO UPDATE SET document = excluded.document
                    """, arguments: [row.container, row.network, row.document])
        case .deleteEndpoint(let container, let network):
            try database.execute(
                sql: "DELETE FROM endpoint WHERE container = ? AND network = ?", arguments: [container, network])
        }
    }
}
