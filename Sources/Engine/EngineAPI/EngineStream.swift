/// A sequence that a consumer pulls: nothing is produced ahead of what was asked for, so a slow consumer holds the
/// producer back instead of growing a buffer. Ends with nil, or by an `EngineError`.
///
/// One consumer at a time. Cancelling the consuming task, or dropping the stream, ends the production.
public struct EngineStream<Element: Sendable>: AsyncSequence, Sendable {
    private let produce: @Sendable () async throws -> Element?

    /// - Parameter produce: gives the next element or nil at the end; called again only after it returned.
    public init(_ produce: @escaping @Sendable () async throws -> Element?) { self.produce = produce }

    /// A stream over another sequence, such as an `AsyncThrowingStream` with a bounded buffer.
    public init<Base: AsyncSequence & Sendable>(_ base: Base) where Base.Element == Element {
        let cursor = Cursor(base)
        self.init { try await cursor.next() }
    }

    /// The next element, for a consumer that has no loop; the same rules hold.
    public func next() async throws -> Element? {
        try Task.checkCancellation()
        return try await produce()
    }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let produce: @Sendable () async throws -> Element?

        public mutating func next() async throws -> Element? {
            try Task.checkCancellation()
            return try await produce()
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(produce: produce) }

    /// Safety: the contract of `EngineStream` is one consumer, which awaits each call before the next.
    private final class Cursor<Base: AsyncSequence & Sendable>: @unchecked Sendable where Base.Element == Element {
        private var iterator: Base.AsyncIterator

        init(_ base: Base) { iterator = base.makeAsyncIterator() }

        func next() async throws -> Element? {
            var local = iterator
            defer { iterator = local }
            return try await local.next()
        }
    }
}
