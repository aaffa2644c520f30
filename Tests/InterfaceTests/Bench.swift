import Emulator
import EngineAPI
import Terminal

@testable import Interface

/// A model with nothing around it: messages in, effects and frames out.
struct Bench {
    var model: Model
    private(set) var effects: [Effect] = []

    init(_ columns: Int = 80, _ rows: Int = 24, theme: String = "dark") throws {
        let loaded = try ThemeLibrary(folders: []).load(theme)
        model = Model(
            now: Sample.now, size: Size(columns: columns, rows: rows), theme: loaded.theme,
            leader: Key(.character("]"), .control), makeEmulator: { GridEmulator(size: $0) })
    }

    /// With an engine that answered, and the sample's containers.
    static func connected(_ columns: Int = 80, _ rows: Int = 24, containers: [ContainerSummary]? = nil) throws -> Bench
    {
        var bench = try Bench(columns, rows)
        bench.send(
            .connected(
                EngineVersion(name: "Gantry", version: "0.1.0", apiVersion: "1.51", minimumAPIVersion: "1.24"),
                EngineInfo()))
        bench.send(.images([Sample.starter]))
        bench.send(.containers(containers ?? Sample.containers))
        return bench
    }

    /// Filters look at once at what there is, in place of a task beside the model.
    mutating func send(_ message: Message) {
        sendAlone(message)
        while let piece = siftedPiece { sendAlone(.sifted(piece.number, piece.passing)) }
    }

    /// Without an answer to what a filter is asked.
    mutating func sendAlone(_ message: Message) { effects += update(&model, message) }

    /// What a filter is asked to look at.
    var siftedPiece: LogPiece? {
        for case .sift(let piece) in model.subscriptions { return piece }
        return nil
    }

    /// Effects since the last call.
    mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    /// Keys as people write them: `n<enter>`, `/web<esc>`.
    mutating func type(_ keys: String) {
        for key in Self.keys(keys) { send(.input(.key(key))) }
    }

    static func keys(_ text: String) -> [Key] {
        var keys: [Key] = []
        var rest = Substring(text)
        while let first = rest.first {
            if first == "<", let end = rest.firstIndex(of: ">"),
                let key = Key(rest[rest.index(after: rest.startIndex)..<end])
            {
                keys.append(key)
                rest = rest[rest.index(after: end)...]
            } else {
                keys.append(.character(first))
                rest = rest.dropFirst()
            }
        }
        return keys
    }

    /// A minute of figures for the running ones, and the process tree.
    mutating func fillFigures() {
        let ids = model.containers.all.filter(\.state.isAlive).map(\.id)
        for second in 0..<60 { send(.stats(ids.map { Sample.stats($0, second: second) })) }
        if let id = model.selectedContainer?.id { send(.processes(containerID: id, Sample.processes)) }
    }

    /// The selected container's console, attached, with something on it.
    mutating func openConsole(_ text: String = "/ # ") {
        guard let id = model.shownConsoleID else { return }
        send(.console(id, .attached(takesInput: true, tty: true)))
        send(.console(id, .output(.stdout(Array(text.utf8)))))
    }

    var frame: Frame { view(model) }

    var text: String {
        let frame = frame
        return (0..<frame.size.rows).map { frame.text(ofRow: $0) }.joined(separator: "\n")
    }

    func row(_ row: Int) -> String { frame.text(ofRow: row) }
}
