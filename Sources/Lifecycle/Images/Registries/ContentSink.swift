import AsyncIO
import Content
import OCI
import Registry

/// Takes a download into the content store: gathers small pieces, and writes and hashes them on the pool. What it keeps in
/// the end is pinned by the lease.
///
/// Safety: one task at a time uses it, as a `BlobSink` is; the pool's thread works only while that task waits for it.
final class ContentSink: BlobSink, @unchecked Sendable {
    private let writer: BlobWriter
    private let lease: ContentLease
    private let pool: BlockingPool
    private let whenWhole: @Sendable () -> Void
    private var gathered: [UInt8] = []
    private static let pieceBytes = 1 << 20

    /// Blocking.
    ///
    /// - Parameter whenWhole: called when all has come, before it is looked at; must not block.
    init(
        _ content: ContentStore, _ algorithm: Digest.Algorithm, lease: ContentLease, pool: BlockingPool,
        whenWhole: @escaping @Sendable () -> Void
    ) throws(ContentError) {
        writer = try content.beginIngest(algorithm)
        self.lease = lease
        self.pool = pool
        self.whenWhole = whenWhole
    }

    var sizeBytes: Int64 { writer.sizeBytes + Int64(gathered.count) }

    func write(_ bytes: [UInt8]) async throws {
        if gathered.isEmpty { gathered.reserveCapacity(Self.pieceBytes + (256 << 10)) }
        gathered += bytes
        if gathered.count >= Self.pieceBytes { try await flush() }
    }

    func startAnew() async throws {
        gathered.removeAll(keepingCapacity: true)
        try await pool.run { [self] () throws(ContentError) in try writer.startAnew() }
    }

    /// Puts the blob in its place, if it is the one that the descriptor names.
    func finish(_ blob: ContentDescriptor) async throws(ContentError) {
        whenWhole()
        try await flush()
        try await pool.run { [self] () throws(ContentError) in
            _ = try writer.commit(expected: blob.digest, expectedSizeBytes: blob.sizeBytes, lease: lease)
        }
    }

    /// Nothing of it is kept.
    func discard() async { await pool.run { [self] in writer.discard() } }

    private func flush() async throws(ContentError) {
        guard !gathered.isEmpty else { return }
        try await pool.run { [self] () throws(ContentError) in
            try writer.write(gathered)
            gathered.removeAll(keepingCapacity: true)
        }
    }
}
