import EngineAPI
import Terminal
import Testing

@testable import Interface

/// The file of the user's own commands.
@Suite struct CommandFileTests {
    @Test("A command has what its table says, and what is usual else")
    func entries() throws {
        let file = CommandFile(
            parsing: """
                [short]
                run = ["true"]
                [long]
                label = "all of it"
                key = ["ctrl-t", "F7"]
                for = ["image", "volume"]
                run = ["sh", "-c", "echo $1 ${name} {{json .}}", "sh", "{name}"]
                directory = "/srv/{name}"
                shows = "terminal"
                confirm = true
                """)
        #expect(file.complaints.isEmpty)
        let (short, long) = (try #require(file.commands.first), try #require(file.commands.last))
        #expect(short.label == "short" && short.keys.isEmpty && short.subjects == [.container])
        #expect(short.display == .output && !short.asks && short.directory == nil)
        #expect(long.label == "all of it" && long.keys == [Key("ctrl-t"), Key("F7")])
        #expect(long.subjects == [.image, .volume] && long.display == .terminal && long.asks)
        let subject = CommandSubject(kind: .volume, name: "a b", fields: ["name": "a b; rm -rf /"])
        let run = try long.run(on: subject)
        #expect(run.words == ["sh", "-c", "echo $1 ${name} {{json .}}", "sh", "a b; rm -rf /"])
        #expect(run.directory == "/srv/a b; rm -rf /")
    }

    @Test("A fact that an object lacks is told by its name")
    func lacking() {
        var command = CustomCommand(name: "open", label: "open")
        command.words = ["open", "http://{address}"]
        let error = #expect(throws: FormError.self) { try command.run(on: CommandSubject(Sample.containers[3])) }
        #expect(error?.message == "failed has no `address`")
    }

    @Test(
        "What is wrong is told with its line and reason, and the other commands are there",
        arguments: [
            ("key = \"hyper-q\"\nrun = [\"true\"]", "line 4: `bad`: `hyper-q` is no key"),
            (
                "run = \"docker ps\"",
                "line 4: `bad`: `run` is to be a list of words: [\"docker\", \"logs\", \"{name}\"]"
            ),
            ("run = [1]", "line 4: `bad`: `run` is to be a list of words"),
            ("label = \"x\"", "line 3: `bad`: it lacks `run`, the words of a program"),
            ("run = [\"true\"]\nfor = \"pod\"", "line 5: `bad`: there is no `pod`; there are container, project"),
            ("run = [\"echo\", \"{nmae}\"]", "line 4: `bad`: `{nmae}` is nothing of `container`; there are id, name"),
            (
                "for = \"image\"\nrun = [\"echo\"]\ndirectory = \"{directory}\"",
                "line 6: `bad`: `{directory}` is nothing of `image`; there are id, name"
            ),
            ("run = [\"true\"]\nshows = \"all\"", "line 5: `bad`: `shows` is to be terminal, output or nothing"),
            ("run = [\"true\"]\nconfirm = \"yes\"", "line 5: `bad`: `confirm` is to be true or false"),
            ("run = [\"true\"]\ncolour = 1", "line 5: `bad`: unknown entry `colour`"),
        ])
    func complaints(entries: String, complaint: String) {
        let file = CommandFile(parsing: "[good]\nrun = [\"true\"]\n[bad]\n\(entries)\n[also]\nrun = [\"true\"]\n")
        #expect(file.complaints.count == 1 && file.complaints[0].hasPrefix(complaint), "\(file.complaints)")
        #expect(file.commands.map(\.name) == ["good", "also"])
    }

    @Test("What is no TOML, and what stands outside of all commands, is told with its line")
    func outside() {
        #expect(CommandFile(parsing: "[a]\nrun = \n").complaints.first?.hasPrefix("line 2: ") == true)
        let file = CommandFile(parsing: "run = [\"true\"]\n[a]\nrun = [\"true\"]")
        #expect(file.complaints == ["line 1: `run` stands in no command: `[NAME]` begins one"])
        #expect(file.commands.map(\.name) == ["a"])
    }
}
