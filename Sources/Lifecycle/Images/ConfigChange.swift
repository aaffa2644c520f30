import EngineAPI
import JSON
import OCI

/// An instruction of a Dockerfile over an image's configuration, as `import --change` and `commit --change` take them.
/// Pure.
struct ConfigChange: Hashable, Sendable {
    private let word: String
    private let argument: String

    /// - Throws: `invalid` for an instruction that is none of these, or has nothing to say.
    init(_ text: String) throws(EngineError) {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let first = parts.first else {
            throw EngineError(.invalid, "invalid change: `\(text)`")
        }
        word = first.uppercased()
        argument = String(parts[1].drop { $0 == " " })
    }

    func apply(to config: inout ImageExecution) throws(EngineError) {
        switch word {
        case "CMD": config.command = words
        case "ENTRYPOINT": config.entrypoint = words
        case "USER": config.user = argument
        case "WORKDIR": config.workingDirectory = argument
        case "STOPSIGNAL": config.stopSignal = argument
        case "EXPOSE":
            let ports = argument.split(separator: " ").map { $0.contains("/") ? String($0) : "\($0)/tcp" }
            config.exposedPorts = Array(Set(config.exposedPorts + ports)).sorted()
        case "VOLUME":
            let paths = list ?? argument.split(separator: " ").map(String.init)
            config.volumes = Array(Set(config.volumes + paths)).sorted()
        case "ENV":
            let (name, value) = try pair()
            config.environment.removeAll { $0.hasPrefix("\(name)=") }
            config.environment.append("\(name)=\(value)")
        case "LABEL":
            let (name, value) = try pair()
            config.labels[name] = value
        default: throw EngineError(.invalid, "\(word) is not a valid change command")
        }
    }

    /// The JSON form, or else a line for the shell.
    private var words: [String] { list ?? ["/bin/sh", "-c", argument] }

    private var list: [String]? {
        guard argument.hasPrefix("[") else { return nil }
        // What only looks like JSON is a shell's line, as in a Dockerfile.
        guard let values = (try? JSONValue(parsing: argument))?.array else { return nil }
        let texts = values.compactMap(\.string)
        return texts.count == values.count ? texts : nil
    }

    /// `NAME=VALUE` or `NAME VALUE`, the value in quotes or not.
    private func pair() throws(EngineError) -> (String, String) {
        guard let end = argument.firstIndex(where: { $0 == "=" || $0 == " " }), end > argument.startIndex else {
            throw EngineError(.invalid, "\(word) must have two arguments")
        }
        var value = argument[argument.index(after: end)...]
        if value.count > 1, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
        return (String(argument[..<end]), String(value))
    }
}
