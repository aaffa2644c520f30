import Emulator
import EngineAPI
import Terminal

/// One of the four parts of the main screen.
enum Panel: Int, CaseIterable, Hashable, Sendable {
    case containers = 1
    case stats, processes, console

    var title: String {
        switch self {
        case .containers: "containers"
        case .stats: "stats"
        case .processes: "processes"
        case .console: "console"
        }
    }
}

/// How the panels share the screen.
enum LayoutMode: Hashable, Sendable {
    case normal
    /// The focused panel has most of it.
    case half
    case full
}

/// Everything the screen is drawn from. Changed by `update` alone, on the main thread.
///
/// A value but for the emulators of the consoles, which are the screens of the containers' terminals and too large to
/// copy.
struct Model {
    var now: Timestamp
    /// By which moments are told.
    var wall = WallClock.utc
    var size: Size
    /// What is drawn with.
    var theme: Theme
    /// The one that was chosen, and those that can be.
    var chosenTheme: Theme
    var themes: [Theme] = []
    /// A theme that is kept for the next run; nil where none was chosen by hand.
    var keptTheme: String?
    /// Whose engine this is: a context's name, or an address; nil where nobody said.
    var host: String?
    var hasHosts = false
    /// Another one that is being tried.
    var reaching: HostAttempt?
    /// Keys and what they do.
    var bindings = Keymap.table
    /// Where the user's own keys are read from; nil for a user without a home.
    var keyFilePath: String?
    /// Commands of the user's own, which have bindings, too.
    var customCommands: [CustomCommand] = []
    /// What was odd at the start, all of it.
    var notices: [String] = []
    /// Detach, next and the other commands of a console come after this key.
    var leader: Key
    let makeEmulator: (Size) -> any TerminalEmulator

    var connection = Connection.connecting
    /// The engine has answered once: what does not answer now was lost.
    var hasBeenConnected = false
    var containers = ContainersPanel()
    var stats = StatsPanel()
    var processes = ProcessesPanel()
    var consoles = ConsolesPanel()
    var images: [ImageSummary]?
    /// Nil until they were first asked for.
    var networks: [NetworkDetails]?
    var volumes: [VolumeDetails]?
    var usage: DiskUsage?
    /// The parts of it whose small objects are shown, too.
    var openUsage: Set<UsagePart> = []
    var events = EventHistory()
    var commands = CommandLog()
    /// Of the directory that is looked at.
    var files: FileListing?
    /// Which of its files is to be chosen once they are known.
    var chosenFile: String?
    var logLook = LogLook()
    /// There is a desktop whose browser can be asked to open something.
    var hasDesktop = false

    var focus = Panel.containers
    var layoutMode = LayoutMode.normal
    /// The innermost last; it takes the keys.
    var dialogs: [Dialog] = []
    /// Oldest first.
    var jobs: [Job] = []
    var batches: [Int: Batch] = [:]
    var status: Status?
    /// The screen is only waiting for what is being undone.
    var isEnding = false
    /// Recreations that were cut off have been looked for, and told of.
    var toldCutRecreations = false
    /// Whether it was said that containers run on after the front end has gone.
    var saidContainersRunOn = false
    /// The filter was opened over one that holds: the first letter typed begins another, any other key edits it.
    var beginsFilterAnew = false
    var nextNumber = 1
    /// Keys and pastes so far.
    var typedCount = 0
    /// The last press of the mouse's button: a second one there soon after is Enter.
    var lastClick: Click?
    /// What was just made, until it is in the list that it was asked for in.
    var sought: Sought?

    init(
        now: Timestamp, size: Size, theme: Theme, leader: Key,
        makeEmulator: @escaping (Size) -> any TerminalEmulator
    ) {
        self.now = now
        self.size = size
        self.theme = theme
        chosenTheme = theme
        self.leader = leader
        self.makeEmulator = makeEmulator
    }

    var selectedContainer: ContainerSummary? { containers.selected }

    /// A dialog that leaves nothing of the panels to see.
    var coversPanels: Bool { dialogs.contains { $0.isScreen } }

    func container(_ id: String) -> ContainerSummary? { containers.container(id) }

    /// A container as an action's target.
    func target(_ container: ContainerSummary) -> EngineAction.Target {
        EngineAction.Target(id: container.id, name: container.name)
    }

    mutating func say(_ text: String, _ kind: Status.Kind = .plain) {
        status = Status(text: Self.oneLine(text), kind: kind, since: now)
    }

    /// A number that was not given out before.
    mutating func takeNumber() -> Int {
        defer { nextNumber += 1 }
        return nextNumber
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
