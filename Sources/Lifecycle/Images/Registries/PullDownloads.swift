import EngineAPI
import OCI

/// Blobs that come while others are worked on: so many at once, in their order, and a way to wait for one of them.
struct PullDownloads: Sendable {
    /// Waits for a blob; throws why it does not come.
    typealias Arrival = @Sendable (Digest) async throws(EngineError) -> Void

    private let downloads: [PullDownload]

    init(_ downloads: [PullDownload]) { self.downloads = downloads }

    /// Runs `body` beside the downloads; the first failure of either ends both.
    func run<Value: Sendable>(
        limit: Int, _ body: @Sendable (@escaping Arrival) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        for download in downloads { download.announce() }
        let arrivals = ArrivalBoard(downloads)
        let result = await withTaskGroup(of: Void.self) { group in
            for _ in 0..<min(limit, downloads.count) {
                group.addTask {
                    while let download = await arrivals.next() {
                        do throws(EngineError) {
                            // Whoever waits for what will not come must hear of it.
                            guard !Task.isCancelled else { throw .loadCancelled }
                            try await download.run()
                            await arrivals.came(download.blob.digest)
                        } catch {
                            // The one failure that all others follow from.
                            await arrivals.fail(error)
                            return
                        }
                    }
                }
            }
            let result: Result<Value, EngineError>
            do throws(EngineError) {
                result = .success(try await body { digest throws(EngineError) in try await arrivals.wait(for: digest) })
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            return result
        }
        return try result.get()
    }
}

/// What has come, and who waits for what has not.
private actor ArrivalBoard {
    private var queue: ArraySlice<PullDownload>
    private var here: Set<Digest> = []
    private var failure: EngineError?
    private var waiting: [Digest: [CheckedContinuation<Void, Never>]] = [:]

    init(_ downloads: [PullDownload]) { queue = downloads[...] }

    /// The next one that nobody works on.
    func next() -> PullDownload? { queue.popFirst() }

    func came(_ digest: Digest) {
        here.insert(digest)
        for waiter in waiting.removeValue(forKey: digest) ?? [] { waiter.resume() }
    }

    func fail(_ error: EngineError) {
        if failure == nil { failure = error }
        let all = waiting.values.joined()
        waiting = [:]
        for waiter in all { waiter.resume() }
    }

    /// A cancelled pull's downloads fail, and wake whoever waits here.
    func wait(for digest: Digest) async throws(EngineError) {
        if !here.contains(digest), failure == nil {
            await withCheckedContinuation { waiting[digest, default: []].append($0) }
        }
        if let failure, !here.contains(digest) { throw failure }
    }
}
