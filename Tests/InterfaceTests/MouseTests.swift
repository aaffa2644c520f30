import EngineAPI
import Terminal
import Testing

@testable import Interface

@Suite struct MouseTests {
    private static func send(_ bench: inout Bench, _ action: MouseEvent.Action, _ column: Int, _ row: Int) {
        bench.send(.input(.mouse(MouseEvent(action, at: Position(column: column, row: row)))))
    }

    private static func click(_ bench: inout Bench, _ column: Int, _ row: Int) {
        send(&bench, .press(.left), column, row)
    }

    /// Where a text stands on the screen.
    private static func place(of text: String, _ bench: Bench) throws -> Position {
        for row in 0..<bench.model.size.rows {
            let line = bench.row(row)
            guard let range = line.range(of: text) else { continue }
            return Position(column: TextWidth.columns(of: String(line[..<range.lowerBound])), row: row)
        }
        throw Missing()
    }

    private struct Missing: Error {}

    @Test("A column's title sorts by it, and a second click turns the order round")
    func sorting() throws {
        var bench = try Bench.connected()
        for (title, sort) in [("CPU%", ContainerSort.cpu), ("MEM", .memory), ("NAME", .name), ("STATE", .state)] {
            let title = try Self.place(of: title, bench)
            Self.click(&bench, title.column, title.row)
            #expect(bench.model.containers.sort == sort && !bench.model.containers.isReversed)
        }
        let name = try Self.place(of: "NAME", bench)
        Self.click(&bench, name.column, name.row)
        Self.click(&bench, name.column, name.row)
        #expect(bench.model.containers.isReversed && bench.model.status?.text == "sorted by name, reversed")
        #expect(bench.model.containers.rows.first?.name == "web")
        #expect(!bench.model.consoles.isCaptured, "two clicks on a title are no Enter")
    }

    @Test("The right button has the menu of the row below it")
    func rightButton() throws {
        var bench = try Bench.connected()
        Self.send(&bench, .press(.right), 10, 3)
        #expect(bench.model.selectedContainer?.name == "database")
        #expect(bench.model.keyContext == .menu && bench.text.contains("─ database "))
        // With a menu open, and beside the rows, it does nothing.
        Self.send(&bench, .press(.right), 10, 2)
        #expect(bench.model.dialogs.count == 1)
        bench.type("<esc>")
        Self.send(&bench, .press(.right), 10, 1)
        Self.send(&bench, .press(.right), 10, 8)
        #expect(bench.model.dialogs.isEmpty)
    }

    @Test("In a form a click turns a switch, and steps through choices by their arrows")
    func form() throws {
        var bench = try Bench.connected()
        bench.type("n")
        func form() throws -> Form {
            guard case .form(let form)? = bench.model.dialogs.last else { throw Missing() }
            return form
        }
        let toggle = try Self.place(of: "[x] yes", bench)
        Self.click(&bench, toggle.column + 1, toggle.row)
        #expect(try form()[.tty]?.isOn == false)
        let label = try Self.place(of: "Terminal ", bench)
        Self.click(&bench, label.column, label.row)
        #expect(try form()[.tty]?.isOn == false, "its label only goes there")
        let restart = try Self.place(of: "‹ no ›", bench)
        Self.click(&bench, restart.column + 3, restart.row)
        #expect(try form()[.restart]?.text == "no" && form().focus == 4)
        Self.click(&bench, restart.column, restart.row)
        #expect(try form()[.restart]?.text == RestartPolicy.Kind.allCases.last?.rawValue)
        let next = try Self.place(of: "›  4/4", bench)
        let network = try Self.place(of: "‹ bridge ›", bench)
        Self.click(&bench, network.column + 9, network.row)
        #expect(try form()[.network]?.text == "none")
        Self.click(&bench, next.column, next.row)
        #expect(try form()[.restart]?.text == "no")
    }

    @Test("A click goes to a log's line, and a drag says how text is marked")
    func log() throws {
        var bench = try Bench.connected()
        bench.type("m")
        guard case .logs(let screen)? = bench.model.dialogs.last else { return #expect(Bool(false)) }
        let entries = (0..<50).map {
            LogEntry(time: Sample.now, source: .stdout, bytes: Array("number \($0)\n".utf8))
        }
        bench.send(.logs(screen.sources[0].subscription, .entries(entries)))
        let line = try Self.place(of: "number 41", bench)
        Self.click(&bench, 3, line.row)
        bench.type("y")
        #expect(bench.takeEffects().contains(.copy("number 41")))
        #expect(bench.row(line.row).hasPrefix("number 41"), "the lines stay where they are")
        Self.send(&bench, .drag(.left), 5, 5)
        #expect(bench.model.status?.text.contains("with shift held the mouse marks text") == true)
    }
}
