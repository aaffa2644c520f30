import Terminal

/// A program that a user has put on a key, with words that tell it what is chosen.
struct CustomCommand: Hashable, Sendable {
    /// Where what the program writes is seen.
    enum Display: String, CaseIterable, Hashable, Sendable {
        /// On the terminal, which it has to itself, keys and all.
        case terminal
        /// On a screen, once it has ended.
        case output
        /// Nowhere: whether it came to a good end is told.
        case nothing
    }

    /// What it is called in the file.
    let name: String
    /// For help and menus.
    var label: String
    var keys: [Key] = []
    var subjects: [CommandSubject.Kind] = [.container]
    /// The program and its arguments. What they name in braces is put in, and never cut into further words.
    var words: [String] = []
    /// Where it runs; nil for where this program does.
    var directory: String?
    var display = Display.output
    /// Somebody must say yes first.
    var asks = false
    /// Where it stands in the file.
    var line = 0

    /// The program with the facts of one object put in.
    ///
    /// - Throws: `FormError` where the object lacks one of them.
    func run(on subject: CommandSubject) throws(FormError) -> ProgramRun {
        var filled: [String] = []
        for word in words { filled.append(try subject.filled(word)) }
        var run = ProgramRun(words: filled, label: "\(label): \(subject.name)", display: display)
        if let directory { run.directory = try subject.filled(directory) }
        return run
    }
}

/// A program to be run, with all that is told to it.
package struct ProgramRun: Hashable, Sendable {
    /// The program and its arguments.
    package let words: [String]
    /// Where it runs; nil for where this program does.
    package var directory: String?
    /// What it is called where its end is told.
    package let label: String
    let display: CustomCommand.Display

    init(words: [String], label: String, display: CustomCommand.Display) {
        (self.words, self.label, self.display) = (words, label, display)
    }

    /// As a shell takes it.
    var line: String { words.map(ShellWord.quoted).joined(separator: " ") }
}
