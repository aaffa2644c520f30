import Glibc
import Linux
import OCI
import Synchronization

/// A blob being written: hashed on the way, seen by nobody until it is committed.
///
/// Used by one thread. Dropping the object without `commit` leaves nothing.
package final class BlobWriter {
    private let store: ContentStore
    private let algorithm: Digest.Algorithm
    private var hasher: DigestHasher?
    private let file: OwnedDescriptor
    private let temporaryPath: String
    private var isFinished = false
    package private(set) var sizeBytes: Int64 = 0

    private static let counter = Atomic<UInt64>(0)

    static func nextNumber() -> UInt64 { counter.add(1, ordering: .relaxed).newValue }

    init(store: ContentStore, algorithm: Digest.Algorithm) throws(ContentError) {
        let path = "\(store.path)/ingest/\(getpid())-\(Self.nextNumber())"
        do throws(KernelError) {
            file = OwnedDescriptor(try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600))
        } catch { throw .kernel(error) }
        self.store = store
        self.algorithm = algorithm
        temporaryPath = path
        hasher = DigestHasher(algorithm)
    }

    deinit { discard() }

    /// Leaves nothing from now on, whoever still holds the object. Nothing is written or committed after it.
    package func discard() {
        guard !isFinished else { return }
        isFinished = true
        unlink(temporaryPath)
    }

    /// Forgets what was written, also where a `commit` has refused it: the next byte is the blob's first.
    package func startAnew() throws(ContentError) {
        do throws(KernelError) {
            try kernelCall("truncate", temporaryPath) { ftruncate(file.descriptor.rawValue, 0) }
            try kernelCall("seek in", temporaryPath) { lseek(file.descriptor.rawValue, 0, SEEK_SET) }
        } catch { throw .kernel(error) }
        hasher = DigestHasher(algorithm)
        sizeBytes = 0
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ContentError) {
        do throws(KernelError) { try file.descriptor.writeAll(bytes) } catch {
            throw .kernel(KernelError("write", temporaryPath, error.errno))
        }
        hasher?.update(bytes)
        sizeBytes += Int64(bytes.count)
    }

    package func write(_ bytes: [UInt8]) throws(ContentError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(ContentError) in
            try write(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Puts the blob in its place and pins it for the lease; one that is there already stays.
    ///
    /// - Throws: `wrongDigest` and `wrongSize` where the bytes are not the expected ones; nothing is kept then.
    package func commit(
        expected: Digest? = nil, expectedSizeBytes: Int64? = nil, lease: ContentLease
    ) throws(ContentError) -> Digest {
        let staged = try stage(expected: expected, expectedSizeBytes: expectedSizeBytes)
        try staged.publish(lease: lease)
        return staged.digest
    }

    /// Checks the blob without putting it in its place, which costs a wait for the disk: for one that may not be needed.
    /// Nothing is written any more.
    ///
    /// - Throws: as `commit`.
    package func stage(
        expected: Digest? = nil, expectedSizeBytes: Int64? = nil
    ) throws(ContentError) -> StagedBlob {
        guard let hasher = hasher.take() else { preconditionFailure("blob \(temporaryPath) is committed twice") }
        let found = hasher.finish()
        if let expectedSizeBytes, expectedSizeBytes != sizeBytes {
            throw .wrongSize(expected ?? found, expectedBytes: expectedSizeBytes, foundBytes: sizeBytes)
        }
        if let expected, expected != found { throw .wrongDigest(expected: expected, found: found) }
        isFinished = true
        return StagedBlob(store: store, digest: found, temporaryPath: temporaryPath)
    }
}
