import Testing

@testable import Runtime

/// runc's grammar of a command line, as words.
struct CommandArgumentsTests {
    private static let options: CommandArguments.Options = "bundle|b= no-pivot keep|k preserve-fds="

    @Test(
        "An option is known by each of its names, with one dash or two, its value behind `=` or in the next word",
        arguments: [
            (["--bundle", "x"], "x"), (["-bundle=x"], "x"), (["-b", "x"], "x"), (["--b=x=y"], "x=y"), (["-b", ""], ""),
            (["-b", "x", "id", "--bundle", "y"], "y"), (["-b", "-k"], "-k"),
        ])
    func values(words: [String], value: String) throws {
        #expect(try CommandArguments(words[...], Self.options)["bundle"] == value)
    }

    @Test("Flags take no word, and false is a value of theirs")
    func flags() throws {
        let arguments = try CommandArguments(["-k", "id", "--no-pivot=false"], Self.options)
        #expect(try arguments.flag("keep"))
        #expect(try !arguments.flag("no-pivot"))
        #expect(arguments.operands == ["id"])
        #expect(throws: RuntimeError("invalid boolean value \"maybe\" for -keep")) {
            try CommandArguments(["-k=maybe"], Self.options).flag("keep")
        }
    }

    @Test("What is given several times is there several times, in its order")
    func repeated() throws {
        let arguments = try CommandArguments(["-e", "a", "--env", "b", "-x"], "env|e=", "x|y")
        #expect(arguments.all("env") == ["a", "b"])
        #expect(arguments["env"] == "b")
        #expect(try arguments.flag("x"))
    }

    @Test(
        "A name is known whole and as it is written",
        arguments: ["--bundl", "--bundle|b", "--pivot", "-", "--no", "--B", "--keep|", "-=x", "--preserve-fds ="])
    func unknown(word: String) throws {
        guard word != "-" else {
            #expect(try CommandArguments([word], Self.options).operands == ["-"])
            return
        }
        #expect(throws: RuntimeError.self) { try CommandArguments([word], Self.options) }
        // Behind an operand it may be another's.
        #expect(try CommandArguments(["id", word], Self.options).operands == ["id", word])
    }

    @Test("Options put together are those of both")
    func together() throws {
        let arguments = try CommandArguments(["-a", "1", "-b"], "first|a=" + "second|b")
        #expect(arguments["first"] == "1")
        #expect(try arguments.flag("second"))
        #expect(throws: RuntimeError("flag needs an argument: -a")) { try CommandArguments(["-a"], "first|a=") }
    }
}
