import DockerAPI
import EngineAPI
import Linux

struct TagCommand: Command {
    static let configuration = CommandConfiguration(commandName: "tag", abstract: "Give an image a further name.")
    @Argument("SOURCE_IMAGE[:TAG]") var source: String
    @Argument("TARGET_IMAGE[:TAG]") var target: String

    func run() async throws { try await CommandEnvironment.connect().tagImage(source, as: target) }
}

struct HistoryCommand: Command {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "How an image was made.")
    @Flag("q|quiet", help: "Ids alone.") var quiet = false
    @Flag("no-trunc", help: "Do not shorten.") var noTrunc = false
    @Flag("H|human", help: "Ages and sizes for people.") var human = true
    @Option("format", help: "table, json, or a template such as '{{.CreatedBy}}'.") var format: String?
    @Argument("IMAGE") var image: String

    func run() async throws {
        let steps = try await CommandEnvironment.connect().imageHistory(image)
        if quiet {
            return Console.out(
                steps.map { step in (step.id.map { noTrunc ? $0 : $0.shortID } ?? "<missing>") + "\n" }.joined())
        }
        let now = Timestamp.now()
        let listing = Listing(
            columns: [
                ("ID", "IMAGE"), ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED AT"), ("CreatedBy", "CREATED BY"),
                ("Size", "SIZE"), ("Comment", "COMMENT"),
            ], rows: steps.map { row($0, now) })
        Console.out(
            try listing.text(
                format: format, usual: ["ID", human ? "CreatedSince" : "CreatedAt", "CreatedBy", "Size", "Comment"]))
    }

    private func row(_ step: ImageHistoryStep, _ now: Timestamp) -> [String: String] {
        let age = step.createdAt.map { StatusText.age(seconds: now.secondsSinceEpoch - $0.secondsSinceEpoch) + " ago" }
        let by = step.createdBy.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return [
            "ID": step.id.map { noTrunc ? $0 : $0.shortID } ?? "<missing>", "CreatedSince": age ?? "N/A",
            "CreatedAt": step.createdAt.map { $0.rfc3339Nano.prefix(19) + "Z" } ?? "N/A",
            "CreatedBy": noTrunc || by.count <= 45 ? by : by.prefix(44) + "…",
            "Size": human ? Units.decimal(step.sizeBytes) : String(step.sizeBytes),
            "Comment": step.comment,
        ]
    }
}

struct SaveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Save images to an archive, in docker's form and OCI's at once.")
    @OptionGroup var output: ArchiveOutput
    @Option("platform", help: "What each image must be for: linux/arm64.") var platform: String?
    @Argument("IMAGE") var images: [String]

    func run() async throws {
        try output.refuseTerminal()
        let engine = try await CommandEnvironment.connect()
        if let platform { try await engine.check(images, areFor: platform) }
        try await output.write(try await engine.saveImages(images))
    }
}

struct ImportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an image from an archive of a root file system.")
    @Option("c|change", help: "CMD, ENV, EXPOSE, LABEL, ….")
    var change: [String] = []
    @Option("m|message", help: "A word about the import.") var message = ""
    @Option("platform", help: "What its programs are for: linux/arm64.") var platform: String?
    @Argument("FILE|URL|-") var file: String
    @Argument("REPOSITORY[:TAG]") var name: String?

    func run() async throws {
        var request = ImageImportRequest(from: file, name: name, message: message, changes: change)
        // As docker: the engine gets what is at an address, and a file is sent.
        if !["http://", "https://"].contains(where: file.hasPrefix) {
            request.address = nil
            request.archive = try EngineStream.archive(at: file)
        }
        request.platform = platform
        Console.out(try await CommandEnvironment.connect().importImage(request) + "\n")
    }
}

struct ImagePruneCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove images that no container uses: those without a name, or all.")
    @Flag("a|all", help: "Also images with a name.") var all = false
    @Flag("f|force", help: "Do not ask.") var force = false
    @Option("filter", help: "label=…, label!=…, until=…")
    var filter: [String] = []

    func run() async throws {
        let what = all ? "all images without at least one container associated to them" : "all dangling images"
        guard try force || LinePrompt.isConfirmed("This will remove \(what).") else { return }
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        let result = try await CommandEnvironment.connect().pruneImages(
            all: all, filter: try ImageFilter(dockerQuery: query))
        if !result.removals.isEmpty { Console.out("Deleted Images:\n") }
        for removal in result.removals {
            switch removal {
            case .untagged(let name): Console.out("untagged: \(name)\n")
            case .deleted(let id): Console.out("deleted: \(id)\n")
            }
        }
        Console.out("\nTotal reclaimed space: \(Units.decimal(result.reclaimedBytes))\n")
    }
}
