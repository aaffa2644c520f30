import EngineAPI

/// What the front end asked of the engine for its user, as command lines that do the same; bounded, the newest first.
struct CommandLog {
    static let capacity = 500
    /// What is kept of a command, in bytes: a pasted script is longer than anybody reads here.
    static let lengthLimit = 8 << 10

    /// What a command's end comes from.
    enum Source: Hashable, Sendable {
        case job(JobID)
        case console(ConsoleID)
        /// Of a container, by its id.
        case inspection(String)
    }

    enum Outcome: Hashable, Sendable {
        case running
        case done(String)
        case failed(String)
    }

    struct Entry: Hashable, Sendable {
        let number: Int
        /// Without the program's own name: `stop web`.
        let words: [String]
        let time: Timestamp
        var outcome: Outcome
        /// Until it ended; nil while it runs.
        var took: Duration?

        /// As a shell takes it.
        func line(_ program: String = "docker") -> String {
            ([program] + words).map(ShellWord.quoted).joined(separator: " ")
        }
    }

    private(set) var entries: [Entry] = []
    private var open: [Source: Int] = [:]
    private var nextNumber = 0

    /// Adds a command.
    ///
    /// - Parameter source: what tells its end; nil for one that is done with being asked.
    mutating func begin(_ words: [String], at time: Timestamp, from source: Source? = nil) {
        guard !words.isEmpty else { return }
        entries.insert(
            Entry(
                number: nextNumber, words: Self.shortened(words), time: time,
                outcome: source == nil ? .done("") : .running), at: 0)
        if let source { open[source] = nextNumber }
        nextNumber += 1
        guard entries.count > Self.capacity else { return }
        let dropped = Set(entries[Self.capacity...].map(\.number))
        entries.removeLast(entries.count - Self.capacity)
        open = open.filter { !dropped.contains($0.value) }
    }

    /// The screen goes over to another engine: of what is not over by then nothing more is heard.
    mutating func leave(at time: Timestamp) {
        for source in Array(open.keys) { end(source, .done("not over when this engine was left"), at: time) }
    }

    private static func shortened(_ words: [String]) -> [String] {
        var room = lengthLimit
        var kept: [String] = []
        for word in words {
            guard word.utf8.count <= room else {
                let end = word.utf8.index(word.startIndex, offsetBy: max(0, room))
                return kept + [String(word[..<end]) + "…"]
            }
            kept.append(word)
            room -= word.utf8.count + 1
        }
        return kept
    }

    mutating func end(_ source: Source, _ outcome: Outcome, at time: Timestamp) {
        guard let number = open.removeValue(forKey: source),
            let index = entries.firstIndex(where: { $0.number == number })
        else { return }
        entries[index].outcome = outcome
        entries[index].took = .nanoseconds(
            max(0, time.nanosecondsSinceEpoch - entries[index].time.nanosecondsSinceEpoch))
    }
}

/// A word of a command line.
enum ShellWord {
    /// Quoted where a shell would see more in it than one plain word.
    static func quoted(_ word: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%")
        guard word.isEmpty || !word.allSatisfy(plain.contains) else { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
