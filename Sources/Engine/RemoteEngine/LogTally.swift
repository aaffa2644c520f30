import EngineAPI
import Synchronization

/// How much of a log without times was passed on: whoever reads it again from its beginning, since the engine went away in
/// the middle, leaves out as many bytes of each stream.
package final class LogTally: Sendable {
    private struct State {
        var passed: [LogEntry.Source: Int] = [:]
        /// What is yet to be left out.
        var known: [LogEntry.Source: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The log is read from its beginning again.
    package func beginAgain() { state.withLock { $0.known = $0.passed } }

    /// What of a batch was not passed on before; nil for nothing.
    package func rest(of batch: LogBatch) -> LogBatch? {
        state.withLock { state in
            var rest = batch
            if !state.known.isEmpty {
                rest = LogBatch()
                for entry in batch {
                    let known = min(state.known[entry.source] ?? 0, entry.bytes.count)
                    state.known[entry.source]? -= known
                    guard known < entry.bytes.count else { continue }
                    rest.append(Array(entry.bytes.dropFirst(known)), entry.source, at: entry.time)
                }
                state.known = state.known.filter { $0.value > 0 }
            }
            var start = 0
            for line in rest.lines {
                state.passed[line.source, default: 0] += line.end - start
                start = line.end
            }
            return rest.isEmpty ? nil : rest
        }
    }
}
