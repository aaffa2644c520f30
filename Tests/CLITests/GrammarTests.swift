import ArgumentParser
import JSON
import Testing

@testable import CLI

/// Docker's command lines are pflag's; what is expected here is what docker's own command line made of the same words.
@Suite struct GrammarTests {
    private static func words(_ line: String) -> [String] {
        line.split(separator: " ").map { $0 == "''" ? "" : String($0) }
    }

    @Test(
        "A line is brought into the form that can only be read as it was meant",
        arguments: [
            ("run --rm=true img", "run --rm img"), ("run --rm=false img", "run img"), ("run -i=false img", "run img"),
            ("run -i=1 -t=T img", "run --interactive --tty img"), ("run --rm --rm=false img", "run img"),
            ("run -it img", "run --interactive --tty img"), ("run -itd img", "run --detach --interactive --tty img"),
            ("run --sig-proxy img", "run --sig-proxy img"), ("run --sig-proxy=false img", "run --no-sig-proxy img"),
            ("commit -p=false c", "commit --no-pause c"), ("start --sig-proxy c", "start --sig-proxy c"),
            ("run --memory-swap -1 img", "run --memory-swap=-1 img"), ("ps -n -1", "ps --last=-1"),
            ("run --entrypoint -x img", "run --entrypoint=-x img"), ("logs -n -1 c", "logs --tail=-1 c"),
            ("run --entrypoint '' img", "run --entrypoint '' img"),
            ("run --entrypoint= img", "run --entrypoint '' img"),
            ("run --oom-score-adj -500 i", "run --oom-score-adj=-500 i"),
            ("stop -t -1 c", "stop --timeout=-1 c"), ("stop --time 3 c", "stop --timeout=3 c"),
            ("run -eA=b img", "run --env=A=b img"), ("run -ieA=1 img", "run --env=A=1 --interactive img"),
            ("run -e=A=b img", "run --env=A=b img"), ("run -e -x img", "run --env=-x img"),
            ("exec -eA=5 c env", "exec --env=A=5 c env"), ("run -m64m img", "run --memory=64m img"),
            ("ps -an1", "ps --last=1 --all"), ("ps -aqfname=x", "ps --filter=name=x --all --quiet"),
            ("run --rm -- img", "run --rm img"), ("exec -- c cmd", "exec c cmd"), ("rm -- -x y", "rm -- -x y"),
            ("run -- -x", "run -- -x"), ("run img -it --rm", "run -- img -it --rm"),
            ("run img -- ls", "run -- img -- ls"), ("top c -o pid", "top -- c -o pid"),
            ("logs c -f", "logs --follow c"), ("rm c --force d", "rm --force c d"), ("cp - c:/x", "cp - c:/x"),
            ("container list -aq", "container list --all --quiet"), ("rm -h", "rm --help"),
            ("run -h name img", "run --hostname=name img"), ("ps c --help --bogus", "ps --help"),
            ("network create -d bridge --internal=1 n", "network create --driver=bridge --internal n"),
            ("container create -v /a:/b img -v x", "container create --volume=/a:/b -- img -v x"),
            ("daemon -H unix:///x", "daemon --host=unix:///x"), ("daemon -Hunix:///x", "daemon --host=unix:///x"),
            ("frob --x", "frob --x"), ("container", "container"), ("help run", "help run"), ("--help", "--help"),
        ])
    func forms(line: String, form: String) throws {
        #expect(try CommandLineForm(Self.words(line)).words == Self.words(form))
    }

