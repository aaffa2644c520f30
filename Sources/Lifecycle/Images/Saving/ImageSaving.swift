import Archive
import AsyncIO
import Content
import EngineAPI
import JSON
import Linux
import OCI
import Synchronization

extension ImageStore {
    package func save(_ references: [String]) async throws(EngineError) -> SavedImages {
        var saved: [(reference: String, record: ImageRecord)] = []
        var chosen: [(record: ImageRecord, names: [String])] = []
        for reference in references {
            for (record, names) in try choose(reference) {
                saved.append((reference, record))
                if let index = chosen.firstIndex(where: { $0.record.id == record.id }) {
                    chosen[index].names = Array(Set(chosen[index].names + names)).sorted()
                } else {
                    chosen.append((record, names))
                }
            }
        }
        guard !chosen.isEmpty else { throw EngineError(.invalid, "no image is named to be saved") }
        let lease = content.lease()
        for (record, _) in chosen {
            for digest in [record.manifest, record.id] + record.layers.map(\.blob) { lease.pin(digest) }
        }
        let (content, pool, list) = (content, pool, chosen)
        let archive = try await pool.run { () throws(EngineError) in
            var images: [SavedArchive.Image] = []
            for (record, names) in list { images.append(try SavedArchive.Image(record, names, content)) }
            return SavedArchive(images)
        }
        let stream = ArchiveStream(archive, content, lease)
        let bytes = EngineStream { try await pool.run { () throws(EngineError) in try stream.next() } }
        return SavedImages(bytes: bytes, images: saved)
    }

    /// A name without a tag means all tags of the repository, as docker has it; an id, the image without names.
    private func choose(_ reference: String) throws(EngineError) -> [(ImageRecord, [String])] {
        do throws(ReferenceError) {
            let name = try Reference(reference)
            let prefix = "\(name.name):"
            if name.tag == nil, name.digest == nil {
                let tagged = records.values.filter { $0.names.contains { $0.hasPrefix(prefix) } }
                if !tagged.isEmpty {
                    return tagged.sorted { $0.id < $1.id }.map { record in
                        (record, record.names.filter { $0.hasPrefix(prefix) })
                    }
                }
            }
        } catch {
            // An id: what is no name is looked up as one below.
        }
        let record = try resolve(reference)
        let name = ImageLookup(records: records).name(of: record, in: reference)
        return [(record, name.map { $0.contains("@") ? [] : [$0] } ?? [])]
    }
}

extension SavedArchive.Image {
    /// Blocking.
    fileprivate init(_ record: ImageRecord, _ names: [String], _ content: ContentStore) throws(EngineError) {
        do throws(ContentError) {
            let bytes = try content.read(record.manifest)
            // What cannot be parsed was refused when it came here; its type then is the usual one.
            let type = (try? JSONValue(parsing: bytes))?["mediaType"]?.string
            self.init(
                record: record, names: names, manifestSizeBytes: Int64(bytes.count),
                configSizeBytes: try content.sizeBytes(record.id), manifestType: type ?? ImageMediaType.manifest)
        } catch { throw EngineError(error, doing: "save \(record.id)") }
    }
}

/// An archive that is made as it is read. Blocking; one reader.
private final class ArchiveStream: Sendable {
    private struct State {
        var members: ArraySlice<SavedArchive.Member>
        var open: (reader: BlobReader, member: TarMember, leftBytes: Int64)?
        var isOver = false
    }

    private let content: ContentStore
    /// Ends with the last reader.
    private let lease: ContentLease
    private let state: Mutex<State>

    init(_ archive: SavedArchive, _ content: ContentStore, _ lease: ContentLease) {
        self.content = content
        self.lease = lease
        state = Mutex(State(members: archive.members[...]))
    }

    func next() throws(EngineError) -> [UInt8]? {
        try state.withLock { (state) throws(EngineError) in try piece(&state) }
    }

    private func piece(_ state: inout State) throws(EngineError) -> [UInt8]? {
        if let open = state.open {
            if let bytes = try read(open.reader, &state) { return bytes }
            state.open = nil
            let padding = tar { (writer) throws(Never) in writer.end(open.member) }
            return padding.isEmpty ? try piece(&state) : padding
        }
        guard let member = state.members.popFirst() else {
            defer { state.isOver = true }
            return state.isOver ? nil : tar { (writer) throws(Never) in writer.finish() }
        }
        switch member {
        case .directory(let path):
            return tar { (writer) throws(Never) in writer.append(TarMember(path, .directory, mode: 0o755)) }
        case .document(let path, let bytes):
            var header = TarMember(path, .file, mode: 0o644)
            header.sizeBytes = UInt64(bytes.count)
            return tar { [header] (writer) throws(Never) in writer.append(header, bytes) }
        case .blob(let digest, let size):
            var header = TarMember(SavedArchive.path(digest), .file, mode: 0o644)
            header.sizeBytes = UInt64(size)
            do throws(ContentError) {
                let reader = try BlobReader(content, digest, offset: 0, lengthBytes: size)
                state.open = (reader, header, size)
            } catch { throw EngineError(error, doing: "save") }
            return tar { [header] (writer) throws(Never) in writer.begin(header) }
        }
    }

    private func read(_ reader: BlobReader, _ state: inout State) throws(EngineError) -> [UInt8]? {
        guard let left = state.open?.leftBytes, left > 0 else { return nil }
        let bytes: [UInt8]?
        do throws(KernelError) { bytes = try reader.next() } catch { throw EngineError(error, doing: "save") }
        guard let bytes else { throw EngineError(.internal, "save: a blob ended \(left) bytes before its end") }
        state.open?.leftBytes = left - Int64(bytes.count)
        return bytes
    }

    private func tar(_ body: (TarWriter<Never>) throws(Never) -> Void) -> [UInt8] {
        let collected = Mutex<[UInt8]>([])
        body(TarWriter<Never> { bytes in collected.withLock { $0 += bytes } })
        return collected.withLock { $0 }
    }
}
