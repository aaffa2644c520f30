/// Does one thing again each time it is asked for; requests that come while it runs are one.
final class Refresh: Sendable {
    private let requests: AsyncStream<Void>.Continuation
    private let task: Task<Void, Never>

    init(_ body: @escaping @Sendable () async -> Void) {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        requests = continuation
        task = Task {
            for await _ in stream {
                await body()
                // A burst of events costs a few lists a second, not one each. Ends early when cancelled.
                try? await Task.sleep(for: .milliseconds(40))
            }
        }
    }

    func request() { requests.yield() }

    func stop() {
        requests.finish()
        task.cancel()
    }
}