    @Test(
        "What pflag refuses is refused in its words, with 125",
        arguments: [
            ("ps --bogus", "unknown flag: --bogus"), ("ps -x", "unknown shorthand flag: 'x' in -x"),
            ("ps -aqx", "unknown shorthand flag: 'x' in -aqx"), ("run -n=3 img", "unknown shorthand flag: 'n' in -n=3"),
            ("run --name", "flag needs an argument: --name"), ("run -e", "flag needs an argument: 'e' in -e"),
            ("ps --=x", "bad flag syntax: --=x"), ("ps ---x", "bad flag syntax: ---x"),
            (
                "run --rm=foo img",
                "invalid argument \"foo\" for \"--rm\" flag: strconv.ParseBool: parsing \"foo\": invalid syntax"
            ),
            (
                "run -i=foo img",
                "invalid argument \"foo\" for \"-i, --interactive\" flag: strconv.ParseBool: parsing \"foo\": invalid syntax"
            ),
        ])
    func refusals(line: String, message: String) {
        #expect {
            _ = try CommandLineForm(Self.words(line))
        } throws: { error in
            guard let error = error as? UsageError else { return false }
            return error.code == 125 && error.message.hasPrefix(message + "\nSee 'gantry ")
        }
    }

    @Test("The form is what the parser reads: values that look like flags, empty ones, and what a container is handed")
    func parsed() throws {
        let run = try #require(
            try GantryCommand.command(
                for: ["run", "--memory-swap", "-1", "--entrypoint", "", "-eA=b", "--", "img", "--rm", "--"])
                as? RunCommand)
        #expect(run.options.limits.memorySwap == "-1" && run.options.entrypoint == "" && run.options.env == ["A=b"])
        #expect(!run.options.rm && CommandLineForm.unmarked(run.words) == ["img", "--rm", "--"])
        let quiet = try #require(try GantryCommand.command(for: ["start", "--sig-proxy=false", "c"]) as? StartCommand)
        #expect(!quiet.sigProxy && quiet.containers == ["c"])
        let proxied = try #require(try GantryCommand.command(for: ["start", "--sig-proxy", "c"]) as? StartCommand)
        #expect(proxied.sigProxy && proxied.containers == ["c"])
        let removal = try #require(try GantryCommand.command(for: ["rm", "-f", "--", "-x", "y"]) as? RemoveCommand)
        #expect(removal.force && removal.containers == ["-x", "y"])
        let daemon = try #require(try GantryCommand.command(for: ["daemon", "-H", "unix:///x"]) as? DaemonCommand)
        #expect(daemon.host == ["unix:///x"])
    }

    private static func leaves(
        _ commands: [any ParsableCommand.Type], below path: [String] = []
    ) -> [(path: [String], command: any ParsableCommand.Type)] {
        commands.flatMap { command in
            let own = path + [command.configuration.commandName ?? ""]
            let further = command.configuration.subcommands
            return further.isEmpty ? [(own, command)] : leaves(further, below: own)
        }
    }

    @Test("Every command's table has the flags that the argument parser has, with their values")
    func tables() throws {
        for (path, command) in Self.leaves(GantryCommand.configuration.subcommands) {
            let dump = try JSONValue(parsing: command._dumpHelp())
            var expected: Set<FlagTable.Flag> = []
            for argument in dump["command"]?["arguments"]?.array ?? [] where argument["kind"]?.string != "positional" {
                let names = (argument["names"]?.array ?? []).compactMap { $0["name"]?.string }.sorted()
                guard names.last != "help", names != ["h", "help"] else { continue }
                expected.insert(FlagTable.Flag(names: names, takesValue: argument["kind"]?.string == "option"))
            }
            let table = CommandFlags.table(of: path)
            let told = Set(table.flags.map { FlagTable.Flag(names: $0.names.sorted(), takesValue: $0.takesValue) })
            #expect(told == expected, "\(path): \(told.symmetricDifference(expected))")
        }
    }

    @Test(
        "Help is asked for anywhere before what a container is handed, of every command in the same way",
        arguments: ["rm --help", "run --help img", "run -it --help", "exec --help", "top -h", "container run --help"])
    func help(line: String) {
        #expect { try GantryCommand.command(for: Self.words(line)) } throws: { error in
            GantryCommand.exitCode(for: error) == .success
                && GantryCommand.fullMessage(for: error).contains("USAGE: gantry ")
        }
    }

    @Test("The options before the command are read by the same rules")
    func globalOptions() throws {
        let (options, rest) = try GlobalOptions.split(["-Htcp://a:1", "--tls=1", "--debug", "run", "-H", "x"])
        #expect(options.host == "tcp://a:1" && options.tls.isWanted && options.logLevel == "debug")
        #expect(rest == ["run", "-H", "x"])
        #expect(try GlobalOptions.split(["-D=false", "--", "ps"]).rest == ["ps"])
        #expect(try GlobalOptions.split(["--help"]).options.showsHelp)
    }

    @Test(
        "Comma-separated values are read as Go reads them",
        arguments: [
            ("a,b", ["a", "b"]), ("type=bind,\"src=/a,b\",dst=/x", ["type=bind", "src=/a,b", "dst=/x"]),
            ("\"a\"\"b\"", ["a\"b"]), ("a,", ["a", ""]), (",", ["", ""]),
        ])
    func commaSeparated(line: String, fields: [String]) throws { #expect(try CommaSeparated.fields(line) == fields) }

    @Test("Values that are no line of them are refused", arguments: ["", "\"a", "\"a\"b", "a\"b"])
    func noCommaSeparated(line: String) {
        #expect(throws: CommaSeparated.Failure.self) { try CommaSeparated.fields(line) }
    }
}
