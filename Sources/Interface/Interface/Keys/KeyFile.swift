import JSON
import Terminal

/// Keys of one's own: a TOML file that names actions and gives them keys.
///
/// ```toml
/// leader = "ctrl-g"          # before the commands of an attached console
/// [keys]
/// stop = "ctrl-s"            # one key, or several, or none at all
/// new = ["n", "insert"]
/// [keys.main]                # on the main screen alone
/// events = "e"
/// [keys.files]               # in one place alone
/// copy-file-out = "F5"
/// ```
package struct KeyFile: Hashable, Sendable {
    /// An action's keys, in one place or wherever it has some.
    struct Change: Hashable, Sendable {
        var action: String
        /// By its name in the file; nil for everywhere.
        var place: String?
        var keys: [Key]
        var line: Int
    }

    private(set) var leader: Key?
    private(set) var changes: [Change] = []
    /// What could not be understood, each with its line.
    private(set) var complaints: [String] = []

    /// Nothing is changed.
    init() {}

    /// Reads the file's text; what is wrong in it is left out and complained of.
    package init(parsing text: String) {
        let lines = TOMLLines(text)
        let members: [(name: String, value: JSONValue)]
        do throws(TOMLDocument.Failure) { members = try TOMLDocument.members(of: text) } catch {
            complaints = [error.message]
            return
        }
        for (name, value) in members {
            switch name {
            case "leader":
                leader = value.string.flatMap { Key($0) }
                if leader == nil { complain("`leader` is no key", lines.number(of: name, in: "")) }
            case "keys": readKeys(value.object?.members ?? [], lines)
            default: complain("unknown entry `\(name)`", lines.number(of: name, in: ""))
            }
        }
    }

    private mutating func readKeys(_ members: [(name: String, value: JSONValue)], _ lines: TOMLLines) {
        for (name, value) in members {
            guard let inner = value.object else {
                add(name, nil, value, lines.number(of: name, in: "keys"))
                continue
            }
            let table = "keys.\(name)"
            guard KeyContext.places[name] != nil else {
                complain("there is no place `\(name)`", lines.numberOfTable(table))
                continue
            }
            for (action, value) in inner.members { add(action, name, value, lines.number(of: action, in: table)) }
        }
    }

    private mutating func add(_ action: String, _ place: String?, _ value: JSONValue, _ line: Int) {
        let texts = value.string.map { $0.split(separator: " ").map(String.init) } ?? value.array?.compactMap(\.string)
        guard let texts else { return complain("`\(action)` needs a key, or a list of keys", line) }
        var keys: [Key] = []
        for text in texts {
            guard let key = Key(text) else { return complain("`\(text)` is no key", line) }
            keys.append(key)
        }
        changes.append(Change(action: action, place: place, keys: keys, line: line))
    }

    private mutating func complain(_ message: String, _ line: Int) { complaints.append("line \(line): \(message)") }
}
