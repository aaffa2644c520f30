import Content
import JSON
import OCI
import Snapshots

/// Makes records of the index's entries. Blocking.
struct RecordReading: Sendable {
    var records: [Digest: ImageRecord] = [:]
    /// Those of which something cannot be read, by what their rows say.
    var unread: [Digest: ImageRecord] = [:]
    /// Whether there is a row that does not even say what its image is made of.
    var hasUnknown = false
    var problems: [String] = []

    init(entries: [ImageIndexEntry], content: ContentStore, layers: Set<Digest>, host: Platform) {
        for entry in entries {
            do { try read(entry, content, layers, host) } catch {
                hasUnknown = true
                problems.append(
                    "image \(entry.id): its row cannot be read, so nothing is collected that an image has left: \(error)"
                )
            }
        }
    }

    /// - Throws: where the row itself cannot be read.
    private mutating func read(
        _ entry: ImageIndexEntry, _ content: ContentStore, _ layers: Set<Digest>, _ host: Platform
    ) throws {
        let row = try ImageRecord(entry, config: ImageConfig(platform: host))
        do {
            var record = row
            record.config = try ImageConfig(try JSONValue(parsing: try content.read(row.id, trusting: true)))
            let missing = record.chainIDs.first { !layers.contains($0) }
            if let missing { throw SnapshotError.missingLayer(missing) }
            records[row.id] = record
        } catch {
            unread[row.id] = row
            let names = row.familiarNames.isEmpty ? "" : " (\(row.familiarNames.joined(separator: ", ")))"
            problems.append(
                "image \(row.id.short)\(names) cannot be used: \(error); what there is of it is kept: pull or load it "
                    + "again, or give it up by rmi")
        }
    }
}
