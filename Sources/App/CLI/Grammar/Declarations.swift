import Synchronization

/// What a command declares, in the order of its properties: each `@Flag`, `@Option` and `@Argument` adds itself when the
/// command is made. So a declaration stands in one place, and nothing has to look into a value by reflection, which would
/// cost a command more time than all that it does.
final class Declarations: Sendable {
    /// `--name`, with or without a value.
    struct Flag: Sendable {
        let flag: FlagTable.Flag
        /// Nil for one that the help does not show.
        let help: String?
        /// The title of the options that it is one of.
        let title: String?
        /// What a value is, in pflag's words; nil for a flag without one.
        var kind: String?
        /// What holds where the line says nothing, if that is worth a word.
        var standard: String?
        /// Where the line's values go.
        let slot: Slot
        /// What is wrong with a value, in Go's words.
        var refusal: @Sendable (String) -> String? = { _ in nil }
    }

    /// Words that are no flags.
    struct Words: Sendable {
        /// As in the usage line: `CONTAINER`.
        let name: String
        let minimum: Int
        /// Nil for any number.
        let maximum: Int?
        /// They belong to a program in a container, with the flags among them.
        let isHandedOn: Bool
        let slot: Slot
    }

    /// What the line says of one property. Empty where it says nothing.
    final class Slot: Sendable {
        private let state = Mutex<[String]>([])

        var texts: [String] { state.withLock(\.self) }

        func set(_ texts: [String]) { state.withLock { $0 = texts } }
        func append(_ text: String) { state.withLock { $0.append(text) } }
    }

    private struct State {
        var flags: [Flag] = []
        var words: [Words] = []
        var title: String?
    }

    private let state = Mutex(State())

    var flags: [Flag] { state.withLock(\.flags) }
    var words: [Words] { state.withLock(\.words) }

    /// Of the command that is being made by this task.
    @TaskLocal private static var current: Declarations?

    /// Makes a value and finds what it declares.
    static func of<Value>(_ make: () -> Value) -> (Value, Declarations) {
        let declarations = Declarations()
        return ($current.withValue(declarations, operation: make), declarations)
    }

    /// Makes options whose flags stand below a title of their own in the help.
    static func titled<Options: CommandOptions>(_ title: String?, _ make: () -> Options) -> Options {
        guard let current, let title else { return make() }
        let outer = current.state.withLock { state in
            defer { state.title = title }
            return state.title
        }
        defer { current.state.withLock { $0.title = outer } }
        return make()
    }

    /// - Parameter names: `e|env`
    static func add(
        flag names: String, help: String?, kind: String? = nil, standard: String? = nil,
        refusal: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Slot {
        let slot = Slot()
        current?.state.withLock { state in
            state.flags.append(
                Flag(
                    flag: FlagTable.Flag(names: names.split(separator: "|").map(String.init), takesValue: kind != nil),
                    help: help, title: state.title, kind: kind, standard: standard, slot: slot, refusal: refusal))
        }
        return slot
    }

    static func add(words name: String, minimum: Int, maximum: Int?, isHandedOn: Bool = false) -> Slot {
        let slot = Slot()
        current?.state.withLock {
            $0.words.append(
                Words(name: name, minimum: minimum, maximum: maximum, isHandedOn: isHandedOn, slot: slot))
        }
        return slot
    }
}
