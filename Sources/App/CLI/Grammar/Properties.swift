/// A switch: `--tty`, `--tty=false`.
@propertyWrapper
struct Flag: Sendable {
    private let slot: Declarations.Slot
    private let standard: Bool

    var wrappedValue: Bool { slot.texts.last.map { $0 == "true" } ?? standard }

    /// - Parameters:
    ///   - names: without dashes, shorthands first: `t|tty`.
    ///   - help: a sentence; a flag without one is not shown.
    init(wrappedValue: Bool, _ names: String, help: String? = nil) {
        standard = wrappedValue
        slot = Declarations.add(flag: names, help: help, standard: wrappedValue ? "true" : nil)
    }
}

/// A flag with a value: `--name web`. One that may be given several times is a list.
@propertyWrapper
struct Option<Value: Sendable>: Sendable {
    private let slot: Declarations.Slot
    private let value: @Sendable ([String]) -> Value

    var wrappedValue: Value { value(slot.texts) }

    /// - Parameter names: as a flag's.
    init(wrappedValue: Value, _ names: String, help: String? = nil) where Value: FlagValue {
        value = { $0.last.flatMap { Value($0) } ?? wrappedValue }
        let standard = wrappedValue.flagText
        slot = Declarations.add(
            flag: names, help: help, kind: Value.kind, standard: standard.isEmpty ? nil : standard,
            refusal: Value.refusal)
    }

    init<One: FlagValue>(_ names: String, help: String? = nil) where Value == One? {
        value = { $0.last.flatMap { One($0) } }
        slot = Declarations.add(flag: names, help: help, kind: One.kind, refusal: One.refusal)
    }

    init(wrappedValue: Value, _ names: String, help: String? = nil) where Value == [String] {
        value = { $0.isEmpty ? wrappedValue : $0 }
        slot = Declarations.add(flag: names, help: help, kind: "list")
    }
}

/// A word, or several.
@propertyWrapper
struct Argument<Value: Sendable>: Sendable {
    private let slot: Declarations.Slot
    private let value: @Sendable ([String]) -> Value

    var wrappedValue: Value { value(slot.texts) }

    /// One word, which must be there.
    ///
    /// - Parameter name: as the usage line has it: `CONTAINER`.
    init(_ name: String) where Value == String {
        value = { $0.first ?? "" }
        slot = Declarations.add(words: name, minimum: 1, maximum: 1)
    }

    /// One word, or none.
    init(_ name: String) where Value == String? {
        value = { $0.first }
        slot = Declarations.add(words: name, minimum: 0, maximum: 1)
    }

    /// At least one word. Nothing can follow.
    init(_ name: String) where Value == [String] {
        value = { $0 }
        slot = Declarations.add(words: name, minimum: 1, maximum: nil)
    }

    /// Any number of words. Nothing can follow.
    ///
    /// - Parameters:
    ///   - wrappedValue: none.
    ///   - minimum: how many there must be.
    ///   - isHandedOn: from the first of them on, flags are a program's in a container.
    init(
        wrappedValue: [String], _ name: String, minimum: Int = 0, isHandedOn: Bool = false
    ) where Value == [String] {
        value = { $0 }
        slot = Declarations.add(words: name, minimum: minimum, maximum: nil, isHandedOn: isHandedOn)
    }
}

/// Options of several commands.
@propertyWrapper
struct OptionGroup<Options: CommandOptions>: Sendable {
    let wrappedValue: Options

    /// - Parameter title: where they stand apart in the help.
    init(title: String? = nil) { wrappedValue = Declarations.titled(title) { Options() } }
}

/// What the value of a flag may be.
protocol FlagValue: Sendable {
    /// In pflag's words: `string`, `int`.
    static var kind: String { get }
    init?(_ text: String)
    /// Why a text is none, in Go's words; nil for one that is.
    static func refusal(_ text: String) -> String?
    /// As the help shows it.
    var flagText: String { get }
}

extension String: FlagValue {
    static let kind = "string"
    static func refusal(_ text: String) -> String? { nil }
    var flagText: String { self }
}

extension FlagValue where Self: FixedWidthInteger {
    static var kind: String { "int" }
    var flagText: String { String(self) }

    static func refusal(_ text: String) -> String? {
        Self(text) == nil ? "strconv.ParseInt: parsing \"\(text)\": invalid syntax" : nil
    }
}

extension Int: FlagValue {}
extension Int64: FlagValue {}

/// One of a few words.
extension FlagValue where Self: RawRepresentable & CaseIterable, RawValue == String {
    static var kind: String { "string" }
    init?(_ text: String) { self.init(rawValue: text) }
    var flagText: String { rawValue }

    static func refusal(_ text: String) -> String? {
        guard Self(rawValue: text) == nil else { return nil }
        let words = allCases.map { "\"\($0.rawValue)\"" }
        return "must be one of \(words.dropLast().joined(separator: ", ")) or \(words.last ?? "")"
    }
}
