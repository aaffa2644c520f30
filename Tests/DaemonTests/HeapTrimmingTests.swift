import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(1))) struct HeapTrimmingTests {
    @Test("The heap is trimmed after requests, and again after later ones")
    func afterRequests() async {
        let (trims, signal) = AsyncStream<Void>.makeStream()
        let trimming = HeapTrimming(after: .milliseconds(5)) { signal.yield() }
        var seen = trims.makeAsyncIterator()
        for _ in 0..<3 {
            for _ in 0..<100 { trimming.noteRequest() }
            await seen.next()
        }
    }
}
