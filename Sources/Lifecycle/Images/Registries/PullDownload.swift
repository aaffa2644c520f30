import Content
import EngineAPI
import OCI
import Registry
import Synchronization

/// One blob on its way into the content store.
struct PullDownload: Sendable {
    let pull: ImagePull
    let blob: ContentDescriptor
    let isLayer: Bool

    private var store: ImageStore { pull.store }

    func announce() { tell(store.content.contains(blob.digest) ? .existing : .waiting) }

    /// Returns once the blob is in the store, whole and checked.
    func run() async throws(EngineError) {
        let isHeld = try await store.isHeldAfterClaim(blob.digest)
        let result: Result<Void, EngineError>
        do throws(EngineError) {
            if !isHeld { try await download() }
            result = .success(())
        } catch { result = .failure(error) }
        await store.release(blob.digest)
        try result.get()
    }

    private func download() async throws(EngineError) {
        let (content, pool, lease, digest) = (store.content, store.pool, pull.job.lease, blob.digest)
        let sink: ContentSink
        do throws(ContentError) {
            sink = try await pool.run { () throws(ContentError) in
                try ContentSink(content, digest.algorithm, lease: lease, pool: pool) { tell(.verifying) }
            }
        } catch { throw failure(error) }
        do throws(EngineError) { try await fill(sink) } catch {
            // Before anybody is told: a thread of the pool may hold the sink a moment longer.
            await sink.discard()
            throw error
        }
    }

    private func fill(_ sink: ContentSink) async throws(EngineError) {
        let total = blob.sizeBytes
        let steps = ProgressSteps(total)
        do throws(RegistryError) {
            try await pull.session.download(blob, to: sink) { done in
                if steps.isWorthTelling(done) { tell(.downloading(doneBytes: done, totalBytes: total)) }
            }
        } catch {
            if let cause = error.cause as? ContentError { throw failure(cause) }
            throw EngineError(error, object: pull.session.reference.familiar)
        }
        store.faults.pass(.pullAfterLayer)
        tell(.downloaded)
    }

    private func failure(_ error: ContentError) -> EngineError {
        EngineError(error, doing: "pull \(pull.session.reference.familiar): layer \(blob.digest)")
    }

    private func tell(_ step: ImageLayerStep) {
        if isLayer { pull.progress(.layer(digest: blob.digest.description, step)) }
    }
}

/// At most a hundred reports a blob, whatever its size.
final class ProgressSteps: Sendable {
    private let stepBytes: Int64
    private let totalBytes: Int64
    private let told = Mutex<Int64>(-1)

    init(_ totalBytes: Int64) {
        self.totalBytes = totalBytes
        stepBytes = max(totalBytes / 100, 64 << 10)
    }

    /// Fewer bytes than before are: the transfer has begun anew.
    func isWorthTelling(_ doneBytes: Int64) -> Bool {
        told.withLock { told in
            let isFurther = doneBytes - told >= stepBytes || doneBytes == totalBytes
            guard told < 0 || isFurther || doneBytes < told else { return false }
            told = doneBytes
            return true
        }
    }
}
