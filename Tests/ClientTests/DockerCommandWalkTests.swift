import PeerRegistry
import Testing

/// Every command in the help of docker's command line that is not a swarm's, against a daemon with real containers.
@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"), .serialized,
    .timeLimit(.minutes(10)))
struct DockerCommandWalkTests {
    /// A command, its exit code, and what its output or complaint holds.
    struct Step: Sendable {
        let words: [String]
        let code: Int32
        let holds: [String]
        var input = ""

        init(_ words: String, _ code: Int32 = 0, _ holds: String..., input: String = "") {
            self.words = words.split(separator: " ").map { String($0).replacing("␣", with: " ") }
            self.code = code
            self.holds = holds
            self.input = input
        }
    }

    private func walk(_ steps: [Step], on daemon: RunningDaemon) async throws {
        for step in steps {
            let result = try await daemon.docker(step.words, input: step.input)
            let said = result.output + result.errors
            #expect(result.code == step.code, "docker \(step.words.joined(separator: " ")): \(said)")
            for words in step.holds { #expect(said.contains(words), "docker \(step.words): \(said)") }
        }
    }

    @Test("Containers: every command of `docker container`")
    func containers() async throws {
        let daemon = try await RunningDaemon()
        try await walk(Self.containerSteps, on: daemon)
        try await daemon.end()
    }

    @Test("Images: every command of `docker image`, and building is refused in a clear sentence")
    func images() async throws {
        let daemon = try await RunningDaemon()
        try await walk(Self.imageSteps(daemon.root), on: daemon)
        try await daemon.end()
    }

    @Test("Every tag of a repository goes to a registry and comes back", .disabled(if: RegistryProcess.isMissing))
    func allTags() async throws {
        let registry = try await RegistryProcess()
        let daemon = try await RunningDaemon()
        let name = "\(registry.host)/t/app"
        var steps = ["create --name seed --network none gantry/starter true"].map { Step($0) }
        steps += ["a", "b"].map { Step("tag gantry/starter \(name):\($0)") }
        steps += [
            Step("push -a \(name)", 0, "a: digest: sha256:", "b: digest: sha256:"),
            Step("rmi \(name):a \(name):b", 0, "Untagged: \(name):b"),
            Step("pull -a \(name)", 0, "Downloaded newer image for \(name):a", "Downloaded newer image for \(name):b"),
            Step("images -q \(name):b", 0, "\n"),
            Step("push -a \(name)/none", 1, "does not exist locally with the tag"),
            Step("rm seed"),
        ]
        try await walk(steps, on: daemon)
        try await daemon.end()
        withExtendedLifetime(registry) {}
    }

    @Test("Networks, volumes, system, and what there is not: swarm and plugins")
    func others() async throws {
        let daemon = try await RunningDaemon()
        try await walk(Self.otherSteps(daemon.root), on: daemon)
        try await daemon.end()
    }

    private static let containerSteps: [Step] = [
        Step("run --rm --network none gantry/starter echo hello", 0, "hello\n"),
        Step("run --rm --network none gantry/starter sh -c exit␣7", 7),
        Step("run --rm --network none gantry/starter nosuch", 127, "executable file not found in $PATH"),
        Step("run --rm --network none gantry/starter /etc", 126, "permission denied"),
        Step("run -i --rm --network none gantry/starter cat", 0, "through", input: "through"),
        Step("run --rm --volumes-from nosuch gantry/starter true", 125, "No such container: nosuch"),
        Step(
            "run --rm --gpus all gantry/starter true", 125,
            "could not select device driver \"\" with capabilities: [[gpu]]"),
        Step("run -d --name web -l a=b -p 127.0.0.1::80 gantry/starter sh -c echo␣out;echo␣err␣>&2;exec␣sleep␣1000", 0),
        Step("run -d --name web gantry/starter true", 125, "Conflict. The container name \"/web\" is already in use"),
        Step("ps", 0, "CONTAINER ID   IMAGE", "\"sh -c 'echo out;ech…\"", "->80/tcp", "Up "),
        Step("ps -a --no-trunc", 0, "'echo out;echo err >&2;exec sleep 1000'"),
        Step("ps -q --filter publish=80 --filter expose=70-90/tcp --filter is-task=false --filter volume=/none", 0),
        Step(
            "ps --filter publish=1-65535 --filter expose=80 --filter is-task=false --format {{.Names}}|{{.Labels}}", 0,
            "web|a=b\n"),
        Step("ps --filter status=huh", 1, "invalid filter 'status=huh'"),
        Step("ps --format json", 0, "\"Names\":\"web\""), Step("container ls -l", 0, "web\n"),
        Step("inspect --format {{.State.Status}} web", 0, "running\n"), Step("inspect nosuch", 1, "nosuch"),
        Step("logs web", 0, "out\n", "err\n"), Step("logs --tail 1 --timestamps web", 0, "Z err\n"),
        Step("logs --details web", 0, " out\n"), Step("port web", 0, "80/tcp -> 127.0.0.1:"),
        Step("port web 81", 1, "o public port '81"), Step("top web", 0, "PID", "sleep 1000"),
        Step("top web -o pid,comm", 0, "sleep"), Step("stats --no-stream web", 0, "MEM USAGE / LIMIT", "web "),
        Step("exec web echo in", 0, "in\n"), Step("exec -e A=b -w /tmp web sh -c echo␣$A;pwd", 0, "b\n/tmp\n"),
        Step("exec web sh -c exit␣9", 9), Step("exec web nosuch", 127, "executable file not found"),
        Step("exec -i web cat", 0, "typed", input: "typed"), Step("exec -d web touch /made", 0),
        Step("exec web sh -c until␣[␣-e␣/made␣];do␣:;done", 0), Step("diff web", 0, "A /made"),
        Step("cp web:/etc/passwd -", 0, "root:x:0:0"), Step("cp /etc/hostname web:/named", 0),
        Step("exec web test -s /named", 0), Step("commit -m note web committed:1", 0, "sha256:"),
        Step("rmi committed:1", 0, "Untagged: committed:1"), Step("commit -c ␣ web", 1, "file with no instructions"),
        Step("run -d --name linked --link web:w gantry/starter sleep 1000", 0),
        Step("rm --link linked/w", 0, "linked/w\n"), Step("rm --link linked/w", 1, "No such container: linked/w"),
        Step("rm --link linked", 1, "cannot remove the default link name"), Step("rm -f linked", 0),
        Step("create --name driven --volume-driver nfs gantry/starter true", 0),
        Step("inspect -f {{.HostConfig.VolumeDriver}} driven", 0, "nfs\n"), Step("rm driven", 0),
        Step(
            "create --volume-driver nfs -v vol:/v gantry/starter true", 1,
            "error looking up volume plugin nfs: plugin \"nfs\" not found"),
        Step("create --name mac --mac-address 02:42:ac:11:00:99 gantry/starter true", 0),
        Step(
            "inspect -f {{.Config.MacAddress}}{{.NetworkSettings.Networks.bridge.MacAddress}} mac", 0,
            "02:42:ac:11:00:9902:42:ac:11:00:99\n"),
        Step("rm mac", 0),
        Step("cp web:/nosuch -", 1, "Could not find the file /nosuch"),
        Step("pause web", 0, "web\n"), Step("exec web true", 1, "is paused, unpause the container before exec"),
        Step("pause web", 1, "already paused"), Step("unpause web", 0), Step("unpause web", 1, "is not paused"),
        Step("update --memory 64m --memory-swap 128m --restart on-failure:3 --pids-limit 50 web", 0, "web\n"),
        Step("update -m 1k web", 1, "Minimum memory limit allowed is 6MB"), Step("rename web other", 0),
        Step("rename other web", 0),
        Step("restart -t 0 web", 0), Step("kill -s USR1 web", 0), Step("kill -s HUH web", 1, "nvalid signal: HUH"),
        Step("stop -t 0 web", 0), Step("stop web", 0), Step("start web", 0),
        Step("start nosuch", 1, "No such container"),
        Step("kill web", 0), Step("wait web", 0, "137\n"), Step("kill web", 1, "is not running"),
        Step("exec web true", 1, "is not running"), Step("rm web", 0, "web\n"),
        Step("rm web", 1, "No such container: web"),
        Step("create --name once --network none gantry/starter echo made", 0), Step("start -a once", 0, "made\n"),
        Step("attach once", 1, "You cannot attach to a stopped container"),
        Step("run -d -i --name asked --network none gantry/starter sh -c read␣x;exit␣$x", 0),
        Step("attach asked", 4, input: "4\n"),
        Step("export once", 0, "bin/busybox"), Step("container prune -f", 0, "Deleted Containers:"),
        Step("checkpoint ls nosuch", 1, "experimental features"),
        Step("checkpoint create nosuch x", 1, "experimental features"),
        Step("checkpoint rm nosuch x", 1, "experimental features"),
    ]

    private static func imageSteps(_ folder: String) -> [Step] {
        [
            Step("images", 0, "gantry/starter   latest"), Step("images -a --no-trunc --digests", 0, "sha256:"),
            Step("images --filter reference=gantry/* --format {{.Repository}}", 0, "gantry/starter\n"),
            Step("images --tree", 0, "gantry/starter:latest", "linux/amd64"),
            Step("image inspect --format {{.Os}} gantry/starter", 0, "linux\n"), Step("history gantry/starter", 0),
            Step("image inspect --platform linux/s390x gantry/starter", 1, "does not provide the specified platform"),
            Step("history --platform linux/s390x gantry/starter", 1, "does not provide the specified platform"),
            Step("history --platform linux/amd64 gantry/starter", 0),
            Step("push --platform linux/s390x gantry/starter", 1, "does not provide the specified platform"),
            Step("save -o \(folder)/s.tar gantry/starter", 0), Step("save nosuch -o \(folder)/n.tar", 1, "nosuch"),
            Step("load -i \(folder)/s.tar", 0, "Loaded image: gantry/starter:latest"),
            Step("tag gantry/starter other:2", 0), Step("tag nosuch x", 1, "No such image"),
            Step("rmi other:2", 0, "Untagged: other:2"), Step("rmi nosuch", 1, "No such image"),
            Step("create --name made gantry/starter true", 0), Step("export -o \(folder)/e.tar made", 0),
            Step("rm made", 0),
            Step("import -c CMD␣[\"sh\"] \(folder)/e.tar imported:1", 0, "sha256:"), Step("rmi imported:1", 0),
            Step("import --platform linux/s390x \(folder)/e.tar imported:2", 0, "sha256:"),
            Step("image inspect -f {{.Os}}/{{.Architecture}} imported:2", 0, "linux/s390x\n"),
            Step(
                "save --platform linux/arm -o \(folder)/n.tar imported:2", 1,
                "does not provide the specified platform"),
            Step("save --platform linux/s390x -o \(folder)/p.tar imported:2", 0), Step("rmi imported:2", 0),
            Step(
                "load --platform linux/s390x -i \(folder)/p.tar", 1,
                "the platform `linux/s390x` is not this machine's"),
            Step("load --platform linux/amd64/v4 -i \(folder)/s.tar", 1, "is not this machine's"),
            Step("import --platform linux/386 \(folder)/e.tar old:1", 0, "sha256:"),
            Step("run --rm --network none --platform linux/386 old:1 echo old", 0, "old\n"),
            Step("run --rm --network none --platform linux/386 127.0.0.1:1/none:1 true", 125, "connection refused"),
            Step("create --platform linux/386 --pull never gantry/starter", 1, "does not provide the specified"),
            Step("rmi old:1", 0),
            Step("import --platform a/b/c/d \(folder)/e.tar", 1, "cannot parse platform specifier"),
            Step("image prune -f", 0, "Total reclaimed space"),
            Step("pull 127.0.0.1:1/none:1", 1, "Error response from daemon", "connection refused"),
            Step("push nosuch:1", 1, "does not exist locally with the tag"),
            Step("login -u a -p hunter2 127.0.0.1:1", 1, "connection refused"), Step("logout 127.0.0.1:1", 0),
            Step("search --limit 101 x", 1, "limit 101 is outside the range of [1, 100]"),
            Step("search --filter stars=x x", 1, "invalid filter 'stars=[x]'"),
            Step("build -t x \(folder)/none", 1), Step("builder prune -f", 0, "Total reclaimed space: 0B"),
            Step("build -t x -", 1, "building images is not supported yet by this engine", input: "FROM scratch\n"),
        ]
    }

    private static func otherSteps(_ folder: String) -> [Step] { networkSteps + systemSteps + contextSteps(folder) }

    private static let networkSteps: [Step] = [
        Step("network inspect -f {{index␣.Options␣\"com.docker.network.driver.mtu\"}} bridge", 0, "1500\n"),
        Step("volume create --label x=y vol", 0, "vol\n"), Step("volume ls -q --filter label=x", 0, "vol\n"),
        Step("volume ls --format json", 0, "\"Name\":\"vol\""), Step("volume inspect vol", 0, "\"Driver\": \"local\""),
        Step("volume inspect nosuch", 1, "no such volume"),
        Step("run --rm --network none -v vol:/d gantry/starter sh -c echo␣kept>/d/f", 0),
        Step("run --rm --network none -v vol:/d gantry/starter cat /d/f", 0, "kept\n"),
        Step("volume update vol", 1, "cluster volumes"),
        Step("volume rm vol", 0), Step("volume rm vol", 1, "no such volume"),
        Step("volume prune -f", 0, "Total reclaimed"),
        Step("network create --label l=1 --subnet 10.213.77.0/24 net", 0),
        Step("network create net", 1, "already exists"),
        Step("network ls --filter driver=bridge --format {{.Name}}", 0, "net\n"),
        Step("run -d --name member --network net gantry/starter sleep 1000", 0),
        Step(
            "network inspect net --format {{range␣.Containers}}{{.Name}}␣{{.IPv4Address}}{{end}}", 0,
            "member 10.213.77.2/24"),
        Step("network connect bridge member", 0), Step("network disconnect bridge member", 0),
        Step("network rm net", 1, "has active endpoints"), Step("rm -f member", 0), Step("network rm net", 0),
        Step("network prune -f", 0),
    ]

    private static let systemSteps: [Step] =
        [
            Step("version --format {{.Server.APIVersion}}␣{{.Server.MinAPIVersion}}", 0, "1.51 1.24\n"),
            Step("info", 0, "Server Version: ", "Network: bridge host ipvlan macvlan null", "Swarm: inactive"),
            Step("system df", 0, "Local Volumes"), Step("system df -v", 0, "Images space usage"),
            Step("system info --format {{.Driver}}", 0, "overlay2\n"),
            Step(
                "events --since 10m --until=-1s --filter type=container --filter event=die --format {{.Action}}", 0,
                "die\n"
            ),
            Step("system prune -f", 0, "Total reclaimed space"),
            Step("plugin ls", 0, "ID        NAME"), Step("plugin inspect x", 1, "plugin \"x\" not found"),
            Step("plugin install x", 1, "managed plugins are not supported"),
            Step("plugin upgrade x", 1, "plugin \"x\" not found"),
        ]
        + ["disable x", "enable x", "push x", "rm x", "set x A=b"].map {
            Step("plugin \($0)", 1, "managed plugins are not supported")
        } + swarmSteps

    private static let swarmSteps: [Step] = [
        Step("swarm init", 1, "does not take part in swarms"), Step("swarm leave", 1, "not part of a swarm"),
        Step("node ls", 1, "This node is not a swarm manager"), Step("service ls", 1, "not a swarm manager"),
        Step("stack ls", 1, "not a swarm manager"), Step("secret ls", 1, "not a swarm manager"),
        Step("config ls", 1, "not a swarm manager"),
    ]

    /// The client's own, which a daemon has no part in but that it can be reached by them.
    private static func contextSteps(_ folder: String) -> [Step] {
        [
            Step("context ls", 0, "default"), Step("context show", 0, "default\n"),
            Step("context create made --docker host=unix://\(folder)/run/gantry.sock", 0, "made\n"),
            Step("--context made version --format {{.Server.APIVersion}}", 0, "1.51\n"),
            Step("context update made --description words", 0, "made\n"),
            Step("context inspect made --format {{.Name}}", 0, "made\n"),
            Step("context export made \(folder)/c.tar", 0, "Written file"),
            Step("context import again \(folder)/c.tar", 0, "again\n"), Step("context use again", 0, "again\n"),
            Step("context use default", 0, "default\n"), Step("context rm made again", 0, "made\n"),
            Step("plugin create x \(folder)", 1),
        ]
    }
}

/// That the walk leaves nothing out.
extension DockerCommandWalkTests {
    /// What speaks to registries and keys alone, and to no engine; and what belongs to swarms.
    private static let elsewhere: Set = [
        "manifest", "trust", "swarm", "node", "service", "stack", "secret", "config",
    ]

