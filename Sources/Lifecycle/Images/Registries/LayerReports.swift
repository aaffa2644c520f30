import EngineAPI
import Synchronization

/// What is told of layers: one that was here already has nothing to come to, unless there was something left to do.
final class LayerReports: Sendable {
    private let progress: @Sendable (ImageTransferProgress) -> Void
    private let existing = Mutex<Set<String>>([])

    init(_ progress: @escaping @Sendable (ImageTransferProgress) -> Void) { self.progress = progress }

    func tell(_ step: ImageTransferProgress) {
        if case .layer(let digest, let step) = step, !isNews(step, of: digest) { return }
        progress(step)
    }

    private func isNews(_ step: ImageLayerStep, of digest: String) -> Bool {
        existing.withLock { existing in
            switch step {
            case .existing: return existing.insert(digest).inserted
            case .pulled: return !existing.contains(digest)
            default:
                existing.remove(digest)
                return true
            }
        }
    }
}
