import Content
import EngineAPI
import OCI

/// A document of an archive or a layout, by its path.
enum SourceDocument: String {
    case index = "index.json"
    case layout = "oci-layout"
    case dockerManifest = "manifest.json"
    case repositories

    /// More is no document of any images.
    var limitBytes: Int {
        switch self {
        case .index: LoadPlan.manifestLimitBytes
        case .layout: 4 << 10
        case .dockerManifest, .repositories: 16 << 20
        }
    }
}

/// An archive or a directory that images are loaded from. Blocking, and used by one thread at a time.
protocol ImageSource: Sendable {
    /// A name to be used for an image that is given only a tag there; nil for a stream.
    var baseName: String? { get }
    /// Nil where there is none.
    func document(_ document: SourceDocument) throws(EngineError) -> [UInt8]?
    /// The digest of a file, which is in the content store by now, and pinned; nil where there is none.
    func blob(at path: String) throws(EngineError) -> Digest?
}

extension ImageSource {
    /// The blob of that digest: from the source, or the store's own.
    func require(_ digest: Digest, in job: LoadJob) throws(EngineError) {
        if try blob(at: "blobs/\(digest.algorithm.rawValue)/\(digest.hex)") == digest { return }
        job.lease.pin(digest)
        guard job.content.contains(digest) else {
            throw EngineError(.invalid, "invalid archive: blob \(digest) is missing")
        }
    }
}
