import EngineAPI
import JSON
import Networking
import Storage

/// The networks' index in the engine's metadata.
package struct StoredNetworkIndex: NetworkIndex {
    private let store: MetadataStore

    package init(store: MetadataStore) { self.store = store }

    package func networks() async throws(EngineError) -> [NetworkDefinition] {
        let rows: [NetworkRow]
        do { rows = try await store.networks() } catch { throw EngineError(error) }
        return try rows.map { row throws(EngineError) in try Self.read(row.document, "network \(row.name)") }
    }

    package func endpoints() async throws(EngineError) -> [EndpointRecord] {
        let rows: [EndpointRow]
        do { rows = try await store.endpoints() } catch { throw EngineError(error) }
        return try rows.map { row throws(EngineError) in
            try Self.read(row.document, "container \(row.container) in network \(row.network)")
        }
    }

    package func apply(_ changes: [NetworkIndexChange]) async throws(EngineError) {
        let rows = try changes.map { change throws(EngineError) -> NetworkRowChange in
            switch change {
            case .put(let network):
                .put(NetworkRow(id: network.id, name: network.name, document: try Self.text(network)))
            case .delete(let id): .delete(id: id)
            case .putEndpoint(let record):
                .putEndpoint(
                    EndpointRow(
                        container: record.containerID, network: record.networkID, document: try Self.text(record)))
            case .deleteEndpoint(let container, let network): .deleteEndpoint(container: container, network: network)
            }
        }
        do { try await store.apply(rows) } catch { throw EngineError(error) }
    }

    private static func text(_ value: some Encodable) throws(EngineError) -> String {
        do { return try JSONValue(encoding: value).compactText } catch {
            throw EngineError(.internal, "write a network's row: \(error)")
        }
    }

    private static func read<Value: Decodable>(_ text: String, _ what: String) throws(EngineError) -> Value {
        do { return try JSONValue(parsing: text).decoded() } catch {
            throw EngineError(.internal, "read the row of \(what): \(error)")
        }
    }
}
