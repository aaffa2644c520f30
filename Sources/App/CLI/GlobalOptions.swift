/// The options before the command: `gantry --root DIR -H unix://… COMMAND`.
package struct GlobalOptions: Hashable, Sendable {
    /// All state below this directory; nil for the system's own places.
    package var root: String?
    /// An engine to drive instead of our own: `unix:///path`, `tcp://host:port`, `ssh://host`.
    package var host: String?
    /// The context of docker's store that names the engine.
    package var context: String?
    /// Where docker's configuration and contexts are, instead of `~/.docker`.
    package var configDirectory: String?
    package var tls = TLSOptions()
    package var theme: String?
    package var noColor = false
    package var logLevel = "info"
    package var showsVersion = false
    package var showsHelp = false

    package init() {}

    /// How TLS is spoken with the host: docker's `--tls…`.
    package struct TLSOptions: Hashable, Sendable {
        package var isWanted = false
        package var verifies = false
        package var authorityFile: String?
        package var certificateFile: String?
        package var keyFile: String?
    }

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
        case "--tls", "--tls=true": tls.isWanted = true
        case "--tlsverify", "--tlsverify=true": tls.verifies = true
        case "--tls=false": tls.isWanted = false
        case "--tlsverify=false": tls.verifies = false
        default:
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let name = parts[0]
            guard Self.valued.contains(name) else {
                throw Failure(message: "unknown flag: \(word)")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                throw Failure(message: "flag needs an argument: \(name)")
            }
            set(name, value)
        }
    }

    private static let valued: Set = [
        "--root", "-H", "--host", "-c", "--context", "--config", "--theme", "-l", "--log-level", "--tlscacert",
        "--tlscert", "--tlskey",
    ]

    private mutating func set(_ name: String, _ value: String) {
        switch name {
        case "--root": root = value
        case "--theme": theme = value
        case "-c", "--context": context = value
        case "--config": configDirectory = value
        case "--tlscacert": tls.authorityFile = value
        case "--tlscert": tls.certificateFile = value
        case "--tlskey": tls.keyFile = value
        case "-l", "--log-level": logLevel = value
        default: host = value
        }
    }
}
