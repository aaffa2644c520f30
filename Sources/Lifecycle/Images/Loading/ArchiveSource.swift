import Archive
import Content
import EngineAPI
import Glibc
import Linux
import OCI

/// An image archive that was read once from start to end: its files are staged in the content store, where one that an
/// image needs becomes a blob when it is asked for; its documents are in memory.
struct ArchiveSource: ImageSource {
    let baseName: String?
    private let job: LoadJob
    private var documents: [SourceDocument: [UInt8]] = [:]
    private var files: [String: Digest] = [:]
    /// Docker's older archives name a layer that two images share by a link.
    private var links: [String: String] = [:]
    private var membership = ArchiveMembership()

    /// Reads the archive, packed or not. What it stages is the job's.
    init(reading file: Descriptor, baseName: String?, job: LoadJob) throws(EngineError) {
        self.baseName = baseName
        self.job = job
        let limits = try job.limits()
        do throws(ArchiveError) {
            let packed = DescriptorInput(file) { (_) throws(ArchiveError) in try job.checkCancellation() }
            let inflating = try InflatingInput(packed, hash: nil, limits: limits)
            let reader = try TarReader(inflating, limits: limits)
            var count = 0
            while let entry = try reader.next() {
                count += 1
                try add(entry, reader)
            }
            guard count > 0 else { throw .truncated }
            // What pads the archive: whoever sends it shall get rid of it all.
            _ = try inflating.finish()
        } catch { throw EngineError(error, doing: "load") }
    }

    func document(_ document: SourceDocument) -> [UInt8]? { documents[document] }

    func blob(at path: String) throws(EngineError) -> Digest? {
        guard let digest = digest(at: Self.cleaned(path)) else { return nil }
        do throws(ContentError) { try job.staged[digest]?.publish(lease: job.lease) } catch {
            throw EngineError(error, doing: "load")
        }
        return digest
    }

    private func digest(at path: String) -> Digest? {
        var path = path
        // As many steps as a chain of links can have without a circle.
        for _ in 0..<40 {
            if let digest = files[path] { return digest }
            guard let target = links[path] else { break }
            path = target
        }
        // By whatever name it came.
        return Self.blobDigest(path).flatMap { job.staged[$0]?.digest }
    }

    private mutating func add(_ entry: TarEntry, _ reader: TarReader) throws(ArchiveError) {
        let path = Self.cleaned(String(decoding: entry.path, as: UTF8.self))
        try membership.admit(path, entry.kind)
        if entry.kind == .file, let document = SourceDocument(rawValue: path) {
            documents[document] = try contents(entry, reader, limitBytes: document.limitBytes)
            return
        }
        switch entry.kind {
        case .file where path.hasSuffix("/VERSION") || path.hasSuffix("/json"):
            // One per layer in docker's older form; nothing needs them.
            return
        case .file:
            let file = try stage(entry, Self.blobDigest(path), reader)
            files[path] = file.digest
            job.staged.keep(file)
        case .symbolicLink(let target):
            links[path] = Self.cleaned(
                PathName.joined(PathName.split("/" + path).parent, String(decoding: target, as: UTF8.self)))
        case .hardLink(let target):
            links[path] = Self.cleaned(String(decoding: target, as: UTF8.self))
        default: return
        }
    }

    /// What the path of a blob in an OCI layout names.
    private static func blobDigest(_ path: String) -> Digest? {
        let parts = path.split(separator: "/")
        return parts.count == 3 && parts[0] == "blobs" ? Digest("\(parts[1]):\(parts[2])") : nil
    }

    private func contents(
        _ entry: TarEntry, _ reader: TarReader, limitBytes: Int
    ) throws(ArchiveError) -> [UInt8] {
        var bytes: [UInt8] = []
        try reader.forEachPiece(
            { (piece, offset) throws(ArchiveError) in
                guard offset + Int64(piece.count) <= Int64(limitBytes) else {
                    throw .tooLarge("`\(entry.displayPath)` is larger than \(limitBytes) bytes")
                }
                bytes.append(contentsOf: piece)
            }, failure: { $0 })
        return bytes
    }

    private func stage(
        _ entry: TarEntry, _ expected: Digest?, _ reader: TarReader
    ) throws(ArchiveError) -> StagedBlob {
        do throws(LoadFailure) {
            let writer = try begin(expected)
            try reader.forEachPiece(
                { (piece, offset) throws(LoadFailure) in
                    // No writer of image archives makes sparse members; holes would change the digest.
                    guard offset == writer.sizeBytes else {
                        throw .archive(.refused(path: entry.displayPath, reason: "a sparse file"))
                    }
                    do throws(ContentError) { try writer.write(piece) } catch { throw .content(error) }
                }, failure: { .archive($0) })
            do throws(ContentError) {
                return try writer.stage(expected: expected, expectedSizeBytes: entry.sizeBytes)
            } catch { throw .content(error) }
        } catch { throw error.asArchiveError }
    }

    private func begin(_ expected: Digest?) throws(LoadFailure) -> BlobWriter {
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
