import EngineAPI
import JSON
import Synchronization

/// What a daemon says of itself, a line for each thing, and what it counts. All its sockets share one.
package final class DaemonJournal: Sendable {
    package enum Format: String, Hashable, Sendable {
        case text, json
    }

    package enum Level: Int, Hashable, Sendable, Comparable {
        case debug, info, warning, error

        /// docker's words for them.
        package init?(_ word: String) {
            switch word {
            case "debug", "trace": self = .debug
            case "info": self = .info
            case "warn", "warning": self = .warning
            case "error", "fatal", "panic": self = .error
            default: return nil
            }
        }

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    let counts = RequestCounts()
    private let format: Format
    private let least: Mutex<Level>
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes a line, without its end. Called from any thread.
    package init(
        _ format: Format = .text, least: Level = .info, write: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.format = format
        self.least = Mutex(least)
        self.write = write
    }

    /// - Parameter fields: names and values beside the message; no secret belongs there, nor into the message.
    package func say(_ level: Level, _ message: String, _ fields: [(String, String)] = []) {
        guard notes(level) else { return }
        write(line(level, message, fields, at: .now()))
    }

    /// Says things from that level on, from now on.
    package func set(least level: Level) { least.withLock { $0 = level } }

    func notes(_ level: Level) -> Bool { least.withLock { level >= $0 } }

    func line(_ level: Level, _ message: String, _ fields: [(String, String)], at time: Timestamp) -> String {
        switch format {
        case .text:
            // Control characters would let a client write lines of its own, or act on the terminal that shows them.
            let text = ([message] + fields.map { "\($0.0)=\($0.1)" }).joined(separator: " ")
            return String(String.UnicodeScalarView(text.unicodeScalars.filter(Self.isShown)))
        case .json:
            let members: [(String, JSONValue)] =
                [
                    ("level", .string(Self.word(level))), ("msg", .string(message)),
                    ("time", .string(time.rfc3339Nano)),
                ] + fields.map { ($0.0, .string($0.1)) }
            return JSONValue.object(JSONObject(members)).compactText
        }
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        // The marks of UAX #9 that turn text around.
        default: !(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value)
        }
    }

    private static func word(_ level: Level) -> String {
        switch level {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}

/// How many requests there were, by what they came to; and how long the actions on containers took.
final class RequestCounts: Sendable {
    struct Key: Hashable, Sendable {
        let method: String
        let status: Int
    }

    struct Action: Hashable, Sendable {
        var buckets = [UInt64](repeating: 0, count: Action.bounds.count)
        var count: UInt64 = 0
        var seconds = 0.0

        static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

        mutating func add(_ seconds: Double) {
            count += 1
            self.seconds += seconds
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { buckets[index] += 1 }
        }
    }

    struct Snapshot: Sendable {
        var requests: [Key: UInt64] = [:]
        var actions: [String: Action] = [:]
        var inFlight = 0
    }

    private let state = Mutex(Snapshot())

    /// Methods that a client makes up are not kept apart, so that the table stays small.
    private static let methods: Set = ["GET", "HEAD", "POST", "PUT", "DELETE"]

    var snapshot: Snapshot { state.withLock { $0 } }

    /// A request that was answered at once.
    func add(_ method: String, _ status: Int) {
        state.withLock { $0.requests[Key(method: method, status: status), default: 0] += 1 }
    }

    func begin() { state.withLock { $0.inFlight += 1 } }

    /// - Parameter action: what was done to a container, where the route is one of those.
    func end(_ method: String, _ status: Int, action: String?, _ elapsed: Duration) {
        let key = Key(method: Self.methods.contains(method) ? method : "other", status: status)
        let (seconds, attoseconds) = elapsed.components
        state.withLock { state in
            state.inFlight -= 1
            state.requests[key, default: 0] += 1
            if let action { state.actions[action, default: Action()].add(Double(seconds) + Double(attoseconds) / 1e18) }
        }
    }
}
