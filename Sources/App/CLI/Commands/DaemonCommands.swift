import EngineAPI

struct DaemonCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Host the engine and serve its API until a signal comes.",
        discussion: """
            Containers run on when the daemon ends. No command needs a daemon to be started.

            TCP is served to clients with a certificate alone: --tlsverify with the three files.
            """)
    @Option("H|host", help: "A further socket to serve: unix:///path/to/socket, tcp://host:port, fd:// (from systemd).")
    var host: [String] = []
    @Flag("tlsverify", help: "Serve TCP to clients whose certificate an authority of ours has signed.") var tlsverify =
        false
    @Option("tlscacert", help: "The authorities of clients' certificates.") var tlscacert: String?
    @Option("tlscert", help: "The certificate of this server.") var tlscert: String?
    @Option("tlskey", help: "Its key.") var tlskey: String?
    @Flag("unsafe-plain-tcp", help: "Serve TCP on the loopback without TLS: every process of the machine is root then.")
    var unsafePlainTCP = false
    @Option("metrics-addr", help: "host:port at which Prometheus finds figures.") var metricsAddr: String?
    @Option("log-format", help: "text or json.") var logFormat = "text"

    func run() async throws {
        guard ["text", "json"].contains(logFormat) else {
            throw UsageError(message: "invalid log format `\(logFormat)`: choose text or json", code: 1)
        }
        let environment = try CommandEnvironment.required()
        var options = CommandEnvironment.DaemonOptions()
        options.hosts = host
        options.tls = environment.options.tls
        options.tls.verifies = options.tls.verifies || tlsverify
        options.tls.authorityFile = tlscacert ?? options.tls.authorityFile
        options.tls.certificateFile = tlscert ?? options.tls.certificateFile
        options.tls.keyFile = tlskey ?? options.tls.keyFile
        options.allowsPlainTCP = unsafePlainTCP
        options.metricsAddress = metricsAddr
        options.logFormat = logFormat
        let code = try await environment.runDaemon(environment.options, options)
        if code != 0 { throw ExitStatus(code: code) }
    }
}

struct DialStdioCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "dial-stdio",
        abstract: "Join standard input and output to the engine's API, for clients that come by ssh.",
        shouldDisplay: false)

    func run() async throws {
        let environment = try CommandEnvironment.required()
        try await environment.dialStdio(environment.options)
    }
}
