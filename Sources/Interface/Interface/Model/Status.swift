import EngineAPI

/// The line above the hints: what the last action came to.
struct Status: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case plain, success, warning, error }

    var text: String
    var kind: Kind
    var since: Timestamp
    /// It is about the key that was just pressed, and goes with the next.
    var isOfKey = false
    /// The name of the container that it says to run: not said any more once that one does not.
    var running: String?

    /// It goes after a while. An error is there for who comes back later, and goes with a key that is pressed then.
    var expires: Bool { kind != .error }

    /// Whether it has been there for long enough to be read.
    func isOld(at now: Timestamp) -> Bool {
        let age = now.nanosecondsSinceEpoch - since.nanosecondsSinceEpoch
        // A clock that was set back has it said for ever otherwise.
        return age < 0 || age > Self.lifetimeNanoseconds
    }

    private static let lifetimeNanoseconds: Int64 = 8_000_000_000
}

/// Something the engine is doing for the person right now.
struct Job: Hashable, Sendable {
    let id: JobID
    /// What and on which object: `stop web`.
    var label: String
    let action: EngineAction
    var progress = JobProgress()
    var startedAt: Timestamp
    /// How much had been typed when it was asked for: who has typed since then does something else.
    var typedBefore = 0
    /// It was given up, and what has begun is coming to its end.
    var isGivenUp = false
    /// What the list that it adds to held before.
    var before: Sought?
    /// It was asked for together with others, and is told with them.
    var batch: Int?
}

/// Actions that were asked for at once: what each came to is told when all have ended.
struct Batch: Hashable, Sendable {
    var title: String
    var count: Int
    /// Of those that have ended: what it was, and why it failed.
    var outcomes: [Outcome] = []
    /// Those of them that are yet to begin, once the others have ended.
    var later: [Confirmation.Step] = []

    struct Outcome: Hashable, Sendable {
        var label: String
        var failure: String?
        /// What it wrote, where that is to be read.
        var output: [UInt8] = []

        init(label: String, failure: String? = nil) { (self.label, self.failure) = (label, failure) }

        init(_ label: String, _ result: JobResult) {
            self.label = label
            guard case .output(let written) = result else { return }
            (failure, output) = (written.failure, written.bytes)
        }
    }

    var failures: Int { outcomes.count { $0.failure != nil } }
}

/// How far a job is.
struct JobProgress: Hashable, Sendable {
    /// In words.
    var text = ""
    /// Of a pull.
    var transfer = TransferProgress()
}

/// What is known of the engine.
enum Connection: Hashable, Sendable {
    case connecting
    case connected(EngineFacts)
    case lost(String)

    var isUp: Bool {
        if case .connected = self { return true }
        return false
    }
}

/// The engine in short, for the first panel's title.
struct EngineFacts: Hashable, Sendable {
    var name: String
    var version: String
    var cpuCount: Int
    var memoryBytes: Int64
    /// What an ordinary user's engine is, in short: empty for root's.
    var rights = ""
}
