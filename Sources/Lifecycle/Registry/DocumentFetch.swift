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
        do throws(JSONError) { return try JSONValue(parsing: sink.bytes.withLock { $0 }) } catch {
            throw RegistryError(.invalid, "\(what): blob \(blob.digest): \(error)")
        }
    }
}

private final class MemorySink: BlobSink {
    let bytes = Mutex<[UInt8]>([])

    var sizeBytes: Int64 { bytes.withLock { Int64($0.count) } }

    func write(_ more: [UInt8]) async { bytes.withLock { $0 += more } }

    func startAnew() async { bytes.withLock { $0 = [] } }

    func finish(_ blob: ContentDescriptor) async throws(ContentError) {
        let found = Digest(of: bytes.withLock { $0 }, blob.digest.algorithm)
        guard found == blob.digest else { throw .wrongDigest(expected: blob.digest, found: found) }
    }
}
