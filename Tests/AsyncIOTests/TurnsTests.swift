import AsyncIO
import Testing

/// Somebody who has turns.
private actor Worker {
    private var turns = Turns<String>()
    private(set) var begun: [Int] = []
    private(set) var done: [Int] = []

    var isIdle: Bool { turns.isEmpty }

    func work(_ key: String, _ number: Int, _ body: @escaping @Sendable () async -> Void) async {
        begun.append(number)
        let turn = turns.begin(key) {
            await body()
            await self.note(number)
        }
        await turn.outcome
        turns.end(key, turn)
    }

    private func note(_ number: Int) { done.append(number) }
}

@Suite(.timeLimit(.minutes(1))) struct TurnsTests {
    @Test("Work of one key is done in its order, of another meanwhile, and nothing is kept of it afterwards")
    func order() async {
        let worker = Worker()
        let (gate, opening) = AsyncStream.makeStream(of: Void.self)
        let first = Task { await worker.work("a", 1) { for await _ in gate {} } }
        while await worker.isIdle { await Task.yield() }
        let others = (2...20).map { number in Task { await worker.work("a", number) {} } }
        await worker.work("b", 0) {}
        #expect(await worker.done == [0])
        #expect(await !worker.isIdle)
        opening.finish()
        await first.value
        for other in others { await other.value }
        #expect(await worker.done.prefix(2) == [0, 1])
        #expect(await worker.done.sorted() == Array(0...20))
        let begun = await worker.begun.filter { $0 != 0 }
        #expect(await worker.done.filter { $0 != 0 } == begun)
        #expect(await worker.isIdle)
    }
}
