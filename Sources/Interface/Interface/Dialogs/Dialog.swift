import EngineAPI

/// Something over the panels that takes the keys. A stack of them: the last is on top.
enum Dialog {
    case form(Form)
    case menu(Menu)
    case confirmation(Confirmation)
    case help(Pager)
    case logs(LogScreen)
    case inspect(InspectScreen)
    case list(ListScreen)
    case file(FileScreen)

    /// It covers the whole of the panels.
    var isScreen: Bool {
        switch self {
        case .logs, .inspect, .list, .help, .file: true
        case .form, .menu, .confirmation: false
        }
    }

    var keyContext: KeyContext {
        switch self {
        case .form: .form
        case .menu: .menu
        case .confirmation: .confirmation
        case .help(let pager): pager.search.isEditing ? .search : .help
        case .logs(let screen):
            screen.search.isEditing ? .search : screen.filterEditor != nil ? .filter : .logs
        case .inspect(let screen): screen.pager.search.isEditing ? .search : .inspect
        case .file(let screen): screen.pager.search.isEditing ? .search : .file
        case .list(let screen): screen.isEditingFilter ? .filter : screen.kind.keyContext
        }
    }
}

/// A question before something that cannot be undone.
struct Confirmation: Hashable, Sendable {
    var title: String
    /// What will happen, a line each.
    var lines: [String]
    /// The word on the button.
    var verb: String
    /// What yes begins, all at once.
    var steps: [Step]
    /// What it begins once those have ended, however they did.
    var laterSteps: [Step] = []
    /// What it asks for where that is none of the engine's actions.
    var intent: Intent?
    /// The answer that Enter gives. No where a process is ended or files are lost that somebody may still want.
    var choosesYes = true

    struct Step: Hashable, Sendable {
        var action: EngineAction
        /// What and on which object: `stop web`.
        var label: String
    }
}
