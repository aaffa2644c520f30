import EngineAPI
import JSON
import OCI

/// The instruction HEALTHCHECK of a Dockerfile: `NONE`, or options and then `CMD` with a command. Pure.
struct HealthInstruction: Hashable, Sendable {
    private var members: [String: JSONValue] = [:]
    /// Nil for `NONE`.
    private var command: String?

    private static let durations = [
        "--interval": "Interval", "--timeout": "Timeout", "--start-period": "StartPeriod",
        "--start-interval": "StartInterval",
    ]

    /// - Throws: `invalid`, in docker's words.
    init(_ text: String) throws(EngineError) {
        var rest = Substring(text)
        while rest.hasPrefix("--") {
            let flag = rest.prefix { !$0.isWhitespace }
            rest = rest.dropFirst(flag.count).drop { $0.isWhitespace }
            let parts = flag.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw EngineError(.invalid, "Missing a value on flag: \(flag)") }
            try set(parts[0], to: parts[1])
        }
        let word = rest.prefix { !$0.isWhitespace }
        let argument = String(rest.dropFirst(word.count)).trimmed
        switch word.uppercased() {
        case "NONE":
            guard argument.isEmpty else { throw EngineError(.invalid, "HEALTHCHECK NONE takes no arguments") }
        case "CMD":
            guard !argument.isEmpty else { throw EngineError(.invalid, "Missing command after HEALTHCHECK CMD") }
            command = argument
        default: throw EngineError(.invalid, "Unknown type \"\(word)\" in HEALTHCHECK (try CMD)")
        }
    }

    private mutating func set(_ flag: String, to text: String) throws(EngineError) {
        if flag == "--retries" {
            guard let count = Int64(text), count >= 0 else {
                throw EngineError(.invalid, "--retries cannot be negative (\(text))")
            }
            members["Retries"] = .integer(count)
        } else if let name = Self.durations[flag] {
            guard let nanoseconds = GoDuration.nanoseconds(text), nanoseconds == 0 || nanoseconds >= 1_000_000 else {
                throw EngineError(.invalid, "Interval \"\(flag.dropFirst(2))\" cannot be less than 1ms: \(text)")
            }
            members[name] = .integer(nanoseconds)
        } else {
            throw EngineError(.invalid, "Unknown flag: \(flag.dropFirst(2))")
        }
    }

    /// As the configuration has it.
    var member: JSONValue {
        var object = JSONObject()
        let test: [String]
        if let command {
            test = ConfigChanges.list(command).map { ["CMD"] + $0 } ?? ["CMD-SHELL", command]
        } else {
            test = ["NONE"]
        }
        object["Test"] = .array(test.map { .string($0) })
        for (name, value) in members.sorted(by: { $0.key < $1.key }) { object[name] = value }
        return .object(object)
    }
}
