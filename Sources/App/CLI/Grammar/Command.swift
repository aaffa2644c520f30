/// One command of the program: a value whose properties are what its line may say, by `@Flag`, `@Option` and `@Argument`.
protocol Command: Sendable {
    static var configuration: CommandConfiguration { get }

    /// Declares the properties, see `Declarations`; each has its standard value.
    init()

    /// Does what the line says, once that is read into the properties.
    func run() async throws
}

/// Options that several commands share: they stand in a command as an `@OptionGroup`.
protocol CommandOptions: Sendable {
    init()
}

/// What a command is called, and what its help says of it.
struct CommandConfiguration: Sendable {
    let name: String
    /// A sentence.
    let abstract: String
    /// What the usage lines show after the flags, where the declared arguments do not tell it.
    var usages: [String] = []
    /// Further lines of the help.
    var discussion = ""
    /// Further names, not shown.
    var aliases: [String] = []
    /// Whether lists of commands have it.
    var isShown = true

    init(
        commandName: String, abstract: String, usages: [String] = [], discussion: String = "", aliases: [String] = [],
        shouldDisplay: Bool = true
    ) {
        name = commandName
        self.abstract = abstract
        self.usages = usages
        self.discussion = discussion
        self.aliases = aliases
        isShown = shouldDisplay
    }

    func isCalled(_ word: String) -> Bool { name == word || aliases.contains(word) }
}

/// Commands of one kind of object: `gantry network ls`.
struct CommandGroup: Sendable {
    let name: String
    /// A sentence.
    let abstract: String
    let commands: [any Command.Type]

    func command(_ word: String) -> (any Command.Type)? { commands.first { $0.configuration.isCalled(word) } }
}
