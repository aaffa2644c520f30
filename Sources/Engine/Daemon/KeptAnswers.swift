import DockerAPI
import EngineAPI
import Synchronization
import Transport

/// Answers of one engine that were given, for whoever asks the same again while all that they tell is as it was.
///
/// ```
/// revision read ─► engine asked ─► answer kept with the revision
/// asked again: the engine's revision is the same, and the time is within the term ─► the same answer
/// ```
/// A change that was answered has raised the revision before, so nobody is told what was so before an action of his own.
final class KeptAnswers: Sendable {
    /// How long an answer holds where nothing changes.
    struct Term: Hashable, Sendable {
        let revision: UInt64
        let from: Timestamp
        /// When the words of the answer change by themselves; nil for never.
        let until: Timestamp?

        /// Also a clock that was set back ends a term.
        func holds(_ revision: UInt64, now: Timestamp) -> Bool {
            self.revision == revision && now >= from && until.map { now < $0 } ?? true
        }
    }

    private struct Entry {
        let term: Term
        let answer: PreparedAnswer
        /// Of a list: to be written anew when the term is over by time alone.
        let rows: ContainerListRows?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var byteCount = 0
    }

    private let state = Mutex(State())
    private let limitBytes: Int

    /// - Parameter limitBytes: of the answers together; one that is half of it alone is not kept.
    init(limitBytes: Int = 8 << 20) { self.limitBytes = limitBytes }

    func answer(to target: String, at revision: UInt64, now: @autoclosure () -> Timestamp) -> PreparedAnswer? {
        state.withLock { state in
            guard let entry = state.entries[target], entry.term.holds(revision, now: now()) else { return nil }
            return entry.answer
        }
    }

    /// The rows of a list that was asked for, where they are the same now.
    func rows(of target: String, at revision: UInt64) -> ContainerListRows? {
        state.withLock { state in
            guard let entry = state.entries[target], entry.term.revision == revision else { return nil }
            return entry.rows
        }
    }

    func keep(_ answer: PreparedAnswer, to target: String, _ term: Term, rows: ContainerListRows? = nil) {
        let size = answer.byteCount + target.utf8.count
        guard size <= limitBytes / 2 else { return }
        state.withLock { state in
            if let old = state.entries.removeValue(forKey: target) {
                state.byteCount -= old.answer.byteCount + target.utf8.count
            }
            // Most of those that are there will not be asked for again; to look which would cost more.
            if state.byteCount + size > limitBytes { state = State() }
            state.entries[target] = Entry(term: term, answer: answer, rows: rows)
            state.byteCount += size
        }
    }

    /// Gives the memory back.
    func forgetAll() { state.withLock { $0 = State() } }
}
