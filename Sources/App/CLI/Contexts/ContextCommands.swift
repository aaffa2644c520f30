import DockerAPI
import EngineAPI
import JSON
import Linux

extension CommandGroup {
    static let context = CommandGroup(
        name: "context", abstract: "Manage docker's contexts: which engine commands go to.",
        commands: [
            ContextListCommand.self, ContextUseCommand.self, ContextShowCommand.self, ContextInspectCommand.self,
            ContextCreateCommand.self, ContextRemoveCommand.self, ContextExportCommand.self,
            ContextImportCommand.self,
        ])
}

extension EngineChooser {
    static func current() throws(EngineError) -> EngineChooser {
        EngineChooser(try CommandEnvironment.required().options, environment: try ProcessEnvironment.current())
    }

    /// What the default context's endpoint is, in words.
    fileprivate func defaultHost() throws(EngineError) -> String {
        if let host = environmentHost { return host }
        return "unix://\(try CommandEnvironment.required().ownSocketPath)"
    }
}

struct ContextListCommand: Command {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List contexts.", aliases: ["list"])
    @Flag("q|quiet", help: "Names alone.") var quiet = false
    @Option("format", help: "table, json, or a template such as '{{.Name}}'.") var format: String?

    func run() async throws {
        let chooser = try EngineChooser.current()
        let current = try chooser.contextName() ?? ContextStore.defaultName
        let first = StoredContext(
            name: ContextStore.defaultName, description: "Gantry's own engine, or the environment's",
            host: try chooser.defaultHost(), skipsVerification: false)
        let contexts = [first] + (try chooser.store.all())
        if quiet { return Console.out(contexts.map { $0.name + "\n" }.joined()) }
        let listing = Listing(
            columns: [
                ("Name", "NAME"), ("Description", "DESCRIPTION"), ("DockerEndpoint", "DOCKER ENDPOINT"),
                ("Error", "ERROR"), ("Current", "CURRENT"),
            ],
            rows: contexts.map { context in
                let isCurrent = context.name == current
                // Docker marks the name in its table, and has a field of its own elsewhere.
                let mark = isCurrent && (format ?? "table") == "table" ? " *" : ""
                return [
                    "Name": context.name + mark, "Description": context.description, "DockerEndpoint": context.host,
                    "Error": "", "Current": isCurrent ? "true" : "false",
                ]
            })
        Console.out(
            try listing.text(format: format, usual: ["Name", "Description", "DockerEndpoint", "Error"]))
        chooser.warnOfOverride()
    }
}

extension EngineChooser {
    fileprivate func warnOfOverride() {
        guard let name = overridingVariable else { return }
        Console.error(
            "Warning: \(name) environment variable overrides the active context. To use a context, either set the "
                + "global --context flag, or unset \(name) environment variable.\n")
    }
}

struct ContextUseCommand: Command {
    static let configuration = CommandConfiguration(commandName: "use", abstract: "Use a context from now on.")
    @Argument("CONTEXT") var name: String

    func run() async throws {
        let chooser = try EngineChooser.current()
        if name != ContextStore.defaultName { _ = try chooser.store.find(name) }
        try chooser.store.use(name == ContextStore.defaultName ? nil : name)
        Console.out("\(name)\n")
        Console.error("Current context is now \"\(name)\"\n")
        if name != ContextStore.defaultName { chooser.warnOfOverride() }
    }
}

struct ContextShowCommand: Command {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Print the current context's name.")

    func run() async throws {
        Console.out((try EngineChooser.current().contextName() ?? ContextStore.defaultName) + "\n")
    }
}

struct ContextInspectCommand: Command {
    static let configuration = CommandConfiguration(commandName: "inspect", abstract: "Show all of contexts.")
    @Option("f|format", help: "A template such as '{{.Name}}'.")
    var format: String?
    @Argument("CONTEXT") var names: [String] = []

    func run() async throws {
        let chooser = try EngineChooser.current()
        let wanted = names.isEmpty ? [try chooser.contextName() ?? ContextStore.defaultName] : names
        var bodies: [JSONValue] = []
        for name in wanted { bodies.append(try body(name, chooser)) }
        guard let format else {
            return Console.out(String(decoding: JSONValue.array(bodies).prettyBytes(), as: UTF8.self) + "\n")
        }
        for body in bodies { Console.out(try Template.filled(format, with: body) + "\n") }
    }

