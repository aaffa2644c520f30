import Interface
import Linux

/// Where the front end keeps how it looked: `$XDG_STATE_HOME/gantry/view`, below `~/.local/state` without that variable.
struct PreferencesFile: Sendable {
    private let folder: String
    private var path: String { "\(folder)/view" }

    /// Nil for a user without a home.
    init?() {
        if let state = Settings.variable("XDG_STATE_HOME"), state.hasPrefix("/") {
            folder = "\(state)/gantry"
        } else if let home = Settings.variable("HOME"), home.hasPrefix("/") {
            folder = "\(home)/.local/state/gantry"
        } else {
            return nil
        }
    }

    func read() -> ViewPreferences {
        do throws(KernelError) {
            return ViewPreferences(
                text: String(decoding: try FileContents.read(path, limitBytes: 65536), as: UTF8.self))
        } catch {
            // The first run, or a home that cannot be read: as for a new user.
            return ViewPreferences()
        }
    }

    func write(_ preferences: ViewPreferences) {
        do throws(KernelError) {
            try Directory.create(folder, mode: 0o700)
            try FileContents.replace(path, with: Array(preferences.text.utf8), durable: false)
        } catch {
            // Its user is about to leave, and loses no more than the order of a list.
        }
    }
}
