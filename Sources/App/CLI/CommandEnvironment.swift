import EngineAPI

/// What the commands need of the program that they are part of: an engine, and the two long-lived modes.
package struct CommandEnvironment: Sendable {
    /// Options that stood before the command.
    package var options: GlobalOptions
    /// Connects to the engine of the data root, or hosts it in this process where nobody does.
    package var engine: @Sendable (GlobalOptions) async throws(EngineError) -> any Engine
    /// Hosts the engine until a signal ends it; gives the exit code.
    package var runDaemon: @Sendable (GlobalOptions, DaemonOptions) async throws(EngineError) -> Int32
    /// Joins standard input and output to the API of the engine that is meant; returns when either side is done.
    package var dialStdio: @Sendable (GlobalOptions) async throws(EngineError) -> Void
    /// Where our own engine answers.
    package var ownSocketPath: String
    /// Name and version of this program's parts, without an engine.
    package var version: EngineVersion

    package init(
        options: GlobalOptions = GlobalOptions(), version: EngineVersion,
        engine: @escaping @Sendable (GlobalOptions) async throws(EngineError) -> any Engine,
        runDaemon: @escaping @Sendable (GlobalOptions, DaemonOptions) async throws(EngineError) -> Int32,
        dialStdio: @escaping @Sendable (GlobalOptions) async throws(EngineError) -> Void, ownSocketPath: String
    ) {
        self.options = options
        self.version = version
        self.engine = engine
        self.runDaemon = runDaemon
        self.dialStdio = dialStdio
        self.ownSocketPath = ownSocketPath
    }

    /// What `gantry daemon` serves beside the engine's own socket, and how it tells of itself.
    package struct DaemonOptions: Hashable, Sendable {
        package var hosts: [String] = []
        package var tls = GlobalOptions.TLSOptions()
        package var allowsPlainTCP = false
        package var metricsAddress: String?
        /// `text` or `json`
        package var logFormat = "text"

        package init() {}
    }

    /// The environment of the command that this task runs.
    @TaskLocal package static var current: CommandEnvironment?

    static func required() throws(EngineError) -> CommandEnvironment {
        guard let current else { throw EngineError(.internal, "a command was run without its environment") }
        return current
    }

    static func connect() async throws(EngineError) -> any Engine {
        let environment = try required()
        return try await environment.engine(environment.options)
    }
}

/// The end of a command with an exit code of its own and nothing more to say.
struct ExitStatus: Error {
    let code: Int32
}

/// A usage error found after parsing: what docker prints for it, and its exit code.
struct UsageError: Error {
    let message: String
    let code: Int32
    /// What stands before the message; nothing where that names the command itself.
    private let opening: String

    init(message: String, code: Int32 = 125, opening: String = "gantry: ") {
        (self.message, self.code, self.opening) = (message, code, opening)
    }

    /// As it is printed.
    var line: String { opening + message + "\n" }

    /// A flag's value that docker's command line would not take, in its words.
    ///
    /// - Parameter flag: as in `-e, --env`.
    init(value: String, of flag: String, _ reason: String) {
        self.init(message: "invalid argument \"\(value)\" for \"\(flag)\" flag: \(reason)")
    }
}
