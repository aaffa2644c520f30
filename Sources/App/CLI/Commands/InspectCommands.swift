import DockerAPI
import EngineAPI
import JSON

struct InspectOptions: CommandOptions {
    @Option("f|format", help: "A template such as '{{.State.Status}}'.")
    var format: String?
    @Flag("s|size", help: "How much a container has written, and holds in all.") var size = false
    @Argument("NAME|ID") var references: [String]

    /// Prints what was found as docker does: an array, or a line each by the template; fails if any was not found.
    func print(
        _ look: @Sendable (any Engine, String) async throws(EngineError) -> JSONValue
    ) async throws {
        let engine = try await CommandEnvironment.connect()
        // Docker's word for what is shown without a format, in one line.
        let isCompact = format == "json"
        let template = isCompact ? nil : try format.map(Template.format)
        var found: [JSONValue] = []
        var failures: [EngineError] = []
        for reference in references {
            do throws(EngineError) { found.append(try await look(engine, reference)) } catch { failures.append(error) }
        }
        if let template {
            for body in found { try render(template, body) }
        } else {
            let all = JSONValue.array(found)
            Console.out(String(decoding: isCompact ? all.compactBytes : all.prettyBytes(), as: UTF8.self) + "\n")
        }
        for error in failures {
            Console.error(
                error.message.hasPrefix("No such object") ? "Error: \(error.message)\n" : Refusals.line(error))
        }
        if !failures.isEmpty { throw ExitStatus(code: 1) }
    }

    private func render(_ template: Template, _ body: JSONValue) throws {
        do throws(Template.Failure) { Console.out(try template.render(body) + "\n") } catch {
            throw UsageError(message: error.message, code: 1)
        }
    }
}

struct InspectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all that is known of containers, images, networks or volumes.")
    @Option("type", help: "container, image, network or volume.") var type: Inspected?
    @OptionGroup var options: InspectOptions

    func run() async throws {
        let (type, size) = (type, options.size)
        if size, let type, type != .container { Console.error("WARNING: --size ignored for \(type)\n") }
        try await options.print { engine, reference throws(EngineError) in
            if let type { return try await type.body(reference, engine, size: size) }
            for kind in Inspected.allCases {
                do throws(EngineError) { return try await kind.body(reference, engine, size: size) } catch {
                    // What has another form than a name of that kind is not there, either.
                    guard error.kind == .notFound || error.kind == .invalid else { throw error }
                }
            }
            throw EngineError(.notFound, "No such object: \(reference)", object: reference)
        }
    }
}

/// What `inspect` knows, in the order in which it looks for a name.
enum Inspected: String, FlagValue, CaseIterable {
    case container, image, network, volume

    /// - Parameter size: whether a container is measured, which takes its time.
    func body(_ reference: String, _ engine: any Engine, size: Bool) async throws(EngineError) -> JSONValue {
        switch self {
        case .container: try await Self.container(reference, engine, withSizes: size)
        case .image: try await engine.inspectImage(reference).dockerBody
        case .network: try await engine.inspectNetwork(reference).dockerBody
        case .volume: try await engine.inspectVolume(reference).dockerBody
        }
    }

    static func container(
        _ reference: String, _ engine: any Engine, withSizes: Bool
    ) async throws(EngineError) -> JSONValue {
        let details = try await engine.inspect(reference)
        guard withSizes else { return details.dockerBody }
        var filter = ContainerFilter(all: true)
        (filter.ids, filter.withSizes) = ([details.id], true)
        return details.dockerBody(sizes: try await engine.containers(filter).first)
    }
}

struct ContainerInspectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all that is known of containers.")
    @OptionGroup var options: InspectOptions

    func run() async throws {
        let size = options.size
        try await options.print { engine, reference throws(EngineError) in
            try await Inspected.container(reference, engine, withSizes: size)
        }
    }
}

struct ImageInspectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all that is known of images.")
    @OptionGroup var options: InspectOptions

    func run() async throws {
        try await options.print { engine, reference throws(EngineError) in
            try await engine.inspectImage(reference).dockerBody
        }
    }
}
