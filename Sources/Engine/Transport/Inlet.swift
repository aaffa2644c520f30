import NIOCore

/// What has arrived on a connection and nobody has taken yet, with the one who waits for it.
///
/// A value inside a channel handler, so confined to its event loop. The handler reads from the socket only while
/// `isWanted`, or one read ahead of that: what a slow consumer does not take stays in the kernel's buffer and holds the
/// peer back.
struct Inlet<Item: Sendable> {
    /// Grows with need: a thousand connections that are idle have one each.
    private var items = CircularBuffer<Item>(initialCapacity: 1)
    private var waiting: EventLoopPromise<Item?>?
    private var ending: Result<Void, TransportError>?

    /// Somebody waits, and nothing is here to give.
    var isWanted: Bool { waiting != nil }

    /// At most one item lies here, which is the end of a small request as a rule.
    var isNearlyEmpty: Bool { items.count <= 1 }

    var hasEnded: Bool { ending != nil }

    /// The end was a failure.
    var hasFailed: Bool {
        if case .failure = ending { true } else { false }
    }

    /// What nobody has taken yet.
    var held: [Item] { Array(items) }

    /// Takes what is here already, as far as a condition lets it.
    mutating func takeHeld(while condition: (Item) -> Bool) -> [Item] {
        var taken: [Item] = []
        while let item = items.first, condition(item) { taken.append(items.removeFirst()) }
        return taken
    }

    mutating func push(_ item: Item) {
        if let promise = waiting {
            waiting = nil
            promise.succeed(item)
        } else {
            items.append(item)
        }
    }

    /// No more comes; what is here already can still be taken.
    mutating func finish(_ result: Result<Void, TransportError>) {
        guard ending == nil else { return }
        ending = result
        guard let promise = waiting else { return }
        waiting = nil
        switch result {
        case .success: promise.succeed(nil)
        case .failure(let error): promise.fail(error)
        }
    }

    /// The next item, now or when it comes; nil after the last.
    mutating func take(on loop: any EventLoop) -> EventLoopFuture<Item?> {
        if let item = items.popFirst() { return loop.makeSucceededFuture(item) }
        switch ending {
        case .success: return loop.makeSucceededFuture(nil)
        case .failure(let error): return loop.makeFailedFuture(error)
        case nil: break
        }
        guard waiting == nil else {
            preconditionFailure("two tasks read one connection")
        }
        let promise = loop.makePromise(of: Item?.self)
        waiting = promise
        return promise.futureResult
    }
}
