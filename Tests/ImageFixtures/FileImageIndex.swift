import EngineAPI
import Images
import JSON
import Linux
import Synchronization

/// An index in one file that is replaced as a whole: it outlives the process that is killed.
package final class FileImageIndex: ImageIndex {
    private let path: String
    private let memory = MemoryImageIndex()

    package init(path: String) throws {
        self.path = path
        let bytes: [UInt8]
        do throws(KernelError) { bytes = try FileContents.read(path) } catch {
            guard error.errno == .noSuchFile else { throw error }
            return
        }
        for entry in try JSONValue(parsing: bytes).array ?? [] {
            guard let id = entry["id"]?.string, let document = entry["document"]?.string else { continue }
            try memory.apply([.put(id: id, storedAt: entry["storedAt"]?.integer ?? 0, document: document)])
            try memory.apply((entry["names"]?.array ?? []).compactMap(\.string).map { .name($0, id: id) })
        }
    }

    package func entries() -> [ImageIndexEntry] { memory.entries() }

    package func apply(_ changes: [ImageIndexChange]) throws(EngineError) {
        try memory.apply(changes)
        let entries = memory.entries().map { entry in
            JSONValue.object(
                JSONObject([
                    ("id", .string(entry.id)), ("storedAt", .integer(entry.storedAt)),
                    ("document", .string(entry.document)), ("names", .array(entry.names.map(JSONValue.string))),
                ]))
        }
        do throws(KernelError) { try FileContents.replace(path, with: JSONValue.array(entries).compactBytes) } catch {
            throw EngineError(.internal, error.description)
        }
    }
}