    private func body(_ name: String, _ chooser: EngineChooser) throws(EngineError) -> JSONValue {
        let isDefault = name == ContextStore.defaultName
        let context =
            isDefault
            ? StoredContext(
                name: name, description: "", host: try chooser.defaultHost(), skipsVerification: false)
            : try chooser.store.find(name)
        let files = isDefault ? [] : chooser.store.certificateFiles(name).keys.sorted()
        return [
            "Name": .string(context.name), "Metadata": context.body["Metadata"] ?? [:],
            "Endpoints": context.body["Endpoints"] ?? [:],
            "TLSMaterial": files.isEmpty ? [:] : ["docker": .array(files.map { .string($0) })],
            "Storage": [
                "MetadataPath": .string(isDefault ? "<IN MEMORY>" : chooser.store.metadataPath(name)),
                "TLSPath": .string(isDefault ? "<IN MEMORY>" : chooser.store.tlsPath(name)),
            ],
        ]
    }
}

struct ContextCreateCommand: Command {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a context.")
    @Option("description", help: "What it is for.") var description = ""
    @Option("docker", help: "host=…[,ca=FILE][,cert=FILE][,key=FILE][,skip-tls-verify=true]") var docker: String?
    @Option("from", help: "Make it as another one is.") var from: String?
    @Argument("CONTEXT") var name: String

    func run() async throws {
        let store = try EngineChooser.current().store
        try store.checkFree(name)
        let (context, certificates) = try from.map { try copy($0, store) } ?? made()
        try store.write(context, certificates: certificates)
        Console.out("\(name)\n")
        Console.error("Successfully created context \"\(name)\"\n")
    }

    private func made() throws -> (StoredContext, [String: [UInt8]]) {
        guard let docker else { throw UsageError(message: "docker endpoint configuration is required", code: 1) }
        var options: [String: String] = [:]
        for pair in docker.split(separator: ",") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, ["host", "ca", "cert", "key", "skip-tls-verify"].contains(sides[0]) else {
                throw UsageError(message: "invalid docker endpoint option: \(pair)", code: 1)
            }
            options[sides[0]] = sides[1]
        }
        let host = options["host"] ?? ""
        if !host.isEmpty { _ = try EngineAddress(host) }
        var certificates: [String: [UInt8]] = [:]
        for (option, file) in [("ca", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem")] {
            guard let path = options[option] else { continue }
            certificates[file] = try Self.content(path)
        }
        let skips = ["1", "true"].contains(options["skip-tls-verify"]?.lowercased() ?? "")
        return (
            StoredContext(name: name, description: description, host: host, skipsVerification: skips), certificates
        )
    }

    private func copy(_ source: String, _ store: ContextStore) throws -> (StoredContext, [String: [UInt8]]) {
        let found = try store.find(source)
        var certificates: [String: [UInt8]] = [:]
        for (file, path) in store.certificateFiles(source) { certificates[file] = try Self.content(path) }
        let words = description.isEmpty ? found.description : description
        return (
            StoredContext(
                name: name, description: words, host: found.host, skipsVerification: found.skipsVerification),
            certificates
        )
    }

    private static func content(_ path: String) throws -> [UInt8] {
        do throws(KernelError) { return try FileContents.read(path, limitBytes: 1 << 20) } catch {
            throw UsageError(message: "unable to create docker endpoint config: \(error)", code: 1)
        }
    }
}

extension ContextStore {
    /// Refuses a name that no new context can have.
    func checkFree(_ name: String) throws {
        guard StoredContext.isName(name) else {
            throw UsageError(
                message: "context name \"\(name)\" is invalid, names are validated against regexp "
                    + "\"^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$\"", code: 1)
        }
        guard name != Self.defaultName else {
            throw UsageError(message: "\"default\" is a reserved context name", code: 1)
        }
        guard try all().allSatisfy({ $0.name != name }) else {
            throw UsageError(message: "context \"\(name)\" already exists", code: 1)
        }
    }
}

struct ContextRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove contexts.", aliases: ["remove"])
    @Flag("f|force", help: "Also the one in use.") var force = false
    @Argument("CONTEXT") var names: [String]

    func run() async throws {
        let store = try EngineChooser.current().store
        var failed = false
        for name in names {
            do throws(EngineError) {
                try remove(name, store)
                Console.out("\(name)\n")
            } catch {
                Console.error("\(error.message)\n")
                failed = true
            }
        }
        if failed { throw ExitStatus(code: 1) }
    }

    private func remove(_ name: String, _ store: ContextStore) throws(EngineError) {
        guard name != ContextStore.defaultName else {
            throw EngineError(.invalid, "context \"default\" cannot be removed", object: name)
        }
        if !force { _ = try store.find(name) }
        if try store.current() == name {
            guard force else {
                throw EngineError(.conflict, "context \"\(name)\" is in use, set -f flag to force remove", object: name)
            }
            try store.use(nil)
        }
        try store.remove(name)
    }
}
