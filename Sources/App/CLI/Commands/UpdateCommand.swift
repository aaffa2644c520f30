import DockerAPI
import EngineAPI
import JSON

struct UpdateCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change limits and restart policies of containers.")
    @OptionGroup var limits: LimitOptions
    @Option("restart", help: "no, always, unless-stopped, on-failure[:COUNT].") var restart: String?
    @Argument("CONTAINER") var containers: [String]

    func run() async throws {
        var body = JSONObject(try limits.members())
        if let restart { body["RestartPolicy"] = try RestartPolicy(option: restart).dockerBody }
        guard !body.isEmpty else {
            throw UsageError(message: "you must provide one or more flags when using this command", code: 1)
        }
        let update = try ContainerUpdate(dockerBody: BodyReader(.object(body)))
        try await forEach(containers) { engine, reference throws(EngineError) in
            for warning in try await engine.update(reference, update) { Console.error("WARNING: \(warning)\n") }
        }
    }
}
