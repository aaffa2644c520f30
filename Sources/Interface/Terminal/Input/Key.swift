/// A key with its modifiers, as far as terminals tell them apart.
///
/// Shift is told only for keys that send no text; a letter carries it in its case. Control with a letter is the small
/// letter and `control`; ctrl-i, ctrl-m and ctrl-[ are tab, enter and escape, which send the same byte.
package struct Key: Hashable, Sendable {
    package enum Code: Hashable, Sendable {
        case character(Character)
        case enter, tab, backspace, escape, insert, delete, home, end, pageUp, pageDown, up, down, left, right
        /// F1 and on.
        case function(Int)
    }

    package struct Modifiers: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let shift = Modifiers(rawValue: 1)
        package static let alt = Modifiers(rawValue: 2)
        package static let control = Modifiers(rawValue: 4)
    }

    package var code: Code
    package var modifiers: Modifiers

    package init(_ code: Code, _ modifiers: Modifiers = []) {
        self.code = code
        self.modifiers = modifiers
    }

    /// A key that types `character`.
    package static func character(_ character: Character) -> Key { Key(.character(character)) }

    /// The character, where the key types one: neither control nor alt is held.
    package var typed: Character? {
        guard case .character(let character) = code, modifiers.isDisjoint(with: [.alt, .control]) else { return nil }
        return character
    }
}
