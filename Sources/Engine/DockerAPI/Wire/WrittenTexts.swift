import Synchronization

/// The text of values as it was written the last time, for those that are as they were: to compare a value costs a small
/// part of writing it.
package final class WrittenTexts<Value: Equatable & Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let text: [UInt8]
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let limit: Int

    /// - Parameter limit: of so many values the text is kept.
    package init(limit: Int) { self.limit = limit }

    /// - Parameters:
    ///   - id: what the value is of.
    ///   - write: makes the text, which must follow from the value alone.
    package func text(_ id: String, _ value: Value, write: (Value) -> [UInt8]) -> [UInt8] {
        entries.withLock { entries in
            if let entry = entries[id], entry.value == value { return entry.text }
            let text = write(value)
            // Those that are gone go with all others, now and then: to look for them would cost more.
            if entries.count >= limit, entries[id] == nil { entries.removeAll(keepingCapacity: true) }
            entries[id] = Entry(value: value, text: text)
            return text
        }
    }
}
