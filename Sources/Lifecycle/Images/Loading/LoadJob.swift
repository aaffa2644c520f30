import Archive
import Content
import EngineAPI
import Linux
import OCI
import Synchronization

/// What one load carries with it from step to step.
final class LoadJob: Sendable {
    let content: ContentStore
    /// Holds every blob of the load until its images are in the index.
    let lease: ContentLease
    /// What an archive holds, until an image needs it.
    let staged = StagedBlobs()
    let progress: @Sendable (ImageLoadProgress) -> Void
    private let isCancelled = Atomic<Bool>(false)

    init(content: ContentStore, progress: @escaping @Sendable (ImageLoadProgress) -> Void) {
        self.content = content
        self.progress = progress
        lease = content.lease()
    }

    /// Runs the load's work; once the calling task is cancelled, what blocks for it ends by `checkCancellation`.
    func run<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let result: Result<Value, EngineError> = await withTaskCancellationHandler {
            do throws(EngineError) { return .success(try await body()) } catch { return .failure(error) }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Nobody waits for what this makes any more.
    var isOver: Bool { isCancelled.load(ordering: .relaxed) }

    func checkIsWanted() throws(EngineError) { if isOver { throw .loadCancelled } }

    func checkCancellation() throws(ArchiveError) { if isOver { throw .cancelled } }

    /// At most what is free now, less a reserve, so that a bomb does not take the machine's last block.
    func limits() throws(EngineError) -> UnpackLimits {
        do throws(KernelError) {
            let free = try FreeSpace.at(content.path)
            return UnpackLimits(
                bytes: max(0, free.bytes - min(free.bytes / 20, 1 << 30)),
                entries: Int(clamping: free.files ?? .max), roomAt: content.path)
        } catch { throw EngineError(error) }
    }
}

/// Blobs on their way into the store, each once.
final class StagedBlobs: Sendable {
    private let blobs = Mutex<[Digest: StagedBlob]>([:])

    subscript(digest: Digest) -> StagedBlob? { blobs.withLock { $0[digest] } }

    func keep(_ blob: StagedBlob) {
        blobs.withLock { blobs in
            if blobs[blob.digest] == nil { blobs[blob.digest] = blob }
        }
    }

    /// Leaves nothing of those that were not published. Blocking.
    func discard() {
        let all = blobs.withLock { blobs in
            defer { blobs = [:] }
            return blobs
        }
        for blob in all.values { blob.discard() }
    }
}
