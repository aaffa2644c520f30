import DockerAPI
import EngineAPI

struct SystemPruneCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove what nothing uses: containers, networks, images.")
    @Flag("a|all", help: "All images that no container uses, not only those without a name.")
    var all = false
    @Flag("f|force", help: "Do not ask.") var force = false
    @Flag("volumes", help: "Volumes without a name, too.") var volumes = false
    @Option("filter", help: "until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE].")
    var filter: [String] = []

    func run() async throws {
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        let containers = try PruneFilter(dockerQuery: query, now: .now())
        let images = try ImageFilter(dockerQuery: query)
        guard !volumes || containers.until == nil else {
            // Docker's words: nobody knows when a volume was used last.
            throw UsageError(message: "ERROR: The \"until\" filter is not supported with \"--volumes\"", code: 1)
        }
        guard try force || isWanted else { return }
        let engine = try await CommandEnvironment.connect()
        var reclaimed: Int64 = 0
        let gone = try await engine.pruneContainers(containers)
        reclaimed += gone.reclaimedBytes
        list("Deleted Containers:", gone.removed)
        var networks = NetworkFilter()
        (networks.labels, networks.withoutLabels) = (containers.labels, containers.withoutLabels)
        networks.until = containers.until
        list("Deleted Networks:", try await engine.pruneNetworks(networks).removed)
        if volumes {
            var filter = VolumeFilter()
            (filter.labels, filter.withoutLabels) = (containers.labels, containers.withoutLabels)
            let result = try await engine.pruneVolumes(filter)
            reclaimed += result.reclaimedBytes
            list("Deleted Volumes:", result.removed)
        }
        let result = try await engine.pruneImages(all: all, filter: images)
        reclaimed += result.reclaimedBytes
        list(
            "Deleted Images:",
            result.removals.map { removal in
                switch removal {
                case .untagged(let name): "untagged: \(name)"
                case .deleted(let id): "deleted: \(id)"
                }
            })
        Console.out("Total reclaimed space: \(Units.decimal(reclaimed))\n")
    }

    private var isWanted: Bool {
        get throws {
            try LinePrompt.isConfirmed(
                """
                This will remove:
                  - all stopped containers
                  - all networks not used by at least one container
                \(volumes ? "  - all anonymous volumes not used by at least one container\n" : "")\
                  - \(all ? "all images without at least one container associated to them" : "all dangling images")

                """)
        }
    }

    private func list(_ title: String, _ names: [String]) {
        if !names.isEmpty { Console.out(title + "\n" + names.map { $0 + "\n" }.joined() + "\n") }
    }
}
