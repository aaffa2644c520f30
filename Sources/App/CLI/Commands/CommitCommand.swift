import EngineAPI

struct CommitCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Make an image of what a container has changed of its own.")
    @Option("a|author", help: "Who made it.") var author = ""
    @Option(
        "c|change",
        help: "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR.")
    var change: [String] = []
    @Option("m|message", help: "A word about it.") var message = ""
    @Flag("p|pause", help: "Let its processes rest while its files are read.")
    var pause = true
    @Argument("CONTAINER") var container: String
    @Argument("REPOSITORY[:TAG]") var name: String?

    func run() async throws {
        var request = ContainerCommitRequest(name: name)
        (request.author, request.message) = (author, message)
        (request.changes, request.pauses) = (change, pause)
        Console.out(try await CommandEnvironment.connect().commitContainer(container, request) + "\n")
    }
}
