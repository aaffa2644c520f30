import EngineAPI
import JSON

/// The answer of `GET /containers/json` as text.
///
/// Of a container that is as it was in an earlier answer only the words of its status, which change by themselves, are
/// written anew.
package final class ContainerListText: Sendable {
    /// Each entry up to its status, without the end of the object.
    private let entries: WrittenTexts<ContainerSummary>

    /// - Parameter limit: of so many containers the text is kept.
    package init(limit: Int = 2048) { entries = WrittenTexts(limit: limit) }

    package func bytes(_ summaries: [ContainerSummary], now: Timestamp) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(summaries.count * 2048 + 4)
        output.append(UInt8(ascii: "["))
        for (index, summary) in summaries.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            let lasting = entries.text(summary.id, summary) { summary in
                Array(JSONValue.object(summary.lastingBody).compactBytes.dropLast())
            }
            output.append(contentsOf: lasting)
            let status = JSONValue.string(StatusText.text(summary.state, now: now))
            output.append(contentsOf: ",\"Status\":".utf8)
            output.append(contentsOf: status.compactBytes)
            output.append(UInt8(ascii: "}"))
        }
        output.append(contentsOf: "]\n".utf8)
        return output
    }
}
