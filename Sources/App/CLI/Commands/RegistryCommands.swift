import EngineAPI
import OCI
import Registry

struct PullCommand: Command {
    static let configuration = CommandConfiguration(commandName: "pull", abstract: "Pull an image from a registry.")
    @Flag("q|quiet", help: "Do not show progress.") var quiet = false
    @Flag("a|all-tags", help: "Pull every tag of the repository.") var allTags = false
    @Option("platform", help: "os/architecture[/variant], instead of this machine's.") var platform: String?
    @Argument("NAME[:TAG|@DIGEST]") var image: String

    func run() async throws {
        var request = ImagePullRequest(image, platform: platform)
        request.allTags = allTags
        if allTags { try checkIsName(image) }
        guard !image.isEmpty else { throw UsageError(message: "invalid reference format", code: 1, opening: "") }
        try await pull(request, by: try await CommandEnvironment.connect(), quietly: quiet, onto: .output)
        // Docker's last word: what the short name meant.
        guard let reference = try? Reference(image) else { return }  // It was pulled.
        Console.out("\(allTags ? reference.name : reference.withDefaultTag.description)\n")
    }
}

struct PushCommand: Command {
    static let configuration = CommandConfiguration(commandName: "push", abstract: "Push an image to a registry.")
    @Flag("q|quiet", help: "Do not show progress.") var quiet = false
    @Flag("a|all-tags", help: "Push every tag of the repository.") var allTags = false
    @Argument("NAME[:TAG]") var image: String

    func run() async throws {
        if allTags { try checkIsName(image) }
        let engine = try await CommandEnvironment.connect()
        var request = ImagePushRequest(image, credentials: await StoredCredentials.findForTransfer(of: image))
        request.allTags = allTags
        var display = TransferDisplay(onto: .output, isQuiet: quiet)
        for try await step in try await engine.pushImage(request) { display.show(step) }
        if quiet { Console.out("\(allTags ? image : familiarName(image))\n") }
    }
}

private func checkIsName(_ image: String) throws(UsageError) {
    let parsed = try? Reference(image)  // What is no name the engine refuses, in its words.
    guard parsed?.tag == nil, parsed?.digest == nil else {
        throw UsageError(message: "tag can't be used with --all-tags/-a", code: 1)
    }
}

/// Pulls with docker's progress. Cancelling ends the pull.
///
/// - Parameter telling: say which tag is meant where none was given.
func pull(
    _ request: ImagePullRequest, by engine: any Engine, quietly: Bool, onto output: TransferDisplay.Output,
    telling: Bool = true
) async throws {
    var request = request
    request.credentials = await StoredCredentials.findForTransfer(of: request.reference)
    let tag = familiarName(request.reference)
    if telling, !quietly, !request.allTags, tag != request.reference, tag.hasSuffix(":latest") {
        output.write("Using default tag: latest\n")
    }
    var display = TransferDisplay(onto: output, isQuiet: quietly)
    for try await step in try await engine.pullImage(request) { display.show(step) }
}

/// The name as docker shows it, with its tag; the text itself where it is no name.
func familiarName(_ text: String) -> String {
    do throws(ReferenceError) { return try Reference(text).withDefaultTag.familiar } catch { return text }
}

/// When `run` and `create` pull.
enum PullPolicy: String, FlagValue, CaseIterable {
    case missing, always, never
}
