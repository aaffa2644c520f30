import Content
import EngineAPI
import JSON
import OCI

extension ImageStore {
    package func manifests(of ids: [String]) async throws(EngineError) -> [String: ImageManifestSummary] {
        let wanted = ids.compactMap { Digest($0) }.compactMap { records[$0] }
        let content = content
        return try await pool.run { () throws(EngineError) in
            var found: [String: ImageManifestSummary] = [:]
            for record in wanted {
                do throws(ContentError) { found[record.id.description] = try record.manifestSummary(content) } catch {
                    // Removed meanwhile: nothing is told of it.
                    if content.contains(record.manifest) { throw EngineError(error, doing: "list images") }
                }
            }
            return found
        }
    }
}

extension ImageRecord {
    /// Blocking.
    fileprivate func manifestSummary(_ content: ContentStore) throws(ContentError) -> ImageManifestSummary {
        let bytes = try content.read(manifest)
        // One without the member is OCI's, which leaves it out as it likes.
        let stated = (try? JSONValue(parsing: bytes))?["mediaType"]?.string
        let packed = layers.reduce(Int64(bytes.count) + (try content.sizeBytes(id))) { $0 + $1.blobSizeBytes }
        return ImageManifestSummary(
            digest: manifest.description, mediaType: stated ?? ImageMediaType.manifest, sizeBytes: Int64(bytes.count),
            platform: config.platform.description, contentBytes: packed, unpackedBytes: sizeBytes)
    }
}
