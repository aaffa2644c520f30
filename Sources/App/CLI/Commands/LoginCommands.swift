import EngineAPI

struct LoginCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Keep credentials for a registry, after trying them.")
    @Option("u|username", help: "The user's name.") var username: String?
    @Option("p|password", help: "The password; other users of this machine may see it here.")
    var password: String?
    @Flag("password-stdin", help: "Read the password from standard input.") var passwordStdin = false
    @Argument("SERVER") var server: String?

    func run() async throws {
        let registry = StoredCredentials.registry(server)
        try checkPassword()
        if password != nil {
            Console.error("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")
        }
        if username == nil, password == nil, try await isKnown(at: registry) { return Console.out("Login Succeeded\n") }
        if !passwordStdin, password == nil { try LinePrompt.checkTerminal() }
        let user = try username ?? LinePrompt.line("Username: ")
        let secret = try passwordStdin ? LinePrompt.all() : password ?? LinePrompt.secret("Password: ")
        guard !user.isEmpty, !secret.isEmpty else {
            throw UsageError(message: "a username and a password are required", code: 1)
        }
        try await check(ImageCredentials(user: user, password: secret), at: registry)
        Console.out("Login Succeeded\n")
    }

    /// Tries what is stored for the registry; false where nothing is, or it does not let in any more.
    private func isKnown(at registry: String) async throws -> Bool {
        guard let stored = await StoredCredentials.findForTransfer(at: registry),
            !stored.user.isEmpty || stored.identityToken != nil
        else { return false }
        Console.out("Authenticating with existing credentials... [Username: \(stored.user)]\n")
        do {
            try await check(stored, at: registry)
            return true
        } catch let error as EngineError where error.kind == .denied {
            Console.error("Login did not succeed, error: \(error.message)\n")
            return false
        }
    }

    /// Has the engine try them, and keeps what let it in.
    private func check(_ credentials: ImageCredentials, at registry: String) async throws {
        var kept = credentials
        if let token = try await CommandEnvironment.connect().checkCredentials(credentials, at: registry) {
            // It may be taken back by itself, which the password cannot.
            (kept.identityToken, kept.password) = (token, "")
        }
        if try await StoredCredentials.keep(kept, for: registry) {
            Console.error(
                "WARNING! Your password will be stored unencrypted in \(try StoredCredentials.file().path).\n")
        }
    }

    /// - Throws: docker's words where nobody can tell which line is the password.
    private func checkPassword() throws(UsageError) {
        guard passwordStdin else { return }
        guard password == nil else {
            throw UsageError(
                message: "conflicting options: cannot specify both --password and --password-stdin", code: 1,
                opening: "")
        }
        guard username?.isEmpty == false else {
            throw UsageError(
                message: "the --password-stdin option requires --username to be set", code: 1, opening: "")
        }
    }
}

struct LogoutCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forget the credentials for a registry.")
    @Argument("SERVER") var server: String?

    func run() async throws {
        let registry = StoredCredentials.registry(server)
        Console.out("Removing login credentials for \(server ?? "https://index.docker.io/v1/")\n")
        if try await !StoredCredentials.forget(registry) { Console.error("Not logged in to \(registry)\n") }
    }
}
