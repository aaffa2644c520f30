import AsyncIO
import Linux
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct BlockingPoolTests {
    @Test("All work is done, never more of it at once than the pool has threads")
    func bounded() async {
        let pool = BlockingPool(maximumThreads: 3)
        let counters = Counters()
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 1...200 {
                group.addTask {
                    await pool.run {
                        let now = counters.running.add(1, ordering: .relaxed).newValue
                        _ = counters.most.max(now, ordering: .relaxed)
                        defer { counters.running.subtract(1, ordering: .relaxed) }
                        return number
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 20100)
        #expect(counters.most.load(ordering: .relaxed) <= 3)
    }

    private final class Counters: Sendable {
        let running = Atomic(0)
        let most = Atomic(0)
    }

    @Test("The error that the work throws arrives with its type")
    func errors() async {
        let failure = KernelError("open", "x", .noSuchFile)
        await #expect(throws: failure) {
            try await BlockingPool.shared.run { () throws(KernelError) -> Int in throw failure }
        }
    }
}
