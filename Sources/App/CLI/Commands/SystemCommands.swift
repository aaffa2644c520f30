import DockerAPI
import EngineAPI
import JSON

struct VersionCommand: Command {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print versions.")
    @Flag("client", help: "This program's alone, without an engine.") var client = false
    @Option("f|format", help: "A template such as '{{.Server.Version}}'.")
    var format: String?

    func run() async throws {
        let environment = try CommandEnvironment.required()
        if client { return Console.out(text("Client", environment.version)) }
        let server = try await CommandEnvironment.connect().version()
        guard let format else {
            return Console.out(text("Client", environment.version) + "\n" + text("Server", server))
        }
        let isWhole = format == "json"
        let bodies = [environment.version, server].map { isWhole ? $0.dockerBody : $0.templateBody }
        Console.out(try Template.filled(format, with: ["Client": bodies[0], "Server": bodies[1]]) + "\n")
    }

    private func text(_ title: String, _ version: EngineVersion) -> String {
        var lines = [
            "\(title): \(version.name)", " Version:      \(version.version)",
            " API version:  \(version.apiVersion) (minimum version \(version.minimumAPIVersion))",
            " OS/Arch:      \(version.os)/\(version.architecture)",
        ]
        if !version.gitCommit.isEmpty { lines.append(" Git commit:   \(version.gitCommit)") }
        if !version.kernelVersion.isEmpty { lines.append(" Kernel:       \(version.kernelVersion)") }
        for (name, number) in version.components.sorted(by: { $0.key < $1.key }) {
            lines.append(" \(name): \(number)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension EngineVersion {
    /// With the names that docker's templates have for what its JSON calls otherwise.
    fileprivate var templateBody: JSONValue {
        var body = dockerBody.object ?? JSONObject()
        body["APIVersion"] = .string(apiVersion)
        body["DefaultAPIVersion"] = .string(apiVersion)
        return .object(body)
    }
}

struct InfoCommand: Command {
    static let configuration = CommandConfiguration(commandName: "info", abstract: "Show the engine and its machine.")
    @Option("f|format", help: "A template such as '{{.Driver}}'.")
    var format: String?

    func run() async throws {
        let info = try await CommandEnvironment.connect().info()
        if let format { return Console.out(try Template.filled(format, with: info.dockerBody(now: .now())) + "\n") }
        Console.out(text(info))
        for warning in info.warnings {
            // Docker's engine writes the word itself.
            Console.error((warning.hasPrefix("WARNING") ? "" : "WARNING: ") + warning + "\n")
        }
    }

    private func text(_ info: EngineInfo) -> String {
        let total = info.containersRunning + info.containersPaused + info.containersStopped
        return """
            Containers: \(total)
             Running: \(info.containersRunning)
             Paused: \(info.containersPaused)
             Stopped: \(info.containersStopped)
            Images: \(info.images)
            Server Version: \(info.serverVersion)
            Storage Driver: \(info.storageDriver)
            Logging Driver: \(info.loggingDriver)
            Cgroup Driver: \(info.cgroupDriver)
            Cgroup Version: \(info.cgroupVersion)
            Runtimes: \(info.runtimes.joined(separator: " "))
            Default Runtime: \(info.defaultRuntime)
            Security Options: \(info.securityOptions.joined(separator: " "))
            Kernel Version: \(info.kernelVersion)
            Operating System: \(info.operatingSystem)
            Architecture: \(info.architecture)
            CPUs: \(info.cpuCount)
            Total Memory: \(Units.binary(UInt64(clamping: info.memoryBytes)))
            Name: \(info.name)
            ID: \(info.id)
            Gantry Root Dir: \(info.dataRoot)
            Debug Mode: \(info.isDebugging)

            """ + (info.labels.isEmpty ? "" : "Labels:\n" + info.labels.map { " \($0)\n" }.joined())
    }
}

struct CompletionCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print a completion script: bash, zsh or fish.")
    @Argument("bash|zsh|fish") var shell: String

    func run() async throws {
        guard let script = CompletionScript(rawValue: shell) else {
            throw UsageError(message: "unknown shell `\(shell)`: choose bash, zsh or fish", code: 1)
        }
        Console.out(script.text)
    }
}
