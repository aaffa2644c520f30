import ArgumentParser
import EngineAPI
import Testing

@testable import CLI

@Suite struct OptionTests {
    /// The spec that a `run` command line asks for.
    private func spec(_ words: String) throws -> ContainerSpec {
        let arguments = words.split(separator: " ").map(String.init)
        let command = try #require(try GantryCommand.parseAsRoot(["run"] + arguments) as? RunCommand)
        return try CreateBody(options: command.options, words: command.words, attaches: !command.detach).request().spec
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

    @Test("The image may be an option, and all words are the command then")
    func imageOption() throws {
        let spec = try spec("--image img:1 echo hi")
        #expect(spec.image == "img:1")
        #expect(spec.command == ["echo", "hi"])
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

    @Test("An empty entrypoint takes the image's away")
    func emptyEntrypoint() throws {
        let command = try #require(try GantryCommand.parseAsRoot(["run", "--entrypoint", "", "img"]) as? RunCommand)
        let request = try CreateBody(options: command.options, words: command.words, attaches: true).request()
        #expect(request.spec.entrypoint == [])
    }

    @Test(
        "What is wrong or not offered is refused by its name",
        arguments: [
            ("--bogus img", "unknown flag: --bogus"), ("-m x img", "invalid size: 'x'"),
            ("--no-healthcheck --health-cmd x img", "conflicts"),
            ("--link a img", "--link"), ("-p 80:80/ip img", "invalid proto"), ("-p 1-2:1-3 img", "invalid ranges"),
            ("--cpus lots img", "failed to parse lots"), ("", "an image is required"),
            ("--mount type=bind,oops=1 img", "unexpected key 'oops'"), ("--ulimit nofile img", "invalid ulimit"),
        ])
    func refusals(words: String, message: String) {
        #expect {
            _ = try spec(words)
        } throws: { error in
            (error as? UsageError)?.message.contains(message) ?? false
        }
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
            ("ps --frob", "gantry: Unknown option '--frob'\nUsage: gantry ps "),
            ("logs", "gantry: Missing expected argument '<container>'\nUsage: gantry logs "),
            ("container logs", "gantry: Missing expected argument '<container>'\nUsage: gantry container logs "),
        ])
    func complaints(words: String, beginning: String) throws {
        let arguments = words.split(separator: " ").map(String.init)
        let error = try #require(throws: (any Error).self) { try GantryCommand.parseAsRoot(arguments) }
        let text = UsageText.complaint(about: arguments, parser: GantryCommand.fullMessage(for: error))
        #expect(text.hasPrefix(beginning), "\(text)")
        #expect(text.hasSuffix("\n"))
    }

    @Test("Every command's help can be shown")
    func help() {
        for command in GantryCommand.configuration.subcommands {
            #expect(GantryCommand.helpMessage(for: command).contains("USAGE:"))
        }
    }
}
