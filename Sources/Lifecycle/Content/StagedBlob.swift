import Glibc
import Linux
import OCI
import Synchronization

/// A blob that is written and hashed, and neither in its place nor on disk for sure: seen by nobody, and gone with the
/// object, or by `discard`, unless it is published. All calls block.
package final class StagedBlob: Sendable {
    package let digest: Digest
    private let store: ContentStore
    private let temporaryPath: String
    /// Whether the file is in its place, or gone.
    private let isSettled = Mutex(false)

    /// - Parameter temporaryPath: the file, which is this object's from here on.
    init(store: ContentStore, digest: Digest, temporaryPath: String) {
        self.store = store
        self.digest = digest
        self.temporaryPath = temporaryPath
    }

    deinit { discard() }

    /// Leaves nothing, unless it was published. It cannot be published any more.
    package func discard() {
        isSettled.withLock { isSettled in
            if !isSettled { unlink(temporaryPath) }
            isSettled = true
        }
    }

    /// Puts the blob in its place and pins it for the lease; one that is there already stays.
    package func publish(lease: ContentLease) throws(ContentError) {
        // Pinned before the look: a blob that is found here is not deleted right after.
        lease.pin(digest)
        do throws(KernelError) {
            try isSettled.withLock { (isSettled) throws(KernelError) in
                if isSettled { return }
                if store.contains(digest) { unlink(temporaryPath) } else { try rename(to: store.blobPath(digest)) }
                isSettled = true
            }
        } catch { throw .kernel(error) }
    }

    /// Synced before it gets its name: after a crash a blob is whole or not there.
    private func rename(to path: String) throws(KernelError) {
        let file = OwnedDescriptor(try Descriptor.open(temporaryPath, O_RDONLY | O_NOFOLLOW))
        try kernelCall("sync", temporaryPath) { fdatasync(file.descriptor.rawValue) }
        try kernelCall("chmod", temporaryPath) { fchmod(file.descriptor.rawValue, 0o400) }
        try kernelCall("rename", path) { Glibc.rename(temporaryPath, path) }
        let directory = OwnedDescriptor(try Descriptor.open(PathName.split(path).parent, O_RDONLY | O_DIRECTORY))
        try kernelCall("sync", path) { fsync(directory.descriptor.rawValue) }
    }
}
