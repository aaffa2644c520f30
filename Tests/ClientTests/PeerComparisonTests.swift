import Foundation
import PeerEngines
import Testing

/// The same commands of docker's command line on our daemon and on docker's own: what a user or a script sees is the same.
@Suite(
    .enabled(if: RunningDaemon.missing == nil, "not there: \(RunningDaemon.missing ?? "")"),
    .enabled(if: Dockerd.missing == nil, "not installed: \(Dockerd.missing ?? "")"), .serialized,
    .timeLimit(.minutes(10)))
struct PeerComparisonTests {
    /// One after the other on both sides; exit code and standard output are compared.
    private static let commands: [[String]] = {
        let run = ["run", "--rm", "--network", "none"]
        let image = "gantry/starter"
        return [
            run + [image, "echo", "hello"], run + [image, "sh", "-c", "exit 7"],
            [
                "events", "--since", "10m", "--until=-1s", "--filter", "type=network", "--filter", "event=connect",
                "--format", "{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}",
            ],
            run + [image, "nosuch"], run + [image, "/etc"],
            run + ["-e", "A=b", "-w", "/tmp", "-u", "0:5", image, "sh", "-c", "echo $A; pwd; id -g"],
            run + ["-h", "name", image, "hostname"], run + ["--read-only", image, "touch", "/x"],
            run + ["--entrypoint", "/bin/echo", image, "a"],
            run + ["--entrypoint", "", image], run + ["--read-only", image, "sh", "-c", "echo x >/etc/hosts"],
            run + ["--mount", "type=bind,src=/tmp,dst=/m,bind-nonrecursive", image, "true"],
            run + ["--tmpfs", "/t:size=1m", image, "df", "/t"],
            run + ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", image, "grep", "CapEff", "/proc/self/status"],
            run + [image, ""], run + ["--security-opt", "label=level:s0", image, "true"],
            run + ["--blkio-weight", "100", image, "true"],
            run + ["--security-opt", "no-new-privileges", image, "grep", "NoNewPrivs", "/proc/self/status"],
            run + ["--ulimit", "nofile=99:99", image, "sh", "-c", "ulimit -n"],
            run + ["--shm-size", "1m", image, "df", "/dev/shm"], run + ["--group-add", "99", image, "id"],
            run + ["-m", "1m", image, "true"], run + ["--cpus", "999", image, "true"],
            run + ["-v", "/nosuch/../x:/y:bad", image, "true"], run + ["-v", "v:/m:rw,ro", image, "true"],
            run + ["--mount", "type=volume,dst=/m,readonly", image, "true"],
            run + ["--tmpfs", "/t:foo", image, "true"],
            run + ["--mount", "type=foo,dst=/m", image, "true"], run + ["--ip", "10.1.2.3", image, "true"],
            run + [image, "readlink", "/etc/mtab"], run + ["--link", "nosuch:x", image, "true"],
            run + ["-v", "/tmp:/m:rshared", image, "true"],
            [
                "run", "-d", "--name", "web", "-l", "a=b", "--network", "none", image, "sh", "-c",
                "echo out; exec sleep 1000",
            ],
            [
                "ps", "--format",
                "{{.Names}}|{{.Image}}|{{.Command}}|{{.State}}|{{.Labels}}|{{.Mounts}}|{{.Networks}}|{{.Ports}}",
            ],
            [
                "inspect", "-f",
                "{{with .NetworkSettings.Networks.none}}{{.NetworkID | len}} {{.EndpointID | len}}{{end}}", "web",
            ],
            ["ps", "-q", "--filter", "name=none"], ["ps", "--filter", "status=huh"], ["logs", "web"],
            ["logs", "--details", "web"], ["port", "web"], ["top", "web", "-o", "comm"],
            ["inspect", "-f", "{{.Path}} {{.Args}} {{.State.Status}} {{.Name}} {{.HostConfig.NetworkMode}}", "web"],
            [
                "inspect", "-f", "{{json .Config.Env}} {{json .Config.Labels}} {{.HostConfig.RestartPolicy.Name}}",
                "web",
            ],
            ["network", "inspect", "-f", "{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}", "none"],
            ["kill", "nosuch"], ["network", "ls", "-f", "type=foo"],
            ["network", "create", "bridge"], ["diff", "web"], ["cp", "web:/nosuch", "-"],
            ["exec", "web", "echo", "in"], ["exec", "web", "sh", "-c", "exit 9"],
            ["exec", "-e", "A=b", "web", "sh", "-c", "echo $A"],
            ["exec", "-d", "web", "touch", "/made"], ["exec", "web", "sh", "-c", "until [ -e /made ]; do :; done"],
            [
                "create", "--name", "rich", "--network", "none", "--log-opt", "max-size=10m", "-v", "rv:/d", "--tmpfs",
                "/t:size=1m", "-m", "32m",
                image, "true",
            ],
            [
                "inspect", "-f",
                "{{json .HostConfig.Binds}} {{json .HostConfig.Tmpfs}} {{json .HostConfig.Mounts}} "
                    + "{{.HostConfig.ShmSize}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} "
                    + "{{json .HostConfig.ReadonlyPaths}} {{json .HostConfig.GroupAdd}} {{.GraphDriver.Name}}",
                "rich",
            ],
            [
                "inspect", "-f", "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Mode}} {{.RW}}{{end}}",
                "rich",
            ],
            [
                "inspect", "-s", "-f",
                "{{.SizeRw}} {{.Config.WorkingDir}} {{.HostConfig.SecurityOpt}} {{.HostConfig.LogConfig}}", "rich",
            ],
            ["rm", "rich"], ["volume", "rm", "rv"],
            ["pause", "web"], ["ps", "--filter", "status=paused", "--format", "{{.Names}}"], ["pause", "web"],
            ["unpause", "web"],
            ["unpause", "web"], ["update", "--memory", "64m", "--memory-swap", "128m", "web"],
            ["inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}", "web"],
            ["update", "-m", "1k", "web"],
            ["rename", "web", "other"], ["rename", "other", "web"], ["rename", "nosuch", "y"],
            ["restart", "-t", "0", "web"],
            ["kill", "-s", "USR1", "web"], ["kill", "-s", "HUH", "web"], ["stop", "-t", "0", "web"], ["stop", "web"],
            ["start", "web"],
            ["kill", "web"], ["wait", "web"], ["kill", "web"], ["exec", "web", "true"], ["rm", "web"], ["rm", "web"],
            ["rm", "-f", "web"],
            ["create", "--name", "once", "--network", "none", image, "echo", "made"], ["start", "-a", "once"],
            ["inspect", "-f", "{{.State.ExitCode}} {{.State.Running}} {{.RestartCount}}", "once"], ["attach", "once"],
            ["rm", "once"],
            ["images", "--format", "{{.Repository}}:{{.Tag}}"], ["tag", image, "o:1"],
            ["images", "--format", "{{.Repository}}:{{.Tag}}", "o"], ["images", "--format", "{{.Size}}", "o:1"],
            ["rmi", "o:1"], ["rmi", "o:1"], ["container", "prune", "-f", "--filter", "until=2000-01-01"],
            ["container", "prune", "-f", "--filter", "until=soon"],
            ["image", "prune", "-f", "--filter", "until=2000-01-01T10:00"],
            ["volume", "create", "vol"], ["volume", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"],
            run + ["-v", "vol:/d", image, "sh", "-c", "echo kept >/d/f"], run + ["-v", "vol:/d", image, "cat", "/d/f"],
            ["volume", "inspect", "-f", "{{.Name}} {{.Driver}} {{.Scope}}", "vol"], ["volume", "rm", "vol"],
            ["volume", "rm", "vol"],
            ["network", "inspect", "-f", "{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}}", "none"],
            ["info", "-f", "{{index .DriverStatus 0}} {{index .DriverStatus 1}}"],
            ["image", "inspect", "-f", "{{if .GraphDriver.Data.UpperDir}}{{.GraphDriver.Name}}{{end}}", image],
            ["run", "-d", "--name", "lender", "-h", "lent_name", "--network", "none", image, "sleep", "1000"],
            ["run", "--rm", "--network", "container:lender", image, "hostname"],
            ["rm", "-f", "lender"], ["run", "-d", "--name", "deaf", "--network", "none", image, "sleep", "1000"],
            ["stop", "-t", "0", "deaf"], ["start", "deaf"], ["restart", "-t", "0", "deaf"], ["rm", "-f", "deaf"],
            [
                "events", "--since", "10m", "--until=-1s", "--filter", "container=deaf", "--format",
                "{{.Action}} {{index .Actor.Attributes \"signal\"}}",
            ],
            run + ["--dns", "192.0.2.1", image, "grep", "nameserver", "/etc/resolv.conf"],
            run + ["--log-opt", "max-buffer-size=1m", image, "true"],
            ["events", "--since", "10m", "--until", "0s", "--filter", "daemon=nosuch"],
            ["create", "--name", "seed", "--network", "none", image, "true"],
            [
                "commit", "-c", "ENTRYPOINT [\"/bin/echo\",\"-n\"]", "-c", "CMD [\"word\"]", "-c", "VOLUME /vol",
                "seed", "parted:1",
            ],
            run + ["parted:1"], ["create", "--name", "parted", "--network", "none", "parted:1"],
            ["inspect", "-f", "{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{.Path}} {{json .Args}}", "parted"],
            [
                "inspect", "-f",
                "{{json .HostConfig.Mounts}} {{json .HostConfig.Binds}} {{json .Config.Volumes}} "
                    + "{{range .Mounts}}{{.Type}} {{.Destination}} [{{.Mode}}]{{end}}", "parted",
            ],
            [
                "create", "--name", "mounted", "--network", "none", "--mount", "type=volume,dst=/n", "--mount",
                "type=tmpfs,dst=/t,tmpfs-size=1048576,tmpfs-mode=1770", "--volumes-from", "parted", image,
            ],
            [
                "inspect", "-f", "{{json .HostConfig.Mounts}} {{json .HostConfig.Binds}} {{.HostConfig.CgroupnsMode}}",
                "mounted",
            ],
            ["rm", "-v", "seed", "parted", "mounted"],
            ["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "memory"],
            ["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m", "memory"],
            ["volume", "inspect", "-f", "{{json .Options}}", "memory"], ["volume", "create", "-d", "nosuch", "memory"],
            ["volume", "rm", "memory"],
            [
                "network", "create", "--config-only", "-o", "com.docker.network.driver.mtu=1400", "--subnet",
                "10.213.77.0/24", "--label", "a=b", "plan",
            ],
            [
                "network", "inspect", "-f",
                "{{.Driver}} {{.Scope}} {{.ConfigOnly}} {{.ConfigFrom.Network}} {{json .Options}} {{json .IPAM.Config}} "
                    + "{{json .Labels}}", "plan",
            ],
            ["network", "ls", "-f", "name=plan", "--format", "{{.Name}} {{.Driver}}"],
            ["network", "create", "--config-only", "--subnet", "10.213.77.0/24", "copy"],
            ["network", "create", "--config-only", "--internal", "x"],
            ["network", "create", "--config-only", "--subnet", "10.300.0.0/24", "x"],
            ["network", "create", "--config-only", "--config-from", "plan", "x"],
            ["network", "create", "--config-from", "nosuch", "x"], ["network", "create", "--config-from", "none", "x"],
            ["network", "create", "--config-from", "plan", "--subnet", "10.213.78.0/24", "x"],
            ["network", "create", "--config-from", "plan", "--label", "a=b", "x"],
            ["network", "create", "--config-from", "plan", "-o", "a=b", "x"],
            ["run", "--rm", "--network", "plan", image, "true"], ["network", "prune", "-f"],
            ["network", "rm", "plan", "copy"], ["push", "localhost:1/nosuch"], ["push", "-a", "localhost:1/nosuch"],
            ["tag", image, "localhost:1/near:1"], ["push", "localhost:1/near:2"], ["rmi", "localhost:1/near:1"],
            ["network", "create", "--scope", "swarm", "s"], ["network", "rm", "host"],
            ["network", "inspect", "nosuch"], ["plugin", "ls"], ["node", "ls"], ["secret", "ls"],
            ["system", "prune", "-f"], ["builder", "prune", "-f"],
        ]
    }()

    private func docker(_ socketPath: String, _ words: [String], home: String) async throws -> Tool.Result {
        let path = try #require(Tool.find("docker"))
        return try await Tool(
            path: path, arguments: ["-H", "unix://\(socketPath)"] + words, environment: ["HOME": home]
        ).run()
    }

    /// Ids differ from one run to the next.
    private static func plain(_ text: String) -> String {
        text.replacing(#/[0-9a-f]{64}/#, with: "ID").replacing(#/\b[0-9a-f]{12}\b/#, with: "ID")
            .replacing(#/\/dev\/[a-z]+\d+/#, with: "DEVICE")
    }

    @Test("Output and exit code of docker's commands are those on docker's own engine")
    func commands() async throws {
        let dockerd = try await Dockerd()
        let daemon = try await RunningDaemon()
        for words in Self.commands {
            let ours = try await docker(daemon.socketPath, words, home: daemon.root)
            let theirs = try await docker(dockerd.socketPath, words, home: daemon.root)
            let told = "docker \(words.joined(separator: " "))\nours: \(ours)\ntheirs: \(theirs)"
            #expect(ours.code == theirs.code, "\(told)")
            #expect(Self.plain(ours.output) == Self.plain(theirs.output), "\(told)")
        }
        try await daemon.end()
        try dockerd.end()
    }

    /// Members that docker 20.10 has and we leave out, each for a reason.
    private static let absent = [
        // What made an image, before there were histories of builds; gone from later versions of the API.
        ".Container", ".VirtualSize",
        // Limits that the kernel has not any more, and what docker wanted of its parts.
        ".KernelMemory", ".KernelMemoryTCP", ".ContainerdCommit.Expected", ".RuncCommit.Expected",
        ".InitCommit.Expected",
        ".HostConfig.KernelMemory", ".HostConfig.KernelMemoryTCP", ".BuildTime",
    ]

    @Test("Every member of docker's answers is in ours, and of the same type")
    func members() async throws {
        let dockerd = try await Dockerd()
        let daemon = try await RunningDaemon()
        for socketPath in [daemon.socketPath, dockerd.socketPath] {
            let words = [
                "run", "-d", "--name", "member", "--network", "none", "-v", "mv:/d", "gantry/starter", "sleep", "1000",
            ]
            _ = try await docker(socketPath, words, home: daemon.root)
        }
        for words in [
            ["inspect", "member"], ["image", "inspect", "gantry/starter"], ["volume", "inspect", "mv"],
            ["network", "inspect", "none"], ["info", "--format", "[{{json .}}]"],
            ["version", "--format", "[{{json .Server}}]"],
        ] {
            let ours = try Self.paths(try await docker(daemon.socketPath, words, home: daemon.root).output)
            let theirs = try Self.paths(try await docker(dockerd.socketPath, words, home: daemon.root).output)
            for (path, kind) in theirs.sorted(by: { $0.key < $1.key })
            where !Self.absent.contains(where: { path == $0 || path.hasPrefix($0 + ".") }) {
                guard let own = ours[path] else {
                    Issue.record("docker \(words.joined(separator: " ")): \(path) is not there")
                    continue
                }
                // Null stands for "none" where a list or a map could be.
                #expect(own == kind || own == "null" || kind == "null", "\(words) \(path): \(own) for \(kind)")
            }
        }
        _ = try await docker(dockerd.socketPath, ["rm", "-f", "member"], home: daemon.root)
        try await daemon.end()
        try dockerd.end()
    }

    /// The members of an answer's first element, with their types; what is below a map of names is not looked at.
    private static func paths(_ text: String) throws -> [String: String] {
        var found: [String: String] = [:]
        func walk(_ value: Any, _ path: String, _ depth: Int) {
            switch value {
            case let object as [String: Any]:
                found[path] = "object"
                let isOpen = [
                    "Labels", "Options", "Volumes", "Networks", "Ports", "Sysctls", "Runtimes", "Data", "Containers",
                ]
                if isOpen.contains(where: { path.hasSuffix(".\($0)") }) || depth > 3 { return }
                for (key, member) in object { walk(member, "\(path).\(key)", depth + 1) }
            case is [Any]: found[path] = "array"
            case is NSNull: found[path] = "null"
            case is String: found[path] = "string"
            default: found[path] = "number"
            }
        }
        let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Any] ?? []
        if let first = list.first { walk(first, "", 0) }
        return found
    }
}
