import EngineAPI
import JSON
import Networking
import Storage

/// The networks' index in the engine's metadata.
package struct StoredNetworkIndex: NetworkIndex {
    private let store: MetadataStore
    private let note: @Sendable (String) -> Void

    /// - Parameter note: told of rows that cannot be read. They are kept as they are: a later version may know them.
    package init(store: MetadataStore, note: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.note = note
    }

    package func networks() async throws(EngineError) -> [NetworkDefinition] {
        let rows: [NetworkRow]
        do { rows = try await store.networks() } catch { throw EngineError(error) }
        return rows.compactMap { read($0.document, "network \($0.name)") }
    }

    package func endpoints() async throws(EngineError) -> [EndpointRecord] {
        let rows: [EndpointRow]
        do { rows = try await store.endpoints() } catch { throw EngineError(error) }
        return rows.compactMap { read($0.document, "container \($0.container) in network \($0.network)") }
    }

    package func unread() async throws(EngineError) -> UnreadNetworks {
        let (networks, endpoints): ([NetworkRow], [EndpointRow])
        do { (networks, endpoints) = (try await store.networks(), try await store.endpoints()) } catch {
            throw EngineError(error)
        }
        var unread = UnreadNetworks()
        for row in networks where !Self.isReadable(row.document, as: NetworkDefinition.self) {
            unread.networks[row.id] = row.name
        }
        for row in endpoints where !Self.isReadable(row.document, as: EndpointRecord.self) {
            unread.memberships[row.container, default: []].append(row.network)
        }
        return unread
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

    private static func isReadable<Value: Decodable>(_ text: String, as: Value.Type) -> Bool {
        // Why it is not was told when it was read.
        (try? value(text) as Value) != nil
    }

    private static func value<Value: Decodable>(_ text: String) throws -> Value {
        try JSONValue(parsing: text).decoded()
    }

    private func read<Value: Decodable>(_ text: String, _ what: String) -> Value? {
        do { return try Self.value(text) } catch {
            note("read the row of \(what): \(error)")
            return nil
        }
    }
}
