import EngineAPI
import Synchronization
import Terminal
import Testing

@testable import Interface

/// What is kept from one run to the next.
@Suite struct PreferenceTests {
    @Test("What is written is read back, and what is not known is passed over")
    func text() {
        var preferences = ViewPreferences()
        #expect(ViewPreferences(text: preferences.text) == preferences)
        preferences.sort = .memory
        preferences.isReversed = true
        preferences.hidesStopped = true
        preferences.columns = [.image: false, .address: true, .id: true]
        preferences.logTimes = .age
        preferences.wrapsLogs = true
        #expect(ViewPreferences(text: preferences.text) == preferences)
        #expect(ViewPreferences(text: "sort = taste\nnew = 1\n==\n\nhide = image soup\n").columns == [.image: false])
    }

    @Test("Columns are shown always, never, or where there is room; the menu goes through the three")
    func columns() throws {
        var bench = try Bench.connected()
        #expect(bench.row(1).contains("IMAGE"))
        bench.type("C")
        #expect(bench.text.contains("where there is room"))
        bench.type("image<enter><enter>")
        bench.type("<esc>")
        #expect(!bench.row(1).contains("IMAGE") && bench.model.containers.columns == [.image: false])
        bench.type("Cport<enter><esc>")
        #expect(bench.row(1).contains("PORTS"))
        bench.type("Cport<enter>")
        bench.type("<enter><esc>Cimage<enter><esc>")
        #expect(bench.model.containers.columns.isEmpty)
    }

    @Test("They are taken at the start and given back at the end, where they have changed")
    @MainActor
    func session() throws {
        let kept = Mutex<[ViewPreferences]>([])
        func run(_ preferences: ViewPreferences, _ keys: String) throws -> MainLoop {
            var configuration = InterfaceConfiguration(theme: try ThemeLibrary(folders: []).load("dark").theme)
            configuration.preferences = preferences
            configuration.keepPreferences = { preferences in kept.withLock { $0.append(preferences) } }
            let screen = MemoryScreen(size: Size(columns: 80, rows: 24))
            let loop = MainLoop(engine: ScriptedEngine(), configuration: configuration, screen: screen)
            loop.begin()
            for key in Bench.keys(keys + "q") { screen.send(.key(key)) }
            while loop.exit == nil { loop.step() }
            _ = loop.end()
            screen.close()
            return loop
        }
        _ = try run(ViewPreferences(), "")
        #expect(kept.withLock { $0 } == [])
        _ = try run(ViewPreferences(), "oOe")
        let saved = try #require(kept.withLock { $0.last })
        #expect(saved.sort == ContainerSort.created.next && saved.isReversed && saved.hidesStopped)
        let loop = try run(saved, "")
        #expect(loop.model.containers.sort == saved.sort && loop.model.containers.hidesStopped)
    }
}
