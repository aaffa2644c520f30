import EngineAPI
import JSON
import Synchronization

/// The answer of `GET /containers/json` as text.
///
/// Of a container that is as it was in an earlier answer the text is kept; only the words of its status, which change by
/// themselves, are written anew. To compare a summary costs a small part of writing it.
package final class ContainerListText: Sendable {
    private struct Entry {
        let summary: ContainerSummary
        /// Up to the status, without the end of the object.
        let text: [UInt8]
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let limit: Int

    /// - Parameter limit: of so many containers the text is kept.
    package init(limit: Int = 2048) { self.limit = limit }

    package func bytes(_ summaries: [ContainerSummary], now: Timestamp) -> [UInt8] {
        entries.withLock { entries in
            var output: [UInt8] = []
            output.reserveCapacity(summaries.count * 2048 + 4)
            output.append(UInt8(ascii: "["))
            for (index, summary) in summaries.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.append(contentsOf: text(summary, &entries))
                let status = JSONValue.string(StatusText.text(summary.state, now: now))
                output.append(contentsOf: ",\"Status\":".utf8)
                output.append(contentsOf: status.compactBytes)
                output.append(UInt8(ascii: "}"))
            }
            output.append(contentsOf: "]\n".utf8)
            return output
        }
    }

    private func text(_ summary: ContainerSummary, _ entries: inout [String: Entry]) -> [UInt8] {
        if let entry = entries[summary.id], entry.summary == summary { return entry.text }
        let text = Array(JSONValue.object(summary.lastingBody).compactBytes.dropLast())
        // Those that are gone go with all others, now and then: to look for them would cost more.
        if entries.count >= limit, entries[summary.id] == nil { entries.removeAll(keepingCapacity: true) }
        entries[summary.id] = Entry(summary: summary, text: text)
        return text
    }
}
