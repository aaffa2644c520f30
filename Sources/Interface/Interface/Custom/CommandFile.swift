import JSON
import Terminal

/// Commands of one's own: a TOML file with a table for each.
///
/// ```toml
/// [htop]
/// key = "ctrl-t"                       # one, or several; without one it is found in menu and palette
/// label = "htop in the container"      # for the help; without one its name
/// for = "container"                    # or project, image, network, volume, engine; or several of them
/// run = ["docker", "exec", "-it", "{name}", "htop"]
/// shows = "terminal"                   # or output, nothing
/// confirm = false
/// directory = "/"
/// ```
package struct CommandFile: Hashable, Sendable {
    private(set) var commands: [CustomCommand] = []
    /// What could not be understood, each with its line. The other commands are there.
    private(set) var complaints: [String] = []

    /// No commands.
    init() {}

    /// Reads the file's text.
    package init(parsing text: String) {
        let lines = TOMLLines(text)
        let members: [(name: String, value: JSONValue)]
        do throws(TOMLDocument.Failure) { members = try TOMLDocument.members(of: text) } catch {
            complaints = [error.message]
            return
        }
        for (name, value) in members {
            guard let table = value.object else {
                complain("`\(name)` stands in no command: `[NAME]` begins one", lines.number(of: name, in: ""))
                continue
            }
            var command = CustomCommand(name: name, label: name)
            command.line = lines.numberOfTable(name)
            do throws(Wrong) {
                for (key, value) in table.members { try Self.take(key, value, &command) }
                try Self.check(command)
                commands.append(command)
            } catch {
                let line = error.entry.map { lines.number(of: $0, in: name) } ?? command.line
                complain("`\(name)`: \(error.reason)", line)
            }
        }
        commands.sort { $0.line < $1.line }
    }

    /// What is wrong with a command, and in which of its entries; nil for all of it.
    private struct Wrong: Error {
        let entry: String?
        let reason: String
    }

    private static func take(
        _ entry: String, _ value: JSONValue, _ command: inout CustomCommand
    ) throws(Wrong) {
        func texts(_ what: String) throws(Wrong) -> [String] {
            if let text = value.string { return [text] }
            guard let list = value.array, case let texts = list.compactMap(\.string), texts.count == list.count else {
                throw Wrong(entry: entry, reason: "`\(entry)` is to be \(what)")
            }
            return texts
        }
        func text(_ what: String) throws(Wrong) -> String {
            guard let text = value.string, !text.isEmpty else {
                throw Wrong(entry: entry, reason: "`\(entry)` is to be \(what)")
            }
            return text
        }
        switch entry {
        case "key":
            for text in try texts("a key, or a list of keys") {
                guard let key = Key(text) else { throw Wrong(entry: entry, reason: "`\(text)` is no key") }
                command.keys.append(key)
            }
        case "label": command.label = try text("some words")
        case "for":
            command.subjects = []
            for text in try texts("what it is asked of, or a list") {
                guard let kind = CommandSubject.Kind(rawValue: text) else {
                    let kinds = CommandSubject.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Wrong(entry: entry, reason: "there is no `\(text)`; there are \(kinds)")
                }
                command.subjects.append(kind)
            }
        case "run":
            guard value.array != nil, case let words = try texts("a list of words"), words.first?.isEmpty == false
            else {
                throw Wrong(entry: entry, reason: "`run` is to be a list of words: [\"docker\", \"logs\", \"{name}\"]")
            }
            command.words = words
        case "directory": command.directory = try text("a directory")
        case "shows":
            guard let display = CustomCommand.Display(rawValue: try text("a word")) else {
                throw Wrong(entry: entry, reason: "`shows` is to be terminal, output or nothing")
            }
            command.display = display
        case "confirm":
            guard case .bool(let asks) = value else {
                throw Wrong(entry: entry, reason: "`confirm` is to be true or false")
            }
            command.asks = asks
        default: throw Wrong(entry: entry, reason: "unknown entry `\(entry)`")
        }
    }

    private static func check(_ command: CustomCommand) throws(Wrong) {
        guard !command.words.isEmpty else { throw Wrong(entry: nil, reason: "it lacks `run`, the words of a program") }
        guard !command.subjects.isEmpty else { throw Wrong(entry: "for", reason: "`for` names nothing") }
        let texts = command.words.map { ("run", $0) } + (command.directory.map { [("directory", $0)] } ?? [])
        for (entry, text) in texts {
            for place in CommandSubject.places(in: text) {
                for kind in command.subjects where !kind.fields.contains(place.name) {
                    let fields = kind.fields.joined(separator: ", ")
                    throw Wrong(
                        entry: entry, reason: "`{\(place.name)}` is nothing of `\(kind.rawValue)`; there are \(fields)")
                }
            }
        }
    }

    private mutating func complain(_ message: String, _ line: Int) { complaints.append("line \(line): \(message)") }
}
