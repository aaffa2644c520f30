import DockerAPI
import EngineAPI
import Linux

/// The options of `ps`, which `container ls` shares.
struct ListOptions: CommandOptions {
    @Flag("a|all", help: "Those that do not run too.") var all = false
    @Flag("q|quiet", help: "Ids alone.") var quiet = false
    @Flag("l|latest", help: "The latest one.") var latest = false
    @Flag("s|size", help: "How much each has written.") var size = false
    @Option("n|last", help: "So many of the latest.") var last: Int?
    @Option(
        "f|filter",
        help:
            "name=…, status=…, label=…, ancestor=…, id=…, exited=…, health=…, network=…, volume=…, publish=…, expose=…")
    var filter: [String] = []
    @Flag("no-trunc", help: "Do not shorten ids and commands.") var noTrunc = false
    @Option("format", help: "table, json, or a template such as '{{.Names}}'.") var format: String?

    func list() async throws {
        var query = QueryString()
        query.add("all", all)
        query.add("limit", latest ? "1" : last.map(String.init))
        query.add("filters", try Filtering.encoded(filter))
        // A template that shows sizes asks for them.
        query.add("size", size || format?.contains(".Size") == true)
        let summaries = try await CommandEnvironment.connect().containers(ContainerFilter(dockerQuery: query))
        if quiet {
            return Console.out(summaries.map { (noTrunc ? $0.id : $0.id.shortID) + "\n" }.joined())
        }
        let now = Timestamp.now()
        if format == "raw" { return Console.out(summaries.map { raw(row($0, now)) }.joined()) }
        let listing = Listing(
            columns: [
                ("ID", "CONTAINER ID"), ("Image", "IMAGE"), ("Command", "COMMAND"), ("RunningFor", "CREATED"),
                ("Status", "STATUS"), ("Ports", "PORTS"), ("Names", "NAMES"), ("State", "STATE"),
                ("CreatedAt", "CREATED AT"), ("Labels", "LABELS"), ("Mounts", "MOUNTS"), ("Networks", "NETWORKS"),
                ("Size", "SIZE"),
                ("LocalVolumes", "LOCAL VOLUMES"),
            ], rows: summaries.map { row($0, now) }, labels: summaries.map(\.labels))
        Console.out(
            try listing.text(
                format: format,
                usual: ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"] + (size ? ["Size"] : [])))
    }

    /// Docker's lines of `name: value`, with an empty one behind each container.
    private func raw(_ row: [String: String]) -> String {
        let fields = [
            ("container_id", "ID"), ("image", "Image"), ("command", "Command"), ("created_at", "CreatedAt"),
            ("state", "State"), ("status", "Status"), ("names", "Names"), ("labels", "Labels"), ("ports", "Ports"),
        ]
        let shown = fields + (size ? [("size", "Size")] : [])
        return shown.map { name, field in
            let value = row[field] ?? ""
            return value.isEmpty ? "\(name):\n" : "\(name): \(value)\n"
        }.joined() + "\n"
    }

    private func row(_ summary: ContainerSummary, _ now: Timestamp) -> [String: String] {
        [
            "ID": noTrunc ? summary.id : summary.id.shortID, "Image": noTrunc ? summary.image : summary.shortImage,
            "Command": (noTrunc ? summary.command : summary.command.shortened(to: 20)).goQuoted,
            "RunningFor": StatusText.age(seconds: now.secondsSinceEpoch - summary.createdAt.secondsSinceEpoch) + " ago",
            "Status": StatusText.text(summary.state, now: now), "Ports": PortTexts.text(summary.ports),
            "Names": (noTrunc ? [summary.name] + summary.linkNames : [summary.name]).joined(separator: ","),
            "State": summary.state.status.rawValue, "CreatedAt": summary.createdAt.goText,
            "Labels": summary.labels.listed,
            "Size": summary.sizeText,
            "LocalVolumes": String(summary.mounts.count { $0.kind == .volume }),
            "Mounts": summary.mounts.map(\.source).filter { !$0.isEmpty }.joined(separator: ","),
            "Networks": summary.networks.isEmpty
                ? summary.networkMode : summary.networks.map(\.networkName).joined(separator: ","),
        ]
    }
}

extension ContainerSummary {
    /// Docker's `0B (virtual 4.26MB)`.
    var sizeText: String {
        let written = Units.decimal(writtenBytes ?? 0)
        return rootBytes.map { "\(written) (virtual \(Units.decimal($0)))" } ?? written
    }
}

struct ListCommand: Command {
    static let configuration = CommandConfiguration(commandName: "ps", abstract: "List containers.")
    @OptionGroup var options: ListOptions

    func run() async throws { try await options.list() }
}

struct ContainerListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List containers.", aliases: ["ps", "list"])
    @OptionGroup var options: ListOptions

    func run() async throws { try await options.list() }
}

/// `--filter` options in the form in which the API takes them.
enum Filtering {
    static func encoded(_ words: [String]) throws -> String? {
        var filters = Filters()
        for word in words {
            if word.isEmpty { continue }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw UsageError(value: word, of: "--filter", "bad format of filter (expected name=value)")
            }
            filters.add(parts[0], [parts[1]])
        }
        return filters.encoded
    }
}

struct TopCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "List a container's processes.")
    @Argument("CONTAINER [ps OPTIONS]", minimum: 1, isHandedOn: true) var words: [String] = []

    func run() async throws {
        let container = words[0]
        let arguments = Array(words.dropFirst())
        let processes = try await CommandEnvironment.connect()
            .top(container, psArguments: arguments.isEmpty ? ["-ef"] : arguments)
        var table = Table(titles: processes.titles, minimumWidth: 20)
        table.rows = processes.rows
        Console.out(table.text)
    }
}

struct EventsCommand: Command {
    static let configuration = CommandConfiguration(commandName: "events", abstract: "Print what happens.")
    @Option("since", help: "Also what happened since then.") var since: String?
    @Option("until", help: "End then.") var until: String?
    @Option("f|filter", help: "event=…, container=…, image=…, type=…, label=…")
    var filter: [String] = []
    @Option("format", help: "json, or a template such as '{{.Action}}'.") var format: String?

    func run() async throws {
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        var request = try EventRequest(dockerQuery: query)
        request.since = try Moment.parse(since, "since")
        request.until = try Moment.parse(until, "until")
        let template = try format.map(Template.format)
        let events = try await CommandEnvironment.connect().events(request)
        for try await event in events {
            guard Console.offer(try line(event, template) + "\n") else { return }
        }
    }

    private func line(_ event: EngineEvent, _ template: Template?) throws -> String {
        if let template {
            do throws(Template.Failure) { return try template.render(event.dockerBody) } catch {
                throw UsageError(message: error.message, code: 1)
            }
        }
        let attributes = event.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let suffix = attributes.isEmpty ? "" : " (\(attributes.joined(separator: ", ")))"
        let text = "\(event.kind.rawValue) \(event.action) \(event.actorID)\(suffix)"
        return "\(event.time.rfc3339Nano) \(text.withControlsEscaped)"
    }
}
