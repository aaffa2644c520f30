/// How a person wants lists and logs to look: kept from one run to the next.
package struct ViewPreferences: Hashable, Sendable {
    var sort = ContainerSort.created
    var isReversed = false
    var hidesStopped = false
    var groupsProjects = true
    /// Columns of the container list that are always shown, or never; the others are where there is room.
    var columns: [ContainerColumn.Kind: Bool] = [:]
    var logTimes = LogTimes.none
    var wrapsLogs = false
    /// The theme that was chosen on the screen; nil for none.
    package var theme: String?

    /// What a new user gets.
    package init() {}

    /// Lines `name = value`. What is not known is passed over: another version may have written it.
    package init(text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let sides = line.split(separator: "=", maxSplits: 1).map { String($0).trimmingSpaces }
            guard sides.count == 2 else { continue }
            let isOn = sides[1] == "yes"
            switch sides[0] {
            case "sort": sort = ContainerSort(rawValue: sides[1]) ?? sort
            case "reversed": isReversed = isOn
            case "hide-stopped": hidesStopped = isOn
            case "theme": theme = sides[1].isEmpty ? nil : sides[1]
            case "projects": groupsProjects = isOn
            case "log-times": logTimes = LogTimes(rawValue: sides[1]) ?? .none
            case "log-wrap": wrapsLogs = isOn
            case "show": for column in Self.columns(sides[1]) { columns[column] = true }
            case "hide": for column in Self.columns(sides[1]) { columns[column] = false }
            default: break
            }
        }
    }

    /// What `init(text:)` reads.
    package var text: String {
        func list(_ isShown: Bool) -> String {
            columns.filter { $0.value == isShown }.map(\.key.rawValue).sorted().joined(separator: " ")
        }
        let lines = [
            ("sort", sort.rawValue), ("reversed", isReversed ? "yes" : "no"),
            ("hide-stopped", hidesStopped ? "yes" : "no"), ("projects", groupsProjects ? "yes" : "no"),
            ("show", list(true)), ("hide", list(false)),
            ("theme", theme ?? ""), ("log-times", logTimes.rawValue), ("log-wrap", wrapsLogs ? "yes" : "no"),
        ]
        return lines.filter { !$0.1.isEmpty }.map { "\($0) = \($1)\n" }.joined()
    }

    private static func columns(_ text: String) -> [ContainerColumn.Kind] {
        text.split(separator: " ").compactMap { ContainerColumn.Kind(rawValue: String($0)) }
    }
}

extension Model {
    var preferences: ViewPreferences {
        get {
            var preferences = ViewPreferences()
            preferences.sort = containers.sort
            preferences.isReversed = containers.isReversed
            preferences.hidesStopped = containers.hidesStopped
            preferences.theme = keptTheme
            preferences.groupsProjects = containers.groupsProjects
            preferences.columns = containers.columns
            preferences.logTimes = logLook.times
            preferences.wrapsLogs = logLook.wraps
            return preferences
        }
        set {
            containers.sort = newValue.sort
            containers.isReversed = newValue.isReversed
            containers.hidesStopped = newValue.hidesStopped
            keptTheme = newValue.theme
            containers.groupsProjects = newValue.groupsProjects
            containers.columns = newValue.columns
            logLook = LogLook(times: newValue.logTimes, wraps: newValue.wrapsLogs)
        }
    }
}

/// How logs are shown until that is changed again.
struct LogLook: Hashable, Sendable {
    var times = LogTimes.none
    var wraps = false
}