    @Test("No command of docker's help is left out but swarms', and those that speak to no engine")
    func completeness() async throws {
        let docker = try #require(Tool.find("docker"))
        func help(_ words: [String]) async throws -> [(section: String, name: String)] {
            let result = try await Tool(path: docker, arguments: words + ["--help"]).run()
            return Self.commands(inHelp: result.output)
        }
        let top = try await help([]).filter { !Self.elsewhere.contains($0.name) }
        try #require(top.contains { $0.name == "ps" })
        let groups = top.filter { $0.section == "Management Commands:" }.map(\.name)
        try #require(groups.contains("container"))
        var wanted = Set(top.map(\.name)).subtracting(groups).map { [$0] }
        for group in groups { wanted += try await help([group]).map { [group, $0.name] } }
        let steps = Self.containerSteps + Self.imageSteps("") + Self.otherSteps("")
        let walked = Set(steps.map { Self.plain(Array($0.words.prefix(groups.contains($0.words[0]) ? 2 : 1))) })
        let missing = wanted.filter { !walked.contains(Self.plain($0)) }.map { $0.joined(separator: " ") }
        #expect(missing.isEmpty, "not walked: \(missing)")
    }

    /// The commands of a help text with the section that each is in; plugins, whose names have a star, are other programs.
    private static func commands(inHelp text: String) -> [(section: String, name: String)] {
        var section = ""
        var found: [(section: String, name: String)] = []
        for line in text.split(separator: "\n") {
            if !line.hasPrefix(" ") {
                section = String(line)
            } else if section.hasSuffix("Commands:"), line.hasPrefix("  "), !line.hasPrefix("   "),
                let name = line.split(separator: " ").first, !name.hasSuffix("*")
            {
                found.append((section, String(name)))
            }
        }
        return found
    }

    /// One name for what docker has several for: `ps` is `container ls`.
    private static func plain(_ words: [String]) -> String {
        switch words {
        case ["ps"], ["container", "ls"]: "ps"
        case ["images"], ["image", "ls"]: "images"
        case ["rmi"], ["image", "rm"]: "rmi"
        case ["builder", "build"]: "build"
        case ["image", "inspect"], ["image", "prune"], ["container", "prune"]: words.joined(separator: " ")
        case _ where words.count == 2 && ["container", "image", "system"].contains(words[0]):
            ["df", "prune"].contains(words[1]) ? words.joined(separator: " ") : words[1]
        default: words.joined(separator: " ")
        }
    }
}
