import ShimAPI

/// How further processes ended lately, for who subscribes afterwards: a report reaches only whoever listens at that
/// moment, and may be lost with the connection that it was sent by.
struct ExecEnds {
    /// As long as an engine remembers an exec for who asks how it ended.
    private static let lifetimeNanoseconds: Int64 = 300_000_000_000
    private static let limit = 1024

    /// In the order in which they came.
    private(set) var ends: [(id: String, exit: ShimExit)] = []

    func has(_ id: String) -> Bool { ends.contains { $0.id == id } }

    mutating func add(_ id: String, _ exit: ShimExit) {
        let oldest = exit.nanosecondsSinceEpoch - Self.lifetimeNanoseconds
        ends.removeAll { $0.exit.nanosecondsSinceEpoch < oldest }
        if ends.count >= Self.limit { ends.removeFirst() }
        ends.append((id, exit))
    }
}
