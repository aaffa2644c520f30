import EngineAPI
import Terminal
import Testing

@testable import Interface

/// The main loop on a screen in memory, with tasks, mailbox and a scripted engine.
@MainActor
struct Session {
    let engine: ScriptedEngine
    let screen: MemoryScreen
    let loop: MainLoop

    @MainActor
    init(
        _ engine: ScriptedEngine, columns: Int = 80, rows: Int = 24, hostsEngine: Bool = false,
        hosts: HostBook? = nil
    ) throws {
        self.engine = engine
        screen = MemoryScreen(size: Size(columns: columns, rows: rows))
        let theme = try ThemeLibrary(folders: []).load("dark").theme
        var configuration = InterfaceConfiguration(theme: theme)
        configuration.hostsEngine = { hostsEngine }
        configuration.hosts = hosts
        loop = MainLoop(engine: engine, configuration: configuration, screen: screen)
        loop.begin()
    }

    @MainActor
    func type(_ keys: String) {
        for key in Bench.keys(keys) { screen.send(.key(key)) }
    }

    /// Lets the loop work until the condition holds. Fails where it does not, or the loop comes to its end before:
    /// a time limit of the test could not end a loop that has the main thread.
    @MainActor
    func until(_ condition: () -> Bool, _ location: SourceLocation = #_sourceLocation) {
        let limit = Duration.seconds(40)
        let watch = Task.detached { [mailbox = loop.mailbox] in
            // Something to wake up for: the loop sleeps until something comes.
            do { try await Task.sleep(for: limit + .seconds(1)) } catch { return }
            mailbox.post(.tick(.now()))
        }
        defer { watch.cancel() }
        let end = ContinuousClock.now + limit
        while !condition(), loop.exit == nil, ContinuousClock.now < end { loop.step() }
        #expect(condition(), "\(screen.text)", sourceLocation: location)
    }

    @MainActor
    func untilSeen(_ text: String, _ location: SourceLocation = #_sourceLocation) {
        until({ screen.text.contains(text) }, location)
    }

    @MainActor
    func finish() -> InterfaceExit {
        defer { screen.close() }
        return loop.end()
    }
}
