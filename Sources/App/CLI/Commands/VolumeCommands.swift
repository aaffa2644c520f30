import DockerAPI
import EngineAPI
import JSON

extension CommandGroup {
    static let volume = CommandGroup(
        name: "volume", abstract: "Manage volumes.",
        commands: [
            VolumeListCommand.self, VolumeCreateCommand.self, VolumeRemoveCommand.self, VolumeInspectCommand.self,
            VolumePruneCommand.self, VolumeExportCommand.self, VolumeImportCommand.self,
        ])
}

struct VolumeListCommand: Command {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List volumes.", aliases: ["list"])
    @Flag("q|quiet", help: "Names alone.") var quiet = false
    @Option("f|filter", help: "name=…, driver=…, label=…, dangling=…")
    var filter: [String] = []
    @Option("format", help: "table, json, or a template such as '{{.Name}}'.") var format: String?

    func run() async throws {
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        let volumes = try await CommandEnvironment.connect().volumes(VolumeFilter(dockerQuery: query))
        if quiet { return Console.out(volumes.map { $0.spec.name + "\n" }.joined()) }
        let listing = Listing(
            columns: [
                ("Driver", "DRIVER"), ("Name", "VOLUME NAME"), ("Scope", "SCOPE"), ("Mountpoint", "MOUNTPOINT"),
                ("Labels", "LABELS"), ("Links", "LINKS"), ("Size", "SIZE"), ("Status", "STATUS"),
                ("Availability", "AVAILABILITY"), ("Group", "GROUP"),
            ],
            rows: volumes.map { volume in
                [
                    "Driver": volume.spec.driver, "Name": volume.spec.name, "Scope": "local",
                    "Mountpoint": volume.mountpoint, "Availability": "N/A", "Group": "N/A", "Status": "N/A",
                    "Size": volume.sizeBytes.map { Units.decimal($0) } ?? "N/A",
                    "Links": volume.users.map { String($0.count) } ?? "N/A",
                    "Labels": volume.spec.labels.listed,
                ]
            }, labels: volumes.map(\.spec.labels))
        Console.out(try listing.text(format: format, usual: ["Driver", "Name"]))
    }
}

struct VolumeCreateCommand: Command {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a volume.")
    @Option("d|driver", help: "local.") var driver = "local"
    @Option("o|opt", help: "type=…, device=…, o=…, as mount(8) takes them.")
    var opt: [String] = []
    @Option("label", help: "KEY=VALUE") var label: [String] = []
    @Option("name")
    var oldName: String?
    @Argument("VOLUME") var name: String?

    func run() async throws {
        var spec = VolumeSpec(name: name ?? oldName ?? "")
        spec.driver = driver
        for pair in opt { Self.put(pair, &spec.options) }
        for pair in label { Self.put(pair, &spec.labels) }
        Console.out(try await CommandEnvironment.connect().createVolume(spec).spec.name + "\n")
    }

    private static func put(_ pair: String, _ map: inout [String: String]) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        map[parts[0]] = parts.count > 1 ? parts[1] : ""
    }
}

struct VolumeRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove volumes.", aliases: ["remove"])
    @Flag("f|force", help: "Do not fail where there is none.") var force = false
    @Argument("VOLUME") var volumes: [String]

    func run() async throws {
        let engine = try await CommandEnvironment.connect()
        var failed = false
        for volume in volumes {
            do throws(EngineError) {
                try await engine.removeVolume(volume, force: force)
                Console.out(volume + "\n")
            } catch {
                Console.error(Refusals.line(error))
                failed = true
            }
        }
        if failed { throw ExitStatus(code: 1) }
    }
}

struct VolumeInspectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all that is known of volumes.")
    @OptionGroup var options: InspectOptions

    func run() async throws {
        try await options.print { engine, reference throws(EngineError) in
            try await engine.inspectVolume(reference).dockerBody
        }
    }
}

struct VolumePruneCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove the volumes that no container has.")
    @Flag("a|all", help: "Those with a name, too.") var all = false
    @Flag("f|force", help: "Do not ask.") var force = false
    @Option("filter", help: "label=…, label!=…") var filter: [String] = []

    func run() async throws {
        let kind = all ? "all" : "anonymous"
        let warning = "This will remove \(kind) local volumes not used by at least one container."
        guard try force || LinePrompt.isConfirmed(warning) else { return }
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        var wanted = try VolumeFilter(dockerQuery: query)
        wanted.all = wanted.all || all
        let result = try await CommandEnvironment.connect().pruneVolumes(wanted)
        if !result.removed.isEmpty {
            Console.out("Deleted Volumes:\n" + result.removed.map { $0 + "\n" }.joined() + "\n")
        }
        Console.out("Total reclaimed space: \(Units.decimal(result.reclaimedBytes))\n")
    }
}
