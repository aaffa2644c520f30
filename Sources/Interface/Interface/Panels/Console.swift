import Emulator
import EngineAPI
import Terminal

/// One attached process and the terminal that it believes to be on.
struct Console {
    enum Phase: Hashable, Sendable {
        case opening, attached
        /// It wrote more, while nobody saw it, than is worth reading: attached to again when it is looked at.
        case left
        /// Attached to once its container is resumed.
        case paused
        /// In words: why there is no more.
        case ended(String)
    }

    let id: ConsoleID
    var title: String
    let emulator: any TerminalEmulator
    var phase = Phase.opening
    var takesInput = false
    /// Which run of the container it belongs to.
    var startedAt: Timestamp?
    var isHurried = false
    /// Whether the process has a terminal; otherwise lines are edited here and sent whole.
    var isTTY: Bool
    /// Since when the connection is broken, though the process runs: it is opened again when the engine is back.
    var lostAt: Timestamp?
    /// Bytes that a slow reader lost.
    var lostBytes: UInt64 = 0
    /// Something is on its screen, or was.
    private(set) var isWritten = false

    /// The leader was pressed: the next key is a command.
    var isLeaderPending = false
    /// ctrl-p was pressed: ctrl-q detaches, anything else sends both.
    var isControlPPending = false
    /// The first line shown while the person looks at the scrollback; nil: the live screen.
    var top: Int?
    /// The wheel began it: any key but those that scroll is still the program's.
    var isTurnedByWheel = false
    /// The line of the cursor in scroll mode.
    var cursorLine = 0
    var markedLine: Int?
    var search: Search?
    /// What is typed for a process without a terminal and not yet sent.
    var pendingLine = LineEditor()
    /// What came while it was not on the screen.
    var unseen = UnseenOutput()
    /// Higher for those shown later, to know which to give up first.
    var lastShown = 0

    init(id: ConsoleID, title: String, emulator: any TerminalEmulator, isTTY: Bool) {
        self.id = id
        self.title = title
        self.emulator = emulator
        self.isTTY = isTTY
    }

    var isScrolling: Bool { top != nil }
    var isLive: Bool { phase == .attached || phase == .left }
    var isEnded: Bool {
        if case .ended = phase { return true }
        return false
    }

    /// It is there to be read: nobody can type to its process, though that runs.
    var takesNoKeys: Bool { phase == .attached && !takesInput }

    /// Why what is typed reaches nobody; nil where it reaches the process, or will.
    var refusal: String? {
        switch phase {
        case .attached where !takesInput: "\(title) takes no input: its stdin is closed; q leaves"
        case .paused: "\(title) is paused: nothing is typed to it"
        case .ended(let reason): "\(title): \(reason); nothing is typed to it"
        case .opening, .attached, .left: nil
        }
    }

    var size: TerminalSize {
        TerminalSize(columns: UInt16(clamping: emulator.size.columns), rows: UInt16(clamping: emulator.size.rows))
    }

    /// Shows output; answers to the program's questions are left in the emulator. Without a terminal between, a line feed
    /// alone ends a line.
    mutating func show(_ bytes: [UInt8]) {
        if !bytes.isEmpty { isWritten = true }
        guard !isTTY else { return emulator.feed(bytes) }
        var translated: [UInt8] = []
        translated.reserveCapacity(bytes.count + 16)
        for byte in bytes {
            if byte == 0x0A { translated.append(0x0D) }
            translated.append(byte)
        }
        emulator.feed(translated)
    }

    /// A line of ours among the process's.
    mutating func note(_ text: String) {
        isWritten = true
        emulator.feed(Array("\r\n\u{1b}[0;2m[\(text)]\u{1b}[0m\r\n".utf8))
    }
}

/// How much a console's process writes while nobody sees it.
struct UnseenOutput: Hashable, Sendable {
    /// So much within `interval` is a flood: to show it would take a good part of a processor for nobody.
    static let floodBytes = 1 << 20
    private static let intervalNanoseconds: Int64 = 10_000_000_000

    private var bytes = 0
    private var since: Timestamp?

    /// Counts; true where it has become a flood.
    mutating func isFlood(adding count: Int, at now: Timestamp) -> Bool {
        let start = since ?? now
        let age = now.nanosecondsSinceEpoch - start.nanosecondsSinceEpoch
        (since, bytes) = (0...Self.intervalNanoseconds).contains(age) ? (start, bytes + count) : (now, count)
        return bytes > Self.floodBytes
    }
}

/// The consoles that are open, and which of them is shown.
struct ConsolesPanel {
    /// More than these are not kept; the one shown longest ago is detached.
    static let limit = 16

    var open: [ConsoleID: Console] = [:]
    /// The exec that is shown for a container in place of its own stdio.
    var shownExec: [String: ConsoleID] = [:]
    /// Every key goes to the console that is shown.
    var isCaptured = false { didSet { if !isCaptured { (holder, isHolderGone) = (nil, false) } } }
    /// The container whose console that is.
    var holder: EngineAction.Target?
    /// It has left the list while somebody typed: the keys go nowhere until the person has seen that.
    var isHolderGone = false
    var takesKeys: Bool { isCaptured && !isHolderGone }
    /// A button of the mouse was pressed on the console, and the program has been told.
    var holdsMouse = false
    /// Closed by the person: not opened again by itself.
    var closed: Set<ConsoleID> = []

    /// Those of one container, its own stdio first.
    func ids(of containerID: String) -> [ConsoleID] {
        open.keys.filter { $0.containerID == containerID }.sorted { order($0) < order($1) }
    }

    /// All, in a steady order.
    var ids: [ConsoleID] {
        open.keys.sorted { ($0.containerID, order($0)) < ($1.containerID, order($1)) }
    }

    private func order(_ id: ConsoleID) -> Int {
        if case .exec(_, let number) = id { return number }
        return 0
    }
}

extension Model {
    var shownConsoleID: ConsoleID? {
        guard let container = selectedContainer else { return nil }
        if let exec = consoles.shownExec[container.id], consoles.open[exec] != nil { return exec }
        return .container(container.id)
    }

    var shownConsole: Console? { shownConsoleID.flatMap { consoles.open[$0] } }

    /// The size of the console's grid on this screen; nil where the panel is not shown.
    var consoleGrid: Size? {
        guard let region = layout.content(of: .console), region.columns > 0, region.rows > 0 else { return nil }
        return region.size
    }

    /// A grid for a console that is not on the screen yet.
    var initialConsoleGrid: Size { consoleGrid ?? Size(columns: max(1, size.columns), rows: max(1, size.rows - 3)) }
}
