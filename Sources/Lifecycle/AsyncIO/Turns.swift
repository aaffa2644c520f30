/// Work that is done one piece after another of each key, in the order in which it comes; pieces of different keys do not
/// wait for each other. Whoever has one keeps it in an actor, for it is a value.
///
/// Nothing is kept of a key once its last piece is done.
package struct Turns<Key: Hashable & Sendable>: Sendable {
    private var last: [Key: Task<Void, Never>] = [:]

    package init() {}

    package var isEmpty: Bool { last.isEmpty }

    /// Begins `body` behind what came before it. The caller awaits the task, and says so then by `end`.
    package mutating func begin<Outcome: Sendable>(
        _ key: Key, _ body: @escaping @Sendable () async -> Outcome
    ) -> Turn<Outcome> {
        let before = last[key]
        let work = Task { () -> Outcome in
            await before?.value
            return await body()
        }
        let end = Task { _ = await work.value }
        last[key] = end
        return Turn(work: work, end: end)
    }

    /// The piece is done.
    package mutating func end<Outcome>(_ key: Key, _ turn: Turn<Outcome>) {
        if last[key] == turn.end { last[key] = nil }
    }

    /// A piece of work in its turn.
    package struct Turn<Outcome: Sendable>: Sendable {
        fileprivate let work: Task<Outcome, Never>
        fileprivate let end: Task<Void, Never>

        package var outcome: Outcome { get async { await work.value } }
    }
}
