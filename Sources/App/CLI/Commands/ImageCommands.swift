import AsyncIO
import DockerAPI
import EngineAPI
import Linux

struct ImageListOptions: CommandOptions {
    @Flag("a|all", help: "Also images without a name that others were made from.") var all = false
    @Flag("q|quiet", help: "Ids alone.") var quiet = false
    @Flag("no-trunc", help: "Do not shorten ids.") var noTrunc = false
    @Flag("digests", help: "Show digests.") var digests = false
    @Option("f|filter", help: "reference=…, label=…, dangling=…, before=…, since=…, until=…")
    var filter: [String] = []
    @Option("format", help: "table, json, or a template such as '{{.Repository}}:{{.Tag}}'.") var format: String?
    @Argument("REPOSITORY[:TAG]") var pattern: String?

    func list() async throws {
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        var request = try ImageFilter(dockerQuery: query)
        request.all = all
        if let pattern { request.references.append(pattern) }
        let images = try await CommandEnvironment.connect().images(request)
        if quiet {
            return Console.out(images.map { (noTrunc ? $0.id : $0.id.shortID) + "\n" }.joined())
        }
        let now = Timestamp.now()
        let listing = Listing(
            columns: [
                ("Repository", "REPOSITORY"), ("Tag", "TAG"), ("Digest", "DIGEST"), ("ID", "IMAGE ID"),
                ("CreatedSince", "CREATED"), ("Size", "SIZE"), ("CreatedAt", "CREATED AT"),
                ("Containers", "CONTAINERS"), ("VirtualSize", "SIZE"), ("SharedSize", "SHARED SIZE"),
                ("UniqueSize", "UNIQUE SIZE"),
            ], rows: images.flatMap { rows($0, now) })
        let usual = ["Repository", "Tag"] + (digests ? ["Digest"] : []) + ["ID", "CreatedSince", "Size"]
        Console.out(try listing.text(format: format, usual: usual))
    }

    private func rows(_ image: ImageSummary, _ now: Timestamp) -> [[String: String]] {
        let age = image.createdAt.map {
            StatusText.age(seconds: now.secondsSinceEpoch - $0.secondsSinceEpoch) + " ago"
        }
        return image.listedNames.map { name in
            [
                "Repository": name.repository, "Tag": name.tag ?? "<none>", "Digest": name.digest ?? "<none>",
                "ID": noTrunc ? image.id : image.id.shortID, "CreatedSince": age ?? "N/A",
                "CreatedAt": image.createdAt?.goText ?? "N/A", "Size": Units.decimal(image.sizeBytes),
                "Containers": String(image.containerCount), "VirtualSize": Units.decimal(image.sizeBytes, digits: 4),
                // To find out what images share takes its time: `system df -v` does.
                "SharedSize": "N/A", "UniqueSize": "N/A",
            ]
        }
    }
}

extension ImageSummary {
    /// A line of the list for each tag, and for each repository that knows the image by a digest alone.
    var listedNames: [(repository: String, tag: String?, digest: String?)] {
        let pinned = digests.map { name in
            let at = name.firstIndex(of: "@") ?? name.endIndex
            return (repository: String(name[..<at]), digest: String(name[at...].dropFirst()))
        }
        var names: [(repository: String, tag: String?, digest: String?)] = tags.map { tag in
            let colon = tag.lastIndex(of: ":") ?? tag.endIndex
            let repository = String(tag[..<colon])
            let digest = pinned.first { $0.repository == repository }?.digest
            return (repository, String(tag[colon...].dropFirst()), digest)
        }
        for (repository, digest) in pinned where !names.contains(where: { $0.repository == repository }) {
            names.append((repository, nil, digest))
        }
        return names.isEmpty ? [("<none>", nil, nil)] : names
    }
}

struct ImagesCommand: Command {
    static let configuration = CommandConfiguration(commandName: "images", abstract: "List images.")
    @OptionGroup var options: ImageListOptions

    func run() async throws { try await options.list() }
}

struct ImageListCommand: Command {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List images.", aliases: ["list"])
    @OptionGroup var options: ImageListOptions

    func run() async throws { try await options.list() }
}

struct LoadCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load images from an OCI or docker archive, or an OCI layout directory.")
    @Option("i|input", help: "The file; standard input without it.")
    var input: String?
    @Flag("q|quiet", help: "Do not show progress.") var quiet = false
    @Option("platform", help: "Which of the images: this machine's, linux/amd64.") var platform: String?

    func run() async throws {
        if input == nil, Console.inputIsTerminal {
            throw UsageError(message: "requested load from stdin, but stdin is empty", code: 1)
        }
        let source = try input.map { ImageLoadSource.path(try absolutePath($0)) } ?? .bytes(standardInput)
        let showsProgress = !quiet && isTerminal
        let engine = try await CommandEnvironment.connect()
        if let platform { try await engine.version().checkPlatform(platform) }
        for try await step in try await engine.loadImages(source) {
            switch step {
            case .layer(let digest, let done, let total):
                guard showsProgress else { continue }
                let whole = total.map { "/" + Units.decimal($0) } ?? ""
                Console.error("\r\u{1B}[K\(digest.shortID): \(Units.decimal(done))\(whole)")
            case .loaded(let name, let id):
                if showsProgress { Console.error("\r\u{1B}[K") }
                Console.out(name.map { "Loaded image: \($0)\n" } ?? "Loaded image ID: \(id)\n")
            }
        }
    }

    private var isTerminal: Bool { Console.outputIsTerminal }

    /// The engine may run elsewhere on this machine: its working directory is not ours.
    private func absolutePath(_ path: String) throws -> String {
        if path.hasPrefix("/") { return path }
        do throws(KernelError) { return try WorkingDirectory.path() + "/" + path } catch {
            throw UsageError(message: "\(error)", code: 1)
        }
    }

    private var standardInput: EngineStream<[UInt8]> {
        EngineStream {
            try await BlockingPool.shared.run { () throws(KernelError) -> [UInt8]? in
                var chunk = [UInt8](repeating: 0, count: 1 << 20)
                let count = try Descriptor.standardInput.read(into: &chunk)
                return count > 0 ? Array(chunk[..<count]) : nil
            }
        }
    }
}

struct ImageRemovalOptions: CommandOptions {
    @Flag("f|force", help: "Even where a stopped container uses it.") var force = false
    @Flag("no-prune", help: "Keep parents without a name.") var noPrune = false
    @Argument("IMAGE") var images: [String]

    func remove() async throws {
        let (force, prune) = (force, !noPrune)
        try await forEach(images, printing: false) { engine, reference throws(EngineError) in
            let removals: [ImageRemoval]
            do throws(EngineError) {
                removals = try await engine.removeImage(reference, force: force, prune: prune)
            } catch  where force && error.kind == .notFound {
                // As docker: with --force what is not there is as good as removed, but said.
                return Console.error(Refusals.line(error))
            }
            for removal in removals {
                switch removal {
                case .untagged(let name): Console.out("Untagged: \(name)\n")
                case .deleted(let id): Console.out("Deleted: \(id)\n")
                }
            }
        }
    }
}

struct RemoveImageCommand: Command {
    static let configuration = CommandConfiguration(commandName: "rmi", abstract: "Remove images.")
    @OptionGroup var options: ImageRemovalOptions

    func run() async throws { try await options.remove() }
}

struct ImageRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove images.", aliases: ["remove"])
    @OptionGroup var options: ImageRemovalOptions

    func run() async throws { try await options.remove() }
}
