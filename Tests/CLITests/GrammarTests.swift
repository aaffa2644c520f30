import Testing

@testable import CLI

/// Docker's command lines are pflag's; what is expected here is what docker's own command line made of the same words.
@Suite struct GrammarTests {
    private static func words(_ line: String) -> [String] {
        line.split(separator: " ").map { $0 == "''" ? "" : String($0) }
    }

    /// The command that a line names, with what was read into its properties.
    private static func read(_ line: String) throws(UsageError) -> DeclaredCommand {
        var words = words(line)
        let group = GantryCommand.group(words[0])
        if group != nil { words.removeFirst() }
        guard let type = group.map({ $0.command(words[0]) }) ?? GantryCommand.command(words[0]) else {
            throw UsageError(message: "no such command: \(line)")
        }
        let command = DeclaredCommand(type, path: group.map { [$0.name] } ?? [])
        _ = try command.take(Array(words.dropFirst()))
        return command
    }

    @Test(
        "A line is read as it was meant",
        arguments: [
            ("run --rm=true img", "--rm img"), ("run --rm=false img", "--rm=false img"),
            ("run -i=false img", "--interactive=false img"), ("run -i=1 -t=T img", "--interactive --tty img"),
            ("run --rm --rm=false img", "--rm=false img"), ("run -it img", "--interactive --tty img"),
            ("run -itd img", "--detach --interactive --tty img"), ("run --sig-proxy img", "--sig-proxy img"),
            ("run --sig-proxy=false img", "--sig-proxy=false img"), ("commit -p=false c", "--pause=false c"),
            ("run --memory-swap -1 img", "--memory-swap=-1 img"), ("ps -n -1", "--last=-1"),
            ("run --entrypoint -x img", "--entrypoint=-x img"), ("logs -n -1 c", "--tail=-1 c"),
            ("run --entrypoint '' img", "--entrypoint= img"), ("run --entrypoint= img", "--entrypoint= img"),
            ("run --oom-score-adj -500 i", "--oom-score-adj=-500 i"), ("stop -t -1 c", "--timeout=-1 c"),
            ("stop --time 3 c", "--timeout=3 c"), ("run -eA=b img", "--env=A=b img"),
            ("run -ieA=1 img", "--interactive --env=A=1 img"), ("run -e=A=b img", "--env=A=b img"),
            ("run -e -x img", "--env=-x img"), ("exec -eA=5 c env", "--env=A=5 c env"),
            ("run -m64m img", "--memory=64m img"), ("ps -an1", "--all --last=1"),
            ("ps -aqfname=x", "--all --quiet --filter=name=x"), ("run --rm -- img", "--rm img"),
            ("exec -- c cmd", "c cmd"), ("rm -- -x y", "-x y"), ("run -- -x", "-x"),
            ("run img -it --rm", "img -it --rm"), ("run img -- ls", "img -- ls"), ("top c -o pid", "c -o pid"),
            ("logs c -f", "--follow c"), ("rm c --force d", "--force c d"), ("cp - c:/x", "- c:/x"),
            ("container list -aq", "--all --quiet"), ("run -h name img", "--hostname=name img"),
            ("network create -d bridge --internal=1 n", "--driver=bridge --internal n"),
            ("container create -v /a:/b img -v x", "--volume=/a:/b img -v x"),
            ("run -e A=1 -e B=2 img", "--env=A=1 --env=B=2 img"), ("tag a b", "a b"), ("commit c", "c"),
            ("daemon -H unix:///x", "--host=unix:///x"), ("daemon -Hunix:///x", "--host=unix:///x"),
        ])
    func forms(line: String, form: String) throws {
        let command = try Self.read(line)
        let flags = command.flags.flatMap { declared in
            declared.slot.texts.map { text in
                let isSet = declared.kind == nil && text == "true"
                return "--\(declared.flag.name)" + (isSet ? "" : "=\(text)")
            }
        }
        #expect((flags + command.words.flatMap(\.slot.texts)).joined(separator: " ") == form)
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
            (
                "stop -t soon c",
                "invalid argument \"soon\" for \"-t, --timeout\" flag: strconv.ParseInt: parsing \"soon\": invalid syntax"
            ),
            (
                "run --pull=foo img",
                "invalid argument \"foo\" for \"--pull\" flag: must be one of \"missing\", \"always\" or \"never\""
            ),
        ])
    func refusals(line: String, message: String) {
        #expect {
            _ = try CommandLineReading(Self.words(line))
        } throws: { error in
            guard let error = error as? UsageError else { return false }
            return error.code == 125 && error.message.hasPrefix(message + "\nSee 'gantry ")
        }
    }

    private static func command<Wanted: Command>(_ line: [String], as type: Wanted.Type) throws -> Wanted {
        guard case .command(let command) = try CommandLineReading(line), let wanted = command as? Wanted else {
            throw UsageError(message: "another command: \(line)")
        }
        return wanted
    }

    @Test("The properties of a command have what its line says, and their standard values where it says nothing")
    func properties() throws {
        let run = try Self.command(
            ["run", "--memory-swap", "-1", "--entrypoint", "", "-eA=b", "--", "img", "--rm", "--"], as: RunCommand.self)
        #expect(run.options.limits.memorySwap == "-1" && run.options.entrypoint == "" && run.options.env == ["A=b"])
        #expect(!run.options.rm && run.words == ["img", "--rm", "--"])
        #expect(run.options.sigProxy && run.options.pull == .missing && run.options.name == nil)
        let quiet = try Self.command(["start", "--sig-proxy=false", "c"], as: StartCommand.self)
        #expect(!quiet.sigProxy && quiet.containers == ["c"])
        let kill = try Self.command(["kill", "a", "b"], as: KillCommand.self)
        #expect(kill.signal == "KILL" && kill.containers == ["a", "b"])
        let commit = try Self.command(["container", "commit", "c", "n"], as: CommitCommand.self)
        #expect(commit.pause && commit.container == "c" && commit.name == "n" && commit.change == [])
        let stop = try Self.command(["stop", "-t", "7", "--time=9", "c"], as: StopCommand.self)
        #expect(stop.options.timeout == 9 && stop.options.signal == nil)
    }

    @Test("Commands that are made at the same time do not take each other's declarations")
    func concurrent() async throws {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<64 {
                group.addTask { try Self.command(["rm", "-f", "c\(number)"], as: RemoveCommand.self).containers }
            }
            var found: Set<String> = []
            for try await containers in group { found.formUnion(containers) }
            #expect(found.count == 64)
        }
    }

    private static var all: [DeclaredCommand] {
        GantryCommand.sections.flatMap { $0.commands.map { DeclaredCommand($0) } }
            + GantryCommand.groups.flatMap { group in
                group.commands.map { DeclaredCommand($0, path: [group.name]) }
            }
    }

    @Test("No command has two flags of one name, and words after which nothing can follow come last")
    func declarations() {
        for command in Self.all {
            let names = command.flags.flatMap(\.flag.names)
            #expect(Set(names).count == names.count, "\(command.name): \(names)")
            #expect(names.allSatisfy { !$0.isEmpty && !$0.hasPrefix("-") }, "\(command.name)")
            #expect(command.flags.allSatisfy { $0.flag.names.contains { $0.count > 1 } }, "\(command.name)")
            #expect(command.words.dropLast().allSatisfy { $0.maximum != nil }, "\(command.name)")
        }
    }

    @Test(
        "Help is asked for anywhere before what a container is handed, of every command in the same way",
        arguments: [
            ("rm --help", "gantry rm [OPTIONS] CONTAINER [CONTAINER...]"),
            ("run --help img", "gantry run [OPTIONS] IMAGE [COMMAND] [ARG...]"),
            ("run -it --help", "gantry run [OPTIONS] IMAGE"),
            ("exec --help", "gantry exec [OPTIONS] CONTAINER COMMAND"),
            ("top -h", "gantry top CONTAINER [ps OPTIONS]"), ("ps c --help --bogus", "gantry ps [OPTIONS]\n"),
            ("container run --help", "gantry container run [OPTIONS] IMAGE"),
            ("help run", "gantry run [OPTIONS] IMAGE"),
            (
                "cp --help",
                "gantry cp [OPTIONS] CONTAINER:PATH DEST|-\n        gantry cp [OPTIONS] SOURCE|- CONTAINER:PATH"
            ),
            ("--help", "gantry [OPTIONS] COMMAND"), ("help", "gantry [OPTIONS] COMMAND"),
            ("container", "gantry container COMMAND"), ("network --help", "gantry network COMMAND"),
            ("commit --help", "gantry commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]"),
        ])
    func help(line: String, usage: String) throws {
        guard case .help(let text) = try CommandLineReading(Self.words(line)) else {
            Issue.record("no help: \(line)")
            return
        }
        #expect(text.hasPrefix("Usage:  " + usage), "\(text)")
        #expect(text.hasSuffix("\n"))
    }

    @Test("A command's help tells each flag with its value, and what holds without it")
    func helpLines() throws {
        let run = HelpText.of(try Self.read("run img"))
        #expect(run.contains("  -e, --env list "), "\(run)")
        #expect(run.contains("      --sig-proxy ") && run.contains("Pass signals on to the process. (default true)"))
        #expect(run.contains("(default \"missing\")") && run.contains("\nLimits:\n  -m, --memory string "))
        #expect(!run.contains("--gpus"), "what is refused is not offered")
    }

    @Test("The scripts that complete know every command, its flags, and what the shell has to pass over")
    func completions() {
        for script in CompletionScript.allCases {
            for command in Self.all where command.configuration.isShown {
                let path = command.name.dropFirst("gantry ".count)
                let name = script == .fish ? "-a \(command.configuration.name) " : "'\(path)') words="
                #expect(script.text.contains(name), "\(script.rawValue): \(path)")
            }
        }
        #expect(CompletionScript.bash.text.contains("--root"))
        #expect(CompletionScript.fish.text.contains("-l detach -s d -d 'Run in the background"))
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
