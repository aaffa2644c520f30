import ArgumentParser
import EngineAPI
import OCI
import Registry

struct PullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pull", abstract: "Pull an image from a registry.")
    @Flag(name: [.short, .long], help: "Do not show progress.") var quiet = false
    @Option(help: "os/architecture[/variant], instead of this machine's.") var platform: String?
    @Argument(help: "NAME[:TAG|@DIGEST]") var image: String

    func run() async throws {
        let request = ImagePullRequest(image, platform: platform)
        try await pull(request, by: try await CommandEnvironment.connect(), quietly: quiet, onto: .output)
        // Docker's last word: what the short name meant.
        if let name = try? Reference(image).withDefaultTag.description { Console.out("\(name)\n") }  // It was pulled.
    }
}

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "push", abstract: "Push an image to a registry.")
    @Flag(name: [.short, .long], help: "Do not show progress.") var quiet = false
    @Argument(help: "NAME[:TAG]") var image: String

    func run() async throws {
        let engine = try await CommandEnvironment.connect()
        let request = ImagePushRequest(image, credentials: try await StoredCredentials.find(for: image))
        var display = TransferDisplay(onto: .output, isQuiet: quiet)
        for try await step in try await engine.pushImage(request) { display.show(step) }
        if quiet { Console.out("\(familiarName(image))\n") }
    }
}

/// Pulls with docker's progress. Cancelling ends the pull.
func pull(
    _ request: ImagePullRequest, by engine: any Engine, quietly: Bool, onto output: TransferDisplay.Output
) async throws {
    var request = request
    request.credentials = try await StoredCredentials.find(for: request.reference)
    let (_, tag) = (request.reference, familiarName(request.reference))
    if !quietly, tag != request.reference, tag.hasSuffix(":latest") { output.write("Using default tag: latest\n") }
    var display = TransferDisplay(onto: output, isQuiet: quietly)
    for try await step in try await engine.pullImage(request) { display.show(step) }
}

/// The name as docker shows it, with its tag; the text itself where it is no name.
func familiarName(_ text: String) -> String {
    do throws(ReferenceError) { return try Reference(text).withDefaultTag.familiar } catch { return text }
}

/// When `run` and `create` pull.
enum PullPolicy: String, ExpressibleByArgument, CaseIterable {
    case missing, always, never
}

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Keep credentials for a registry, after trying them.")
    @Option(name: [.short, .long], help: "The user's name.") var username: String?
    @Option(name: [.short, .long], help: "The password; other users of this machine may see it here.")
    var password: String?
    @Flag(help: "Read the password from standard input.") var passwordStdin = false
    @Argument(help: "The registry; docker's own without it.") var server: String?

    func run() async throws {
        let registry = StoredCredentials.registry(server)
        if passwordStdin, password != nil {
            throw UsageError(message: "--password and --password-stdin are mutually exclusive", code: 1)
        }
        let user = try username ?? LinePrompt.line("Username: ")
        let secret = try passwordStdin ? LinePrompt.all() : password ?? LinePrompt.secret("Password: ")
        guard !user.isEmpty, !secret.isEmpty else {
            throw UsageError(message: "a username and a password are required", code: 1)
        }
        let credentials = ImageCredentials(user: user, password: secret)
        var kept = ImageCredentials(user: user, password: secret)
        if let token = try await CommandEnvironment.connect().checkCredentials(credentials, at: registry) {
            // It may be taken back by itself, which the password cannot.
            (kept.identityToken, kept.password) = (token, "")
        }
        let isReadable = try await StoredCredentials.keep(kept, for: registry)
        if isReadable {
            Console.error(
                "WARNING! Your password will be stored unencrypted in \(try StoredCredentials.file().path).\n")
        }
        Console.out("Login Succeeded\n")
    }
}

struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forget the credentials for a registry.")
    @Argument(help: "The registry; docker's own without it.") var server: String?

    func run() async throws {
        let registry = StoredCredentials.registry(server)
        Console.out("Removing login credentials for \(server ?? "https://index.docker.io/v1/")\n")
        if try await !StoredCredentials.forget(registry) { Console.error("Not logged in to \(registry)\n") }
    }
}
