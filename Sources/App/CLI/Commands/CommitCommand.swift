import ArgumentParser
import EngineAPI

struct CommitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Make an image of what a container has changed of its own.")
    @Option(name: [.short, .long], help: "Who made it.") var author = ""
    @Option(
        name: [.short, .long], parsing: .unconditionalSingleValue,
        help: "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR.")
    var change: [String] = []
    @Option(name: [.short, .long], help: "A word about it.") var message = ""
    @Flag(
        name: [.customShort("p"), .long], inversion: .prefixedNo,
        help: "Let its processes rest while its files are read.")
    var pause = true
    @Argument var container: String
    @Argument(help: "NAME[:TAG]") var name: String?

    func run() async throws {
        var request = ContainerCommitRequest(name: name)
        (request.author, request.message) = (author, message)
        (request.changes, request.pauses) = (change, pause)
        Console.out(try await CommandEnvironment.connect().commitContainer(container, request) + "\n")
    }
}
