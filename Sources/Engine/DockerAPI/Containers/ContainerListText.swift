import EngineAPI
import JSON

/// Writes the answers of `GET /containers/json`, and keeps of each container what was written for it.
package final class ContainerListText: Sendable {
    /// Each entry up to its status, without the end of the object.
    private let entries: WrittenTexts<ContainerSummary>

    /// - Parameter limit: of so many containers the text is kept.
    package init(limit: Int = 2048) { entries = WrittenTexts(limit: limit) }

    package func rows(_ summaries: [ContainerSummary]) -> ContainerListRows {
        ContainerListRows(
            rows: summaries.map { summary in
                let lasting = entries.text(summary.id, summary) { summary in
                    Array(JSONValue.object(summary.lastingBody).compactBytes.dropLast())
                }
                return ContainerListRows.Row(lasting: lasting, state: summary.state)
            })
    }
}

/// A list of containers as text, but for the words of each one's status, which change by themselves.
package struct ContainerListRows: Sendable {
    fileprivate struct Row: Sendable {
        let lasting: [UInt8]
        let state: ContainerState
    }

    fileprivate let rows: [Row]

    /// The whole answer as it is at `now`, and when it is another one at the earliest; nil for never.
    package func text(now: Timestamp) -> (bytes: [UInt8], until: Timestamp?) {
        var output: [UInt8] = []
        output.reserveCapacity(rows.reduce(4) { $0 + $1.lasting.count + 64 })
        var until: Timestamp?
        output.append(UInt8(ascii: "["))
        for (index, row) in rows.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: row.lasting)
            // Of letters, digits and brackets alone: nothing in it has to be escaped.
            output.append(contentsOf: ",\"Status\":\"".utf8)
            output.append(contentsOf: StatusText.text(row.state, now: now).utf8)
            output.append(contentsOf: "\"}".utf8)
            guard let change = StatusText.nextChange(row.state, now: now) else { continue }
            until = until.map { min($0, change) } ?? change
        }
        output.append(contentsOf: "]\n".utf8)
        return (output, until)
    }
}
