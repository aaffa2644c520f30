/// The flags of one command as pflag, the reader of docker's command lines, knows them: their names, and which of them
/// take a value. Without that a line cannot be read: `-an1` is three options of `ps` and one of `run`.
struct FlagTable: Hashable, Sendable {
    struct Flag: Hashable, Sendable {
        /// Without their dashes; those of one character are shorthands, beside a long one.
        let names: [String]
        let takesValue: Bool

        /// The one by which it is told and passed on: the first long one.
        var name: String { names.first { $0.count > 1 } ?? names[0] }

        /// `-e, --env`
        var title: String {
            let short = names.first { $0.count == 1 }.map { "-\($0)" }
            let long = names.first { $0.count > 1 }.map { "--\($0)" }
            return [short, long].compactMap(\.self).joined(separator: ", ")
        }
    }

    /// In the order in which they were listed.
    let flags: [Flag]
    /// The first word that is no flag ends them: what follows belongs to a program in a container.
    let endsAtFirstWord: Bool

    init(_ flags: [Flag], endsAtFirstWord: Bool = false) {
        self.flags = flags
        self.endsAtFirstWord = endsAtFirstWord
    }

    /// - Parameter list: words such as `d|debug` and, for one that takes a value, `H|host=`.
    init(_ list: String, endsAtFirstWord: Bool = false) {
        let flags = list.split(separator: " ").map { word in
            let takesValue = word.last == "="
            let names = (takesValue ? word.dropLast() : word).split(separator: "|").map(String.init)
            return Flag(names: names, takesValue: takesValue)
        }
        self.init(flags, endsAtFirstWord: endsAtFirstWord)
    }

    /// A line has few flags: to make a table of the names takes longer than to go through them.
    func flag(_ name: String) -> Flag? { flags.first { $0.names.contains(name) } }
}
