import Synchronization

/// Counts the changes of something: what was made of it holds while the number stays.
///
/// Who makes something reads `number` before it looks. Who changes calls `raise` after the change, and before anybody is
/// told that it is done. Any thread may call.
package final class Revision: Sendable {
    /// The first is of chance: what was made of one engine does not hold for the next of the same process.
    private let count = Atomic(UInt64.random(in: 0...UInt64.max))

    package init() {}

    package var number: UInt64 { count.load(ordering: .acquiring) }

    package func raise() { count.wrappingAdd(1, ordering: .releasing) }
}
