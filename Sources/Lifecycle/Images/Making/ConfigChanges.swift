import EngineAPI
import JSON
import Linux
import OCI

/// Instructions of a Dockerfile over an image's configuration, as `import --change` and `commit --change` take them. Pure.
struct ConfigChanges: Hashable, Sendable {
    private let instructions: [Instruction]
    private static let known: Set<String> = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME",
        "WORKDIR",
    ]

    private static let mayBeBare: Set = ["CMD", "ENTRYPOINT"]
    private static let ofOneArgument: Set = ["STOPSIGNAL", "USER", "WORKDIR"]

    private struct Instruction: Hashable, Sendable {
        let word: String
        let argument: String

        var namesNoWords: Bool {
            switch word {
            case "CMD": ConfigChanges.list(argument) == []
            case "ENTRYPOINT": argument.isEmpty || ConfigChanges.list(argument) == []
            default: false
            }
        }
    }

    /// - Throws: `invalid` for an instruction that is none of these, or has nothing to say, and for texts without any.
    init(_ texts: [String]) throws(EngineError) {
        var instructions: [Instruction] = []
        for line in texts.flatMap(TextLines.said).map({ String($0).trimmed }) {
            if line.isEmpty || line.hasPrefix("#") { continue }
            let word = line.prefix { !$0.isWhitespace }
            let argument = String(line.dropFirst(word.count)).trimmed
            let name = word.uppercased()
            guard Self.known.contains(name) else {
                throw EngineError(.invalid, "\(name) is not a valid change command")
            }
            guard !argument.isEmpty || Self.mayBeBare.contains(name) else {
                let count = Self.ofOneArgument.contains(name) ? "exactly" : "at least"
                throw EngineError(.invalid, "\(name) requires \(count) one argument")
            }
            instructions.append(Instruction(word: name, argument: argument))
        }
        guard texts.isEmpty || !instructions.isEmpty else {
            throw EngineError(.invalid, "file with no instructions")
        }
        self.instructions = instructions
    }

    func apply(to config: inout ImageExecution) throws(EngineError) {
        var hasCommand = false
        // What names no words leaves the words that are there.
        for instruction in instructions where !instruction.namesNoWords {
            try apply(instruction, to: &config)
            if instruction.word == "CMD" { hasCommand = true }
            // The command that is there was meant for the entrypoint before.
            if instruction.word == "ENTRYPOINT", !hasCommand { config.command = [] }
        }
    }

    private func apply(_ instruction: Instruction, to config: inout ImageExecution) throws(EngineError) {
        let argument = instruction.argument
        let words = DockerfileWords(environment: config.environment)
        switch instruction.word {
        case "CMD": config.command = command(argument, config)
        case "ENTRYPOINT": config.entrypoint = command(argument, config)
        case "USER": config.user = words.word(argument)
        case "WORKDIR":
            let path = words.word(argument)
            let base = config.workingDirectory.isEmpty ? "/" : config.workingDirectory
            config.workingDirectory = PathName.cleaned(path.hasPrefix("/") ? path : PathName.joined(base, path))
        case "STOPSIGNAL":
            let signal = words.word(argument)
            guard Signal.number(signal) != nil else { throw EngineError(.invalid, "invalid signal: \(signal)") }
            config.stopSignal = signal
        case "EXPOSE":
            var ports: [String] = []
            for text in words.words(argument) { ports += try Self.ports(text) }
            config.exposedPorts = Array(Set(config.exposedPorts + ports)).sorted()
        case "VOLUME":
            let paths = Self.list(argument) ?? words.words(argument)
            guard !paths.contains("") else {
                throw EngineError(.invalid, "VOLUME specified can not be an empty string")
            }
            config.volumes = Array(Set(config.volumes + paths)).sorted()
        case "ENV":
            for (name, value) in try pairs(instruction, words) {
                config.environment.removeAll { $0.hasPrefix("\(name)=") }
                config.environment.append("\(name)=\(value)")
            }
        case "LABEL": for (name, value) in try pairs(instruction, words) { config.labels[name] = value }
        case "HEALTHCHECK": config.other["Healthcheck"] = try HealthInstruction(argument).member
        default: try addTrigger(argument, to: &config)
        }
    }

    private func pairs(
        _ instruction: Instruction, _ words: DockerfileWords
    ) throws(EngineError) -> [(name: String, value: String)] {
        guard let pairs = words.pairs(instruction.argument) else {
            throw EngineError(
                .invalid,
                "Syntax error - can't find = in \"\(instruction.argument)\". Must be of the form: name=value")
        }
        return pairs
    }

    private func addTrigger(_ text: String, to config: inout ImageExecution) throws(EngineError) {
        let word = text.prefix { !$0.isWhitespace }.uppercased()
        guard word != "ONBUILD" else {
            throw EngineError(.invalid, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
        }
        guard word != "FROM", word != "MAINTAINER" else {
            throw EngineError(.invalid, "\(word) isn't allowed as an ONBUILD trigger")
        }
        config.other["OnBuild"] = .array((config.other["OnBuild"]?.array ?? []) + [.string(text)])
    }

    /// The JSON form, or else a line for the shell.
    private func command(_ text: String, _ config: ImageExecution) -> [String] {
        Self.list(text) ?? shell(config) + (text.isEmpty ? [] : [text])
    }

    private func shell(_ config: ImageExecution) -> [String] {
        let own = (config.other["Shell"]?.array ?? []).compactMap(\.string)
        return own.isEmpty ? ["/bin/sh", "-c"] : own
    }

    /// What only looks like JSON is a shell's line, as in a Dockerfile.
    static func list(_ text: String) -> [String]? {
        guard text.hasPrefix("["), let values = (try? JSONValue(parsing: text))?.array else { return nil }
        let texts = values.compactMap(\.string)
        return texts.count == values.count ? texts : nil
    }

    /// `80`, `53/udp`, `8000-8003/tcp`.
    private static func ports(_ text: String) throws(EngineError) -> [String] {
        let parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard parts.count <= 2, (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            first > 0, first <= last, parts.count == 1 || ["tcp", "udp", "sctp"].contains(parts[1])
        else { throw EngineError(.invalid, "invalid containerPort: \(text)") }
        return (first...last).map { "\($0)/\(parts.count == 2 ? parts[1] : "tcp")" }
    }
}
