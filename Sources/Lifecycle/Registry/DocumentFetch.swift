import Content
import JSON
import OCI
import Synchronization

extension RegistrySession {
    /// A small blob as JSON, such as an image's configuration, checked against its digest.
    package func document(_ blob: ContentDescriptor) async throws(RegistryError) -> JSONValue {
        guard blob.sizeBytes <= Self.manifestLimitBytes else {
            throw RegistryError(.invalid, "\(what): blob \(blob.digest) is too large for a document")
        }
        let sink = MemorySink()
        try await download(blob, to: sink) { _ in }
        let bytes = sink.bytes.withLock { $0 }
        let hasher = DigestHasher(blob.digest.algorithm)
        bytes.withUnsafeBytes { hasher.update($0) }
        let found = hasher.finish()
        guard found == blob.digest else {
            throw RegistryError(
                .invalid, "\(what): verification failed: unexpected digest \(found), expected \(blob.digest)")
        }
        do throws(JSONError) { return try JSONValue(parsing: bytes) } catch {
            throw RegistryError(.invalid, "\(what): blob \(blob.digest): \(error)")
        }
    }
}

private final class MemorySink: BlobSink {
    let bytes = Mutex<[UInt8]>([])

    var sizeBytes: Int64 { bytes.withLock { Int64($0.count) } }

    func write(_ more: [UInt8]) async { bytes.withLock { $0 += more } }
}
