import Archive
import Content
import EngineAPI
import Glibc
import Linux
import OCI

/// An image archive that was read once from start to end: its blobs are in the content store, its documents in memory.
struct ArchiveSource: ImageSource {
    let baseName: String?
    private var documents: [String: [UInt8]] = [:]
    private var blobs: [String: Digest] = [:]
    /// Docker's older archives name a layer that two images share by a link.
    private var links: [String: String] = [:]

    private static let documentNames: Set = ["index.json", "oci-layout", "manifest.json", "repositories"]
    private static let documentLimitBytes = 16 << 20

    /// Reads the archive, packed or not. What it holds is pinned by the job's lease.
    init(reading file: Descriptor, baseName: String?, job: LoadJob) throws(EngineError) {
        self.baseName = baseName
        let limits = try job.limits()
        do throws(ArchiveError) {
            let packed = DescriptorInput(file) { (_) throws(ArchiveError) in try job.checkCancellation() }
            let inflating = try InflatingInput(packed, hash: nil, limits: limits)
            let reader = try TarReader(inflating, limits: limits)
            var count = 0
            while let entry = try reader.next() {
                count += 1
                try add(entry, reader, job)
            }
            guard count > 0 else { throw .truncated }
            // What pads the archive: whoever sends it shall get rid of it all.
            _ = try inflating.finish()
        } catch { throw EngineError(error, doing: "load") }
    }

    func document(_ path: String) -> [UInt8]? { documents[path] }

    func blob(at path: String) -> Digest? {
        var path = Self.cleaned(path)
        // As many steps as a chain of links can have without a circle.
        for _ in 0..<40 {
            if let digest = blobs[path] { return digest }
            guard let target = links[path] else { return nil }
            path = target
        }
        return nil
    }

    private mutating func add(_ entry: TarEntry, _ reader: TarReader, _ job: LoadJob) throws(ArchiveError) {
        let path = Self.cleaned(String(decoding: entry.path, as: UTF8.self))
        switch entry.kind {
        case .file where Self.documentNames.contains(path):
            documents[path] = try contents(entry, reader)
        case .file where path.hasSuffix("/VERSION") || path.hasSuffix("/json"):
            // One per layer in docker's older form; nothing needs them.
            return
        case .file:
            let parts = path.split(separator: "/")
            let isBlob = parts.count == 3 && parts[0] == "blobs"
            let expected = isBlob ? Digest("\(parts[1]):\(parts[2])") : nil
            blobs[path] = try ingest(entry, expected, reader, job)
        case .symbolicLink(let target):
            links[path] = Self.cleaned(
                PathName.joined(PathName.split("/" + path).parent, String(decoding: target, as: UTF8.self)))
        case .hardLink(let target):
            links[path] = Self.cleaned(String(decoding: target, as: UTF8.self))
        default: return
        }
    }

    private func contents(_ entry: TarEntry, _ reader: TarReader) throws(ArchiveError) -> [UInt8] {
        var bytes: [UInt8] = []
        try reader.forEachPiece(
            { (piece, offset) throws(ArchiveError) in
                guard offset + Int64(piece.count) <= Int64(Self.documentLimitBytes) else {
                    throw .tooLarge("`\(entry.displayPath)` is larger than \(Self.documentLimitBytes) bytes")
                }
                bytes.append(contentsOf: piece)
            }, failure: { $0 })
        return bytes
    }

    private func ingest(
        _ entry: TarEntry, _ expected: Digest?, _ reader: TarReader, _ job: LoadJob
    ) throws(ArchiveError) -> Digest {
        do throws(LoadFailure) {
            let writer = try begin(expected, job)
            try reader.forEachPiece(
                { (piece, offset) throws(LoadFailure) in
                    // No writer of image archives makes sparse members; holes would change the digest.
                    guard offset == writer.sizeBytes else {
                        throw .archive(.refused(path: entry.displayPath, reason: "a sparse file"))
                    }
                    do throws(ContentError) { try writer.write(piece) } catch { throw .content(error) }
                }, failure: { .archive($0) })
            do throws(ContentError) {
                return try writer.commit(expected: expected, expectedSizeBytes: entry.sizeBytes, lease: job.lease)
            } catch { throw .content(error) }
        } catch { throw error.asArchiveError }
    }

    private func begin(_ expected: Digest?, _ job: LoadJob) throws(LoadFailure) -> BlobWriter {
        do throws(ContentError) { return try job.content.beginIngest(expected?.algorithm ?? .sha256) } catch {
            throw .content(error)
        }
    }

    static func cleaned(_ path: String) -> String { String(PathName.cleaned("/" + path).dropFirst()) }
}

/// Either side of copying from an archive into the store.
private enum LoadFailure: Error {
    case archive(ArchiveError)
    case content(ContentError)

    var asArchiveError: ArchiveError {
        switch self {
        case .archive(let error): error
        case .content(.kernel(let error)): .kernel(error)
        case .content(let error): .invalid(error.description)
        }
    }
}
