import Glibc
import Linux
import OCI
import Synchronization

/// Blobs, each in a file named by the digest of its bytes: `blobs/sha256/HEX` below the store's directory, and
/// `ingest/` for those being written.
///
/// All calls block and may be made from any thread at once. A blob that can be seen is whole and on disk. What a lease
/// pins is not deleted.
package final class ContentStore: Sendable {
    package let path: String
    private let pins = Mutex<[Digest: Int]>([:])

    /// Makes the store's directories where they are missing.
    package init(path: String) throws(ContentError) {
        self.path = path
        do throws(KernelError) {
            try Directory.create("\(path)/ingest", mode: 0o700)
            for algorithm in Digest.Algorithm.allCases {
                try Directory.create("\(path)/blobs/\(algorithm.rawValue)", mode: 0o700)
            }
        } catch { throw .kernel(error) }
    }

    package func blobPath(_ digest: Digest) -> String { "\(path)/blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    package func contains(_ digest: Digest) -> Bool { access(blobPath(digest), F_OK) == 0 }

    /// The blob opened for reading; the caller closes it.
    package func open(_ digest: Digest) throws(ContentError) -> Descriptor {
        do throws(KernelError) { return try Descriptor.open(blobPath(digest), O_RDONLY) } catch {
            throw error.errno == .noSuchFile ? .notFound(digest) : .kernel(error)
        }
    }

    package func sizeBytes(_ digest: Digest) throws(ContentError) -> Int64 {
        let blob = OwnedDescriptor(try open(digest))
        do throws(KernelError) { return Int64(try blob.descriptor.status().st_size) } catch { throw .kernel(error) }
    }

    /// A small blob whole, such as a manifest; checked against its digest once more, because a file can rot.
    ///
    /// - Parameter isVerified: leaves the check out, for what is read at every start.
    package func read(
        _ digest: Digest, limitBytes: Int = 8 << 20, trusting isVerified: Bool = false
    ) throws(ContentError) -> [UInt8] {
        let blob = OwnedDescriptor(try open(digest))
        let bytes: [UInt8]
        do throws(KernelError) {
            bytes = try blob.descriptor.readAll(limitBytes: limitBytes)
        } catch {
            throw error.errno.rawValue == EFBIG ? .tooLarge(digest, limitBytes: limitBytes) : .kernel(error)
        }
        if isVerified { return bytes }
        let found = Digest(of: bytes, digest.algorithm)
        guard found == digest else { throw .wrongDigest(expected: digest, found: found) }
        return bytes
    }

    /// Begins a blob. What is written is lost unless it is committed.
    package func beginIngest(_ algorithm: Digest.Algorithm = .sha256) throws(ContentError) -> BlobWriter {
        try BlobWriter(store: self, algorithm: algorithm)
    }

    /// Stores bytes that are in memory.
    package func add(_ bytes: [UInt8], lease: ContentLease) throws(ContentError) -> Digest {
        let writer = try beginIngest()
        try writer.write(bytes)
        return try writer.commit(lease: lease)
    }

    package func digests() throws(ContentError) -> [Digest] {
        var found: [Digest] = []
        for algorithm in Digest.Algorithm.allCases {
            do throws(KernelError) {
                let names = try Directory.list("\(path)/blobs/\(algorithm.rawValue)")
                found += names.compactMap { Digest(algorithm, hex: $0) }
            } catch { throw .kernel(error) }
        }
        return found
    }

    /// Deletes a blob, unless a lease pins it; false then. True also where there is none.
    package func delete(_ digest: Digest) throws(ContentError) -> Bool {
        do throws(KernelError) {
            return try pins.withLock { (pins) throws(KernelError) in
                guard pins[digest] == nil else { return false }
                do throws(KernelError) {
                    try kernelCall("remove", blobPath(digest)) { unlink(blobPath(digest)) }
                } catch  where error.errno == .noSuchFile {}
                return true
            }
        } catch { throw .kernel(error) }
    }

    /// Removes what unfinished writers of an earlier process left. Only where no other process uses the store.
    package func removeStaleIngests() throws(ContentError) {
        do throws(KernelError) {
            for name in try Directory.list("\(path)/ingest") {
                try? Directory.removeTree("\(path)/ingest/\(name)")  // What stays takes room, and no more.
            }
        } catch { throw .kernel(error) }
    }

    package func lease() -> ContentLease { ContentLease(store: self) }

    package func isPinned(_ digest: Digest) -> Bool { pins.withLock { $0[digest] != nil } }

    fileprivate func pin(_ digest: Digest) { pins.withLock { $0[digest, default: 0] += 1 } }

    fileprivate func unpin(_ digests: some Collection<Digest>) {
        pins.withLock { pins in
            for digest in digests {
                guard let count = pins[digest] else { continue }
                pins[digest] = count > 1 ? count - 1 : nil
            }
        }
    }
}

/// Blobs that must not be deleted as long as this object lives, because somebody is about to refer to them.
package final class ContentLease: Sendable {
    private let store: ContentStore
    private let held = Mutex<Set<Digest>>([])

    fileprivate init(store: ContentStore) { self.store = store }

    deinit { release() }

    /// Ends the lease before the object ends.
    package func release() {
        let digests = held.withLock { held in
            defer { held = [] }
            return held
        }
        store.unpin(digests)
    }

    /// Keeps a blob from now on, whether it is there already or comes later.
    package func pin(_ digest: Digest) {
        // Under one lock: whoever finds it held already returns to a blob that is pinned.
        held.withLock { held in
            if held.insert(digest).inserted { store.pin(digest) }
        }
    }

    package var digests: Set<Digest> { held.withLock { $0 } }
}
