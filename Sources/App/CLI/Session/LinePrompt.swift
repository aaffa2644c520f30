import Glibc
import Linux

/// Lines that a person types.
enum LinePrompt {
    static func line(_ prompt: String) throws -> String {
        Console.out(prompt)
        return readLine() ?? ""
    }

    /// - Throws: docker's words where nobody can be asked.
    static func checkTerminal() throws(UsageError) {
        guard Console.inputIsTerminal else {
            throw UsageError(
                message: "Error: Cannot perform an interactive login from a non TTY device", code: 1, opening: "")
        }
    }

    /// Whether a person wants what a warning tells of; all but `y` is no, as docker has it.
    static func isConfirmed(_ warning: String) throws -> Bool {
        try line("WARNING! \(warning)\nAre you sure you want to continue? [y/N] ").lowercased() == "y"
    }

    /// A line that is not shown. Only from a terminal: a script that means it says `--password-stdin`.
    static func secret(_ prompt: String) throws -> String {
        try checkTerminal()
        let terminal = UserTerminal.silent()
        defer {
            terminal?.end()
            Console.out("\n")
        }
        return try line(prompt)
    }

    /// All of standard input, without the end of its last line.
    static func all() throws -> String {
        let bytes = try Descriptor.standardInput.readAll(limitBytes: 1 << 20)
        var text = String(decoding: bytes, as: UTF8.self)
        while text.hasSuffix("\n") || text.hasSuffix("\r\n") || text.hasSuffix("\r") { text.removeLast() }
        return text
    }
}
