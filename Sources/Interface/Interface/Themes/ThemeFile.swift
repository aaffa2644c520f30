import TOMLKit
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
    var warnings: [String] = []

    /// - Throws: `ThemeError` where the text is no TOML.
    init(parsing text: String, path: String) throws(ThemeError) {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch {
            throw ThemeError(message: "theme `\(path)`: \(Self.reason(error))")
        }
        for key in table.keys {
            switch key {
            case "inherits": inherits = table[key]?.string
            case "palette": if let colors = table[key]?.table { readPalette(colors, path) }
            case "styles": if let roles = table[key]?.table { readStyles(roles, path) }
            default: warnings.append("theme `\(path)`: unknown key `\(key)`")
            }
        }
    }

    /// This file's palette and styles over those of the one that it inherits from.
    func over(_ base: ThemeFile) -> ThemeFile {
        var merged = self
        merged.palette = base.palette.merging(palette) { $1 }
        merged.styles = base.styles.merging(styles) { $1 }
        merged.warnings = base.warnings + warnings
        return merged
    }

    /// The theme, and what could not be understood.
    func resolved(name: String) -> (theme: Theme, warnings: [String]) {
        var warnings = warnings
        func color(_ name: String?, _ role: Role) -> Color? {
            guard let name else { return nil }
            if let found = palette[name] ?? Self.color(name) { return found }
            warnings.append("theme `\(name)`: role `\(role.rawValue)` names no colour of the palette")
            return nil
        }
        let text = styles[.text] ?? Entry()
        let base = Style(
            foreground: color(text.foreground, .text) ?? .default,
            background: color(text.background, .text) ?? .default, attributes: text.attributes)
        var result: [Role: Style] = [.text: base]
        for (role, entry) in styles where role != .text {
            result[role] = Style(
                foreground: color(entry.foreground, role) ?? base.foreground,
                background: color(entry.background, role) ?? base.background, attributes: entry.attributes)
        }
        return (Theme(name: name, styles: result), warnings)
    }

    private mutating func readPalette(_ table: TOMLTable, _ path: String) {
        for key in table.keys {
            if let text = table[key]?.string, let color = Self.color(text) {
                palette[key] = color
            } else if let number = table[key]?.int, let entry = UInt8(exactly: number) {
                palette[key] = .palette(entry)
            } else {
                warnings.append("theme `\(path)`: `palette.\(key)` is not a colour")
            }
        }
    }

    private mutating func readStyles(_ table: TOMLTable, _ path: String) {
        for key in table.keys {
            guard let role = Role(rawValue: key), let style = table[key]?.table else {
                warnings.append("theme `\(path)`: unknown style `\(key)`")
                continue
            }
            styles[role] = readEntry(style, key, path)
        }
    }

    private mutating func readEntry(_ table: TOMLTable, _ role: String, _ path: String) -> Entry {
        var entry = Entry()
        for key in table.keys {
            switch key {
            case "fg": entry.foreground = table[key]?.string
            case "bg": entry.background = table[key]?.string
            case "attributes":
                for value in table[key]?.array ?? TOMLArray() {
                    if let known = value.string.flatMap({ Self.attributes[$0] }) {
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

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? TOMLParseError else { return "\(error)" }
        return "line \(error.source.begin.line): \(error.description)"
    }
}

/// A theme that cannot be used, in words.
package struct ThemeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line: which theme, and why it cannot be used.
    package let message: String

    /// The message.
    package var description: String { message }
}
