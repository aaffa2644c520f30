import EngineAPI
import Glibc
import Testing

@testable import CLI

@Suite struct OptionTests {
    /// The spec that a `run` command line asks for.
    private func spec(_ words: String) throws -> ContainerSpec {
        let arguments = words.split(separator: " ").map(String.init)
        let command = try run(arguments)
        return try CreateBody(options: command.options, words: command.words, attaches: !command.detach).request().spec
    }

    private func run(_ arguments: [String]) throws -> RunCommand {
        guard case .command(let command) = try CommandLineReading(["run"] + arguments) else {
            throw UsageError(message: "help was asked for")
        }
        return try #require(command as? RunCommand)
    }

    @Test(
        "Words after the image belong to the container",
        arguments: [
            ("img", [String]()), ("img sh -c ls", ["sh", "-c", "ls"]), ("-it img -it", ["-it"]),
            ("--rm img --rm --name x", ["--rm", "--name", "x"]), ("img -- ls", ["--", "ls"]),
        ])
    func passthrough(words: String, command: [String]) throws {
        let spec = try spec(words)
        #expect(spec.image == "img")
        #expect(spec.command ?? [] == command)
    }

    @Test("Short flags may be joined, as docker's users type them", arguments: ["-it", "-ti", "-i -t", "-itd", "-dit"])
    func joinedFlags(flags: String) throws {
        let spec = try spec(flags + " img")
        #expect(spec.tty && spec.openStdin)
        #expect(spec.stdinOnce == !flags.contains("d"))
    }

    @Test("Limits are read with docker's units")
    func limits() throws {
        let spec = try spec("-m64m --memory-swap 1g --cpus 1.5 --pids-limit 100 --cpuset-cpus 0-1 img")
        #expect(spec.limits.memoryBytes == 64 << 20)
        #expect(spec.limits.memorySwapBytes == 1 << 30)
        #expect(spec.limits.nanoCPUs == 1_500_000_000)
        #expect(spec.limits.pids == 100)
        #expect(spec.limits.cpusetCPUs == "0-1")
    }

    @Test("Environment, labels, mounts and capabilities reach the spec")
    func details() throws {
        let spec = try spec(
            "-e A=b -e EMPTY= -l k=v -v /src:/dst:ro --mount type=tmpfs,target=/t,tmpfs-size=1m --tmpfs /u:size=1m "
                + "--cap-add NET_ADMIN --cap-drop ALL --read-only --ulimit nofile=10:20 --network host -u 1:2 -w /x img"
        )
        #expect(spec.environment == ["A=b", "EMPTY="])
        #expect(spec.labels == ["k": "v"])
        #expect(spec.mounts.map(\.target).sorted() == ["/dst", "/t", "/u"])
        #expect(spec.mounts.first { $0.target == "/dst" }?.readOnly == true)
        #expect(spec.addedCapabilities == ["NET_ADMIN"] && spec.droppedCapabilities == ["ALL"])
        #expect(spec.readOnlyRoot && spec.networkMode == .host)
        #expect(spec.ulimits == [Ulimit(name: "nofile", soft: 10, hard: 20)])
        #expect(spec.user == "1:2" && spec.workingDirectory == "/x")
    }

