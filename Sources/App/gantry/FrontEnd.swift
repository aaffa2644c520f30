import CLI
import EngineAPI
import Glibc
import Interface
import Terminal

/// The front end's part of the program: theme and terminal in, exit code out.
enum FrontEnd {
    @MainActor
    static func run(
        engine: any Engine, hostsEngine: @escaping @Sendable () -> Bool, options: GlobalOptions, hosts: HostBook,
        socket: String
    ) -> Int32 {
        if options.noColor { setenv("NO_COLOR", "1", 1) }
        let library = ThemeLibrary(environment: environment, executable: Settings.executable)
        let configuration: InterfaceConfiguration
        let file = PreferencesFile()
        let preferences = file?.read() ?? ViewPreferences()
        do throws(ThemeError) {
            let asked = options.theme ?? Settings.variable("GANTRY_THEME")
            let (theme, warnings) = try load(library, asked, kept: preferences.theme)
            var made = InterfaceConfiguration(theme: theme)
            made.notices = warnings
            // One that cannot be used cannot be chosen either.
            made.themes = library.names.compactMap { try? library.load($0).theme }
            made.preferences = preferences
            if let file { made.keepPreferences = { file.write($0) } }
            if let path = library.keyFilePath {
                made.keyFilePath = path
                made.keys = KeyFile(parsing: ConfigurationFile.text(path))
            }
            if let path = library.commandFilePath {
                made.commandFilePath = path
                made.commands = CommandFile(parsing: ConfigurationFile.text(path))
            }
            made.programs = .ofThisMachine(socket: socket, hostsEngine: hostsEngine)
            made.hostsEngine = hostsEngine
            made.files = .ofThisMachine
            made.hosts = hosts
            made.credentials = { reference throws(EngineError) in try await StoredCredentials.find(for: reference) }
            configuration = made
        } catch {
            return fail("\(error)")
        }
        let screen: CursesScreen
        do throws(TerminalError) { screen = try CursesScreen() } catch {
            return fail("\(error); `gantry --help` lists the commands that need no screen")
        }
        let end = runInterface(engine: engine, configuration: configuration, screen: screen)
        screen.close()
        if let farewell = end.farewell { print(farewell) }
        switch end.reason {
        case .quit: return 0
        case .signal(let number): return 128 + number
        case .hangup: return 128 + SIGHUP
        }
    }

    /// Waits, stopped, until a shell gives the terminal to this process. To be called before anything is held that others
    /// wait for.
    @MainActor
    static func awaitTerminal() throws(TerminalError) {
        try CursesScreen.awaitForeground {
            Complaint.say(
                "gantry: in the background of its terminal: stopped until `fg` brings it to the foreground "
                    + "(under timeout(1) say `timeout --foreground`)")
        }
    }

    /// What is asked for must be there; what was once chosen need not be there any more.
    private static func load(
        _ library: ThemeLibrary, _ asked: String?, kept: String?
    ) throws(ThemeError) -> (theme: Theme, warnings: [String]) {
        if let asked { return try library.load(asked) }
        guard let kept else { return try library.load("dark") }
        do throws(ThemeError) { return try library.load(kept) } catch {
            return (try library.load("dark").theme, ["\(error)"])
        }
    }

    private static func fail(_ message: String) -> Int32 {
        Complaint.say("gantry: \(message)")
        return 1
    }

    private static var environment: [String: String] {
        var found: [String: String] = [:]
        for name in ["HOME", "XDG_CONFIG_HOME"] { found[name] = Settings.variable(name) }
        return found
    }
}

extension HostFiles {
    fileprivate static let ofThisMachine = HostFiles(
        copyOut: { engine, reference, path, target throws(EngineError) in
            try await MachineFiles.copyOut(engine, reference, path, to: target)
        },
        copyIn: { engine, reference, source, path throws(EngineError) in
            try await MachineFiles.copyIn(engine, reference, source, to: path)
        },
        save: { path, contents, replaces throws(EngineError) in
            try await MachineFiles.save(path, contents, replacing: replaces)
        },
        list: { directory, beginning throws(EngineError) in
            try await MachineFiles.list(directory, beginning: beginning)
        })
}
