import EngineAPI

/// Performs what is asked of images and says in words what came of it.
struct ImageActions: Sendable {
    let engine: any Engine
    let credentials: InterfaceConfiguration.Credentials
    let report: @Sendable (JobProgress) -> Void

    /// Reports are not made more often than this while bytes flow.
    private static let interval = Duration.milliseconds(100)

    func perform(_ action: EngineAction) async throws(EngineError) -> String {
        switch action {
        case .pull(let reference): return try await pull(reference)
        case .tagImage(let target, let name):
            try await engine.tagImage(target.id, as: name)
            return "\(target.name) is also \(name)"
        case .removeImage(let target, let force):
            let removals = try await engine.removeImage(target.id, force: force, prune: true)
            return removals.isEmpty ? "\(target.name): nothing to remove" : "\(target.name) removed"
        case .pruneImages(let all):
            let result = try await engine.pruneImages(all: all, filter: ImageFilter())
            let count = result.removals.count { if case .deleted = $0 { true } else { false } }
            guard count > 0 else { return "no image to remove" }
            return "removed \(count) images, \(Quantity.decimalBytes(result.reclaimedBytes)) are free"
        default: return ""
        }
    }

    private func pull(_ reference: String) async throws(EngineError) -> String {
        var request = ImagePullRequest(reference)
        request.credentials = try await credentials(reference)
        var progress = TransferProgress()
        var words = "\(reference) pulled"
        let clock = ContinuousClock()
        var told = clock.now
        do {
            for try await event in try await engine.pullImage(request) {
                switch event {
                case .layer(let digest, let step):
                    let isNews = progress.take(digest, step)
                    guard isNews || told.duration(to: clock.now) > Self.interval else { continue }
                    told = clock.now
                    report(JobProgress(text: progress.summary, transfer: progress))
                case .pulled(_, let name, _, let isNew): words = isNew ? "\(name) pulled" : "\(name) is up to date"
                case .pulling, .pushing, .pushed: continue
                }
            }
        } catch {
            throw EngineError(ending: error)
        }
        // A stream of a cancelled task ends as if it were complete.
        guard !Task.isCancelled else { throw EngineError(.cancelled, "cancelled") }
        return words
    }
}
