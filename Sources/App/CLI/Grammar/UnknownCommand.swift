/// What is said to a line that names no command.
enum UnknownCommand {
    /// - Parameter words: those that should have named one: one, or that of a group and what follows it.
    static func error(_ words: [String]) -> UsageError {
        let isGroup = words.count > 1
        return UsageError(
            message: "'\(words.joined(separator: " "))' is not a gantry command"
                + (isGroup ? "" : elsewhere[words[0]].map { ": \($0)" } ?? "")
                + ".\nSee 'gantry \(isGroup ? words[0] + " " : "")--help'.", code: 1)
    }

    /// Commands that docker's users know, and how one comes to what they want here.
    private static let elsewhere = [
        "build": "images are not built here; `gantry load` takes the archives of those that build them",
        "buildx": "images are not built here; `gantry load` takes the archives of those that build them",
        "builder": "images are not built here; `gantry load` takes the archives of those that build them",
        "compose": "docker-compose drives Gantry, with DOCKER_HOST naming the socket of `gantry daemon`",
        "search": "registries are not searched; `gantry pull` takes an image by its name",
        "swarm": "an engine is for one machine",
        "service": "an engine is for one machine",
        "stack": "an engine is for one machine",
        "node": "an engine is for one machine",
        "plugin": "there are no managed plugins",
    ]
}