    @Test("Restart, health, sharing and devices are read as docker's CLI reads them")
    func moreOptions() throws {
        let spec = try spec(
            "--restart on-failure:3 --health-cmd ok --health-interval 1m30s --health-retries 2 --init --pid host "
                + "--uts host --ipc none --device /dev/a:/dev/b:r --device /dev/c --security-opt no-new-privileges "
                + "--blkio-weight 20 --device-read-bps /dev/sda:1mb --runtime crun --annotation k=v "
                + "--security-opt systempaths=unconfined img")
        #expect(spec.restartPolicy == RestartPolicy(.onFailure, maximumRetries: 3))
        #expect(spec.healthCheck?.test == ["CMD-SHELL", "ok"] && spec.healthCheck?.interval == .seconds(90))
        #expect(spec.healthCheck?.retries == 2 && spec.usesInit && spec.runtime == "crun")
        #expect(spec.pidMode == .host && spec.utsMode == .host && spec.ipcMode == .absent)
        #expect(
            spec.devices == [
                DeviceSpec(hostPath: "/dev/a", containerPath: "/dev/b", permissions: "r"),
                DeviceSpec(hostPath: "/dev/c", containerPath: "/dev/c"),
            ])
        #expect(spec.limits.blockIOWeight == 20)
        #expect(spec.limits.blockIOReadBytesPerSecond == [DeviceRate(path: "/dev/sda", rate: 1 << 20)])
        #expect(spec.annotations == ["k": "v"] && spec.maskedPaths == [] && spec.readonlyPaths == [])
    }

    @Test(
        "What no engine here can do is refused in docker's words",
        arguments: [
            ("--gpus all", "could not select device driver \"\" with capabilities: [[gpu]]"),
            ("--gpus \"capabilities=compute\",driver=x", "driver \"x\" with capabilities: [[compute gpu]]"),
            ("--storage-opt size=1G", "is supported only for overlay over xfs with 'pquota' mount option"),
        ])
    func impossible(words: String, message: String) throws {
        let error = #expect(throws: EngineError.self) { try spec(words + " img") }
        #expect(error?.kind == .unsupported && error?.message.hasSuffix(message) == true, "\(error?.message ?? "")")
    }

    @Test("An empty entrypoint takes the image's away")
    func emptyEntrypoint() throws {
        let command = try run(["--entrypoint", "", "img"])
        let request = try CreateBody(options: command.options, words: command.words, attaches: true).request()
        #expect(request.spec.entrypoint == [""])
    }

    @Test(
        "What is wrong or not offered is refused by its name",
        arguments: [
            ("--bogus img", "unknown flag: --bogus"), ("--gpus few img", "count (few) must be an integer or 'all'"),
            ("--gpus oops=1 img", "unexpected key 'oops' in 'oops=1'"), ("-m x img", "invalid size: 'x'"),
            ("--no-healthcheck --health-cmd x img", "conflicts"),
            ("--link a:b:c img", "bad format for links: a:b:c"), ("-p 80:80/ip img", "invalid proto"),
            ("-p 1-2:1-3 img", "invalid ranges"),
            ("--cpus lots img", "failed to parse lots as a rational number"),
            ("--cpus 1e-10 img", "value is too precise"), ("", "\"gantry run\" requires at least 1 argument."),
            ("--security-opt foo img", "Invalid --security-opt: \"foo\""),
            ("--health-interval 1 img", "flag: time: missing unit in duration \"1\""),
            ("--health-interval x img", "flag: time: invalid duration \"x\""),
            ("--rm --restart always img", "conflicting options: cannot specify both --restart and --rm"),
            ("--mount type=bind,oops=1 img", "unexpected key 'oops' in 'oops=1'"),
            ("--mount type=bind,src=/a,dst=/x,readonly=foo img", "--mount\" flag: invalid value for readonly: foo"),
            ("--mount type=tmpfs,dst=/x,tmpfs-mode=zz img", "invalid value for tmpfs-mode: zz"),
            ("--mount type=volume,dst=/x,volume-nocopy=foo img", "invalid value for volume-nocopy: foo"),
            (
                "--mount type=tmpfs,dst=/x,volume-nocopy=true img",
                "cannot mix 'volume-*' options with mount type 'tmpfs'"
            ),
            ("--mount src=/a,dst=/x,bind-propagation=rslave img", "'bind-*' options with mount type 'volume'"),
            ("--mount type=bind,src=/tmp img", "target is required"),
            ("--mount type=bind,src=/a,dst=/x,oops img", "invalid field 'oops' must be a key=value pair"),
            ("-a foo img", "valid streams are STDIN, STDOUT and STDERR"),
            ("-e =x img", "invalid environment variable: =x"),
            ("--dns foo img", "IP address is not correctly formatted: foo"),
            ("-l =x img", "invalid label '=x': empty name"),
            ("--add-host a:b img", "invalid IP address in add-host: \"b\""),
            ("--add-host a img", "bad format for add-host"),
            ("-p localhost:80:80 img", "invalid IP address: localhost"),
            ("-p 256.1.1.1:80:80 img", "invalid IP address"),
            ("--expose 8080:80 img", "invalid port format for --expose: 8080:80"),
            ("--network none --network-alias a img", "only supported for user-defined networks"),
            ("--network-alias a img", "only supported for user-defined networks"),
            ("--network x --network x img", "network \"x\" is specified multiple times"),
            ("--network x --network host img", "cannot attach both user-defined and non-user-defined"),
            ("--network name=x,oops=1 img", "--network\" flag: invalid field key oops"),
            ("--ulimit nofile img", "invalid ulimit"),
        ])
    func refusals(words: String, message: String) {
        #expect {
            _ = try spec(words)
        } throws: { error in
            (error as? UsageError)?.message.contains(message) ?? false
        }
    }

    @Test("Mounts, ports, limits and networks that docker takes are taken")
    func taken() throws {
        let spec = try spec(
            "--mount type=bind,source=./data,target=/a,ro --mount type=bind,\"src=/x,y\",dst=/b,consistency=cached "
                + "-v ./new:/c -v .hidden:/d:ro -p ::1:80:80 -p [::1]:81:81 --cpus 1/2 --isolation default "
                + "--volume-driver local --disable-content-trust -q --network name=net,driver-opt=a=b,alias=c "
                + "--add-host h:host-gateway --add-host=v6=[::1] img")
        let here = try WorkingDirectory.path()
        #expect(spec.mounts.first { $0.target == "/a" }?.source == "\(here)/data")
        #expect(spec.mounts.first { $0.target == "/a" }?.readOnly == true)
        #expect(spec.mounts.first { $0.target == "/b" }?.source == "/x,y")
        #expect(spec.mounts.first { $0.target == "/c" }?.source == "\(here)/new", "it need not be there")
        #expect(spec.mounts.first { $0.target == "/d" }?.source == "\(here)/.hidden")
        #expect(spec.portBindings.map(\.hostAddress) == ["::1", "::1"] && spec.limits.nanoCPUs == 500_000_000)
        #expect(spec.networks["net"]?.options == ["a": "b"] && spec.networks["net"]?.aliases == ["c"])
    }

    @Test("A file of variables may come from another system, and says nothing that docker's would not")
    func environmentFile() throws {
        func lines(_ text: String) throws -> [String] { try KeyValueFile.lines(Array(text.utf8), of: "f") }
        #expect(try lines("X=1\r\nY=2\r\nZ=3\r\n") == ["X=1", "Y=2", "Z=3"])
        #expect(try lines("\u{FEFF}A= b \n\n  # no\n\tB\nC==\n") == ["A= b ", "B", "C=="])
        for (text, reason) in [
            ("a b=1", "variable 'a b' contains whitespaces"), ("=1", "no variable name on line '=1'"),
        ] {
            let error = try #require(throws: UsageError.self) { try lines(text) }
            #expect(error.message == "invalid env file (f): \(reason)" && error.code == 125)
        }
        #expect(throws: UsageError.self) { try KeyValueFile.lines([97, 255, 61, 49], of: "f") }
    }

    @Test("A variable without a value is ours; where we have none, the engine is told to take the image's away")
    func passedVariables() throws {
        setenv("GANTRY_OPTION_TEST", "ours", 1)
        defer { unsetenv("GANTRY_OPTION_TEST") }
        #expect(
            try spec("-e GANTRY_OPTION_TEST -e GANTRY_NOT_SET -e A=b img").environment
                == ["GANTRY_OPTION_TEST=ours", "GANTRY_NOT_SET", "A=b"])
    }

    @Test("Only the streams that are named are attached to")
    func attachedStreams() throws {
        let spec = try spec("-i -a stdout img")
        #expect(spec.openStdin && !spec.stdinOnce && !spec.attachStdin && spec.attachStdout && !spec.attachStderr)
    }

    @Test("Global options end at the command")
    func globalOptions() throws {
        let (options, rest) = try GlobalOptions.split(["--root", "/r", "--theme=light", "run", "--root", "x"])
        #expect(options.root == "/r" && options.theme == "light")
        #expect(rest == ["run", "--root", "x"])
        #expect(throws: GlobalOptions.Failure(message: "unknown flag: --what")) { try GlobalOptions.split(["--what"]) }
        #expect(throws: GlobalOptions.Failure(message: "flag needs an argument: --root")) {
            try GlobalOptions.split(["--root"])
        }
    }

    @Test(
        "A command line that makes no sense is told what is wrong, and where to look",
        arguments: [
            ("frob", "gantry: 'frob' is not a gantry command.\nSee 'gantry --help'.\n"),
            ("network frob x", "gantry: 'network frob' is not a gantry command.\nSee 'gantry network --help'.\n"),
            ("compose up", "gantry: 'compose' is not a gantry command: docker-compose drives Gantry, "),
            (
                "create --stop-timeout foo x",
                "gantry: invalid argument \"foo\" for \"--stop-timeout\" flag: strconv.ParseInt: parsing \"foo\": "
            ),
            (
                "logs",
                "\"gantry logs\" requires exactly 1 argument.\nSee 'gantry logs --help'.\n\nUsage:  gantry logs [OPTIONS] "
            ),
            ("container logs", "\"gantry container logs\" requires exactly 1 argument.\nSee 'gantry container logs "),
            ("logs a b", "\"gantry logs\" requires exactly 1 argument."),
            ("ps x", "\"gantry ps\" accepts no arguments."),
            ("rm", "\"gantry rm\" requires at least 1 argument."),
            ("commit", "\"gantry commit\" requires at least 1 and at most 2 arguments."),
            ("login a b", "\"gantry login\" requires at most 1 argument."),
            ("tag a", "\"gantry tag\" requires exactly 2 arguments."),
        ])
    func complaints(words: String, beginning: String) throws {
        let arguments = words.split(separator: " ").map(String.init)
        let error = try #require(throws: UsageError.self) { try CommandLineReading(arguments) }
        #expect(error.line.hasPrefix(beginning), "\(error.line)")
        #expect(error.code == (beginning.contains("invalid argument") ? 125 : 1))
        #expect(error.line.hasSuffix("\n"))
    }
}
