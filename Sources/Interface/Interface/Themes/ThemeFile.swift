import JSON
import Terminal

/// A theme as its file says it, before inheritance: colours by name, styles by role.
///
/// What the file holds beyond that is told as a warning and passed over, so that a theme made for another version still
/// works.
struct ThemeFile: Hashable, Sendable {
    /// A style of the file: names of the palette, not yet colours.
    struct Entry: Hashable, Sendable {
        var foreground: String?
        var background: String?
        var attributes: Style.Attributes = []
    }

    var inherits: String?
    var palette: [String: Color] = [:]
    var styles: [Role: Entry] = [:]
    /// Sixteen colours for what programs print; none: the terminal's own. Nil where the file says nothing of them.
    var ansi: [String]?
    var warnings: [String] = []

    /// - Throws: `ThemeError` where the text is no TOML.
    init(parsing text: String, path: String) throws(ThemeError) {
        let members: [(name: String, value: JSONValue)]
        do throws(TOMLDocument.Failure) { members = try TOMLDocument.members(of: text) } catch {
            throw ThemeError(message: "theme `\(path)`: \(error.message)")
        }
        for (key, value) in members {
            switch key {
            case "inherits": inherits = value.string
            case "ansi":
                ansi = (value.array ?? []).map { $0.string ?? "" }
                if ![0, 16].contains(ansi?.count) { warnings.append("theme `\(path)`: `ansi` needs sixteen colours") }
            case "palette": readPalette(value.object?.members ?? [], path)
            case "styles": readStyles(value.object?.members ?? [], path)
            default: warnings.append("theme `\(path)`: unknown key `\(key)`")
            }
        }
    }

    /// This file's palette and styles over those of the one that it inherits from.
    func over(_ base: ThemeFile) -> ThemeFile {
        var merged = self
        merged.palette = base.palette.merging(palette) { $1 }
        merged.styles = base.styles.merging(styles) { $1 }
        merged.ansi = ansi ?? base.ansi
        merged.warnings = base.warnings + warnings
        return merged
    }

    /// The theme, and what could not be understood.
    func resolved(name: String) -> (theme: Theme, warnings: [String]) {
        var warnings = warnings
        func color(_ word: String?, _ user: String) -> Color? {
            guard let word else { return nil }
            if let found = palette[word] ?? Self.color(word) { return found }
            warnings.append("theme `\(name)`: \(user) names `\(word)`, which is no colour of the palette")
            return nil
        }
        let text = styles[.text] ?? Entry()
        let base = Style(
            foreground: color(text.foreground, "role `text`") ?? .default,
            background: color(text.background, "role `text`") ?? .default, attributes: text.attributes)
        var result: [Role: Style] = [.text: base]
        for (role, entry) in styles where role != .text {
            let user = "role `\(role.rawValue)`"
            result[role] = Style(
                foreground: color(entry.foreground, user) ?? base.foreground,
                background: color(entry.background, user) ?? base.background, attributes: entry.attributes)
        }
        let ansi = (ansi ?? []).compactMap { color($0, "`ansi`") }
        return (Theme(name: name, styles: result, ansi: ansi), warnings)
    }

    private typealias Members = [(name: String, value: JSONValue)]

    private mutating func readPalette(_ members: Members, _ path: String) {
        for (key, value) in members {
            if let text = value.string, let color = Self.color(text) {
                palette[key] = color
            } else if let number = value.integer, let entry = UInt8(exactly: number) {
                palette[key] = .palette(entry)
            } else {
                warnings.append("theme `\(path)`: `palette.\(key)` is not a colour")
            }
        }
    }

    private mutating func readStyles(_ members: Members, _ path: String) {
        for (key, value) in members {
            guard let role = Role(rawValue: key), let style = value.object else {
                warnings.append("theme `\(path)`: unknown style `\(key)`")
                continue
            }
            styles[role] = readEntry(style.members, key, path)
        }
    }

    private mutating func readEntry(_ members: Members, _ role: String, _ path: String) -> Entry {
        var entry = Entry()
        for (key, value) in members {
            switch key {
            case "fg": entry.foreground = value.string
            case "bg": entry.background = value.string
            case "attributes":
                for name in value.array ?? [] {
                    if let known = name.string.flatMap({ Self.attributes[$0] }) {
                        entry.attributes.insert(known)
                    } else {
                        warnings.append("theme `\(path)`: `\(role)` has an unknown attribute")
                    }
                }
            default: warnings.append("theme `\(path)`: `\(role)` has an unknown key `\(key)`")
            }
        }
        return entry
    }

    private static let attributes: [String: Style.Attributes] = [
        "bold": .bold, "dim": .dim, "italic": .italic, "underline": .underline, "reverse": .reverse,
        "strike": .strike, "blink": .blink,
    ]

    /// `#rrggbb` or `default`.
    private static func color(_ text: String) -> Color? {
        if text == "default" { return .default }
        guard text.hasPrefix("#"), text.utf8.count == 7, let value = UInt32(text.dropFirst(), radix: 16) else {
            return nil
        }
        return .hex(value)
    }
}

/// A theme that cannot be used, in words.
package struct ThemeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line: which theme, and why it cannot be used.
    package let message: String

    /// The message.
    package var description: String { message }
}
