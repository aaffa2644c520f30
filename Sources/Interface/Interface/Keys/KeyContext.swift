/// What has the keys: a panel, a dialog, or a state of the console.
enum KeyContext: String, CaseIterable, Hashable, Sendable {
    case containers, stats, processes, console
    /// The console takes every key but the leader; after the leader.
    case captured
    case leader = "console, after the leader key"
    case scrollback = "console, scroll mode"
    case filter
    case search
    case form, menu
    case confirmation
    case logs, inspect, images, networks, volumes, usage = "disk usage", events, commands = "command log", files, file,
        help

    /// The four panels.
    static let panels: Set<KeyContext> = [.containers, .stats, .processes, .console]

    /// Keys that type go into a line of text.
    var typesText: Bool { self == .filter || self == .search || self == .form || self == .menu }

    /// Somebody is writing: what opens over it now would get the rest of it.
    var takesTyping: Bool { typesText || self == .captured || self == .leader }

    var title: String { rawValue }
}

extension Model {
    var keyContext: KeyContext {
        if let dialog = dialogs.last { return dialog.keyContext }
        if focus == .console, consoles.isHolderGone { return .captured }
        if focus == .console, let console = shownConsole {
            if console.isLeaderPending { return .leader }
            if console.search?.isEditing == true { return .search }
            if console.isScrolling { return .scrollback }
            if consoles.isCaptured { return .captured }
        }
        if isEditingFilter { return .filter }
        return switch focus {
        case .containers: .containers
        case .stats: .stats
        case .processes: .processes
        case .console: .console
        }
    }
}
