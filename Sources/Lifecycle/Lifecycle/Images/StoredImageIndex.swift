import EngineAPI
import Images
import Storage

/// The image store's index in the engine's metadata.
package struct StoredImageIndex: ImageIndex {
    private let store: MetadataStore

    package init(store: MetadataStore) { self.store = store }

    package func entries() async throws(EngineError) -> [ImageIndexEntry] {
        do {
            return try await store.images().map { row in
                ImageIndexEntry(id: row.id, storedAt: row.storedAt, document: row.document, names: row.names)
            }
        } catch { throw EngineError(error) }
    }

    package func apply(_ changes: [ImageIndexChange]) async throws(EngineError) {
        let steps = changes.map { change -> ImageChange in
            switch change {
            case .put(let id, let storedAt, let document): .put(id: id, storedAt: storedAt, document: document)
            case .name(let name, let id): .name(name, id: id)
            case .removeName(let name): .removeName(name)
            case .delete(let id): .delete(id: id)
            }
        }
        do { try await store.apply(steps) } catch { throw EngineError(error) }
    }
}
