import EngineAPI

struct CopyCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy files between a container and this machine.",
        usages: ["CONTAINER:PATH DEST|-", "SOURCE|- CONTAINER:PATH"])
    @Flag("a|archive", help: "Keep owners.") var archive = false
    @Flag("L|follow-link", help: "Copy what a link leads to.") var followLink = false
    @Flag("q|quiet", help: "Accepted for scripts.") var quiet = false
    @Argument("SOURCE") var source: String
    @Argument("DEST") var destination: String

    func run() async throws {
        let engine = try await CommandEnvironment.connect()
        switch (CopyPlace(source), CopyPlace(destination)) {
        case (.container(let reference, let path), .local(let target)):
            let copy = copying(engine, reference)
            guard target != "-" else { return try await copy.pass(path) }
            try await copy.out(path, to: target)
        case (.local(let path), .container(let reference, let target)):
            let copy = copying(engine, reference)
            guard path != "-" else { return try await copy.unpackInput(to: target) }
            try await copy.into(target, from: path)
        case (.container, .container):
            throw UsageError(message: "copying between containers is not supported", code: 1)
        case (.local, .local):
            throw UsageError(message: "must specify at least one container source", code: 1)
        }
    }

    private func copying(_ engine: any Engine, _ reference: String) -> ContainerCopy {
        ContainerCopy(engine: engine, reference: reference, keepsOwners: archive, followsLinks: followLink)
    }
}

/// One side of a copy: `NAME:PATH`, or a path of this machine where a slash or a dot comes first, or there is no colon.
enum CopyPlace: Hashable {
    case local(String)
    case container(String, String)

    init(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), !text.hasPrefix("/"), !text.hasPrefix(".") else {
            self = .local(text)
            return
        }
        self = .container(String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}

struct DiffCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "List what a container has changed of its image: A added, C changed, D deleted.")
    @Argument("CONTAINER") var container: String

    func run() async throws {
        for change in try await CommandEnvironment.connect().changes(container) {
            let letter =
                switch change.kind {
                case .modified: "C"
                case .added: "A"
                case .deleted: "D"
                }
            Console.out("\(letter) \(change.path)\n")
        }
    }
}

struct ExportCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a container's files as a tar archive.")
    @OptionGroup var output: ArchiveOutput
    @Argument("CONTAINER") var container: String

    func run() async throws {
        try output.refuseTerminal()
        try await output.write(try await CommandEnvironment.connect().export(container))
    }
}

struct ContainerPruneCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove all containers that do not run.")
    @Flag("f|force", help: "Do not ask.") var force = false
    @Option("filter", help: "until=TIME, label=KEY[=VALUE], label!=KEY[=VALUE].")
    var filter: [String] = []

    func run() async throws {
        let filter = try wanted()
        guard try force || LinePrompt.isConfirmed("This will remove all stopped containers.") else { return }
        let result = try await CommandEnvironment.connect().pruneContainers(filter)
        if !result.removed.isEmpty {
            Console.out("Deleted Containers:\n" + result.removed.map { $0 + "\n" }.joined() + "\n")
        }
        Console.out("Total reclaimed space: \(Units.decimal(result.reclaimedBytes))\n")
    }

    private func wanted() throws -> PruneFilter {
        var wanted = PruneFilter()
        for text in filter {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw UsageError(value: text, of: "--filter", "bad format of filter (expected name=value)")
            }
            switch parts[0] {
            case "until": wanted.until = try Moment.parse(parts[1], "--filter")
            case "label": wanted.labels.append(parts[1])
            case "label!": wanted.withoutLabels.append(parts[1])
            default: throw UsageError(message: "invalid filter '\(parts[0])'", code: 1)
            }
        }
        return wanted
    }
}
