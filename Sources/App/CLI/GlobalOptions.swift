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
        let reading: FlagReading
        do throws(FlagReading.Failure) { reading = try FlagReading(words, by: flags) } catch {
            throw Failure(message: error.message)
        }
        var options = GlobalOptions()
        options.showsHelp = reading.asksForHelp
        for value in reading.values { options.set(value.flag.name, value.text) }
        options.showsVersion = reading.isSet("version")
        options.noColor = reading.isSet("no-color")
        if reading.isSet("debug") { options.logLevel = "debug" }
        options.tls.isWanted = reading.isSet("tls")
        options.tls.verifies = reading.isSet("tlsverify")
        return (options, reading.words)
    }

    static let flags = FlagTable(
        "root= H|host= c|context= config= theme= no-color l|log-level= D|debug tls tlsverify tlscacert= tlscert= "
            + "tlskey= v|version",
        endsAtFirstWord: true)

    private mutating func set(_ name: String, _ value: String) {
        switch name {
        case "root": root = value
        case "theme": theme = value
        case "context": context = value
        case "config": configDirectory = value
        case "tlscacert": tls.authorityFile = value
        case "tlscert": tls.certificateFile = value
        case "tlskey": tls.keyFile = value
        case "log-level": logLevel = value
        default: host = value
        }
    }
}
