import DockerAPI
import EngineAPI

extension CommandGroup {
    static let system = CommandGroup(
        name: "system", abstract: "Look at the engine as a whole.",
        commands: [
            DiskUsageCommand.self, SystemPruneCommand.self, EventsCommand.self, InfoCommand.self, DialStdioCommand.self,
        ])
}

struct DiskUsageCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "df", abstract: "What images, containers and volumes take on the disk.")
    @Flag("v|verbose", help: "Each by itself.") var verbose = false
    @Option("format", help: "table, json, or a template such as '{{.Type}}: {{.Size}}'.") var format: String?

    func run() async throws {
        if verbose, let format, format != "table" {
            throw UsageError(message: "the verbose option and the format option conflict", code: 1)
        }
        let usage = try await CommandEnvironment.connect().diskUsage()
        guard !verbose else { return Console.out(try DiskUsageTables(usage: usage, now: .now()).text) }
        let listing = Listing(
            columns: [
                ("Type", "TYPE"), ("TotalCount", "TOTAL"), ("Active", "ACTIVE"), ("Size", "SIZE"),
                ("Reclaimable", "RECLAIMABLE"),
            ], rows: DiskUsageSummary.rows(usage).map(\.fields))
        Console.out(
            try listing.text(format: format, usual: ["Type", "TotalCount", "Active", "Size", "Reclaimable"]))
    }
}

/// One line of `system df`.
struct DiskUsageSummary: Hashable {
    var type: String
    var count: Int
    var activeCount: Int
    var bytes: Int64
    var reclaimableBytes: Int64

    static func rows(_ usage: DiskUsage) -> [DiskUsageSummary] {
        let parts: [(String, DiskUsagePart)] = [
            ("Images", .image), ("Containers", .container), ("Local Volumes", .volume),
        ]
        return parts.map { DiskUsageSummary(type: $0, usage.total(of: $1)) }
            + [DiskUsageSummary(type: "Build Cache", count: 0, activeCount: 0, bytes: 0, reclaimableBytes: 0)]
    }

    var fields: [String: String] {
        let percent = bytes > 0 ? " (\(reclaimableBytes.multipliedSaturated(by: 100) / bytes)%)" : ""
        return [
            "Type": type, "TotalCount": String(count), "Active": String(activeCount),
            "Size": Units.decimal(bytes, digits: 4),
            "Reclaimable": Units.decimal(reclaimableBytes, digits: 4) + percent,
        ]
    }
}

extension DiskUsageSummary {
    init(type: String, _ total: DiskUsageTotal) {
        self.init(
            type: type, count: total.count, activeCount: total.activeCount, bytes: total.bytes,
            reclaimableBytes: total.reclaimableBytes)
    }
}

/// `system df -v`.
struct DiskUsageTables {
    let usage: DiskUsage
    let now: Timestamp

    var text: String {
        get throws {
            "Images space usage:\n\n" + images + "\nContainers space usage:\n\n" + containers
                + "\nLocal Volumes space usage:\n\n" + volumes
        }
    }

    private var images: String {
        var table = Table(titles: [
            "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS",
        ])
        for image in usage.images {
            let shared = image.sharedBytes ?? 0
            for tag in image.tags.isEmpty ? ["<none>:<none>"] : image.tags {
                let colon = tag.lastIndex(of: ":") ?? tag.endIndex
                table.rows.append([
                    String(tag[..<colon]), String(tag[colon...].dropFirst()), image.id.shortID, age(image.createdAt),
                    Units.decimal(image.sizeBytes), Units.decimal(shared), Units.decimal(image.sizeBytes - shared),
                    String(image.containerCount),
                ])
            }
        }
        return table.text
    }

    private var containers: String {
        var table = Table(titles: [
            "CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES",
        ])
        table.rows = usage.containers.map { container in
            [
                container.id.shortID, container.shortImage, container.command.shortened(to: 20).goQuoted,
                String(container.mounts.count { $0.kind == .volume }), Units.decimal(container.writtenBytes ?? 0),
                age(container.createdAt), StatusText.text(container.state, now: now), container.name,
            ]
        }
        return table.text
    }

    private var volumes: String {
        var table = Table(titles: ["VOLUME NAME", "LINKS", "SIZE"])
        table.rows = usage.volumes.map { volume in
            [volume.spec.name, String(volume.users?.count ?? 0), Units.decimal(volume.sizeBytes ?? 0)]
        }
        return table.text
    }

    private func age(_ time: Timestamp?) -> String {
        time.map { StatusText.age(seconds: now.secondsSinceEpoch - $0.secondsSinceEpoch) + " ago" } ?? "N/A"
    }
}
