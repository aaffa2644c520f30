import EngineAPI
import Terminal

/// What the front end is started with.
package struct InterfaceConfiguration: Sendable {
    /// As its file says; brought down to the colours of the screen at the start.
    package var theme: Theme
    /// Those that can be chosen on the screen.
    package var themes: [Theme] = []
    /// The user's own keys, and where their file is or would be.
    package var keys = KeyFile()
    package var keyFilePath: String?
    /// The user's own commands, and where their file is or would be.
    package var commands = CommandFile()
    package var commandFilePath: String?
    /// Commands of an attached console come after this key.
    package var leader = Key(.character("]"), .control)
    /// Said on the status line at the start: what was odd about the theme, the terminal, the first start.
    package var notices: [String] = []
    /// How lists and logs looked the last time.
    package var preferences = ViewPreferences()
    /// Called at the end where they have changed.
    package var keepPreferences: @Sendable (ViewPreferences) -> Void = { _ in }
    /// Who asks the registry of an image; nil for nobody in particular.
    package typealias Credentials = @Sendable (_ reference: String) async throws(EngineError) -> ImageCredentials?
    /// Asked before each pull.
    package var credentials: Credentials = { _ in nil }
    /// Other engines to go to.
    package var hosts: HostBook?
    /// How files of this machine are read and written.
    package var files: HostFiles?
    /// How programs of this machine are run.
    package var programs: HostPrograms?
    /// Whether this process hosts the engine now: while it were stopped, no other process would have an answer.
    package var hostsEngine: @Sendable () -> Bool = { false }

    /// With the usual leader key and nothing to say.
    package init(theme: Theme) { self.theme = theme }
}

/// Why the front end ended.
package struct InterfaceExit: Hashable, Sendable {
    /// What ended it.
    package enum Reason: Hashable, Sendable {
        /// Its user.
        case quit
        /// SIGTERM, SIGINT or SIGHUP, by number.
        case signal(Int32)
        /// The terminal is gone.
        case hangup
    }

    /// Why it ended.
    package var reason: Reason
    /// Containers that run on.
    package var runningContainers: Int

    /// What to say once the terminal is the shell's again; nil where there is nothing to say.
    package var farewell: String? {
        guard reason == .quit, runningContainers > 0 else { return nil }
        return runningContainers == 1 ? "1 container runs on." : "\(runningContainers) containers run on."
    }
}
