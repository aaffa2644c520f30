/// The options before the command: `gantry --root DIR -H unix://… COMMAND`.
package struct GlobalOptions: Hashable, Sendable {
    /// All state below this directory; nil for the system's own places.
    package var root: String?
    /// An engine to drive instead of our own: `unix:///path`.
    package var host: String?
    package var theme: String?
    package var noColor = false
    package var logLevel = "info"
    package var showsVersion = false
    package var showsHelp = false

    package init() {}

    /// Why the words before the command make no sense.
    package struct Failure: Error, Hashable, Sendable {
        package let message: String
    }

    /// Takes the options off the front of the words that follow the program's name; the rest begins with the command,
    /// or is empty for the front end.
    package static func split(_ words: [String]) throws(Failure) -> (options: GlobalOptions, rest: [String]) {
        var options = GlobalOptions()
        var rest = words[...]
        while let word = rest.first, word.hasPrefix("-"), word.count > 1 {
            rest = rest.dropFirst()
            if word == "--" { break }
            try options.take(word, &rest)
        }
        return (options, Array(rest))
    }

    private mutating func take(_ word: String, _ rest: inout ArraySlice<String>) throws(Failure) {
        switch word {
        case "-v", "--version": showsVersion = true
        case "-h", "--help": showsHelp = true
        case "--no-color": noColor = true
        case "-D", "--debug": logLevel = "debug"
        default:
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let name = parts[0]
            guard ["--root", "-H", "--host", "--theme", "-l", "--log-level"].contains(name) else {
                throw Failure(message: "unknown flag: \(word)")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                throw Failure(message: "flag needs an argument: \(name)")
            }
            set(name, value)
        }
    }

    private mutating func set(_ name: String, _ value: String) {
        switch name {
        case "--root": root = value
        case "--theme": theme = value
        case "-l", "--log-level": logLevel = value
        default: host = value
        }
    }
}
