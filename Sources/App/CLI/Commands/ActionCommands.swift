import DockerAPI
import EngineAPI

/// How a container is to be stopped.
struct StopOptions: CommandOptions {
    @Option("t|timeout|time", help: "Seconds before SIGKILL.")
    var timeout: Int?
    @Option("s|signal", help: "The signal to send.") var signal: String?
    @Argument("CONTAINER") var containers: [String]
}

struct StopCommand: Command {
    static let configuration = CommandConfiguration(commandName: "stop", abstract: "Stop running containers.")
    @OptionGroup var options: StopOptions

    func run() async throws {
        let (signal, timeout) = (options.signal, options.timeout)
        try await forEachAtOnce(options.containers) { engine, reference throws(EngineError) in
            try await engine.stop(reference, signal: signal, timeoutSeconds: timeout)
            return reference
        }
    }
}

struct RestartCommand: Command {
    static let configuration = CommandConfiguration(commandName: "restart", abstract: "Restart containers.")
    @OptionGroup var options: StopOptions

    func run() async throws {
        let (signal, timeout) = (options.signal, options.timeout)
        try await forEach(options.containers) { engine, reference throws(EngineError) in
            try await engine.restart(reference, signal: signal, timeoutSeconds: timeout)
        }
    }
}

struct KillCommand: Command {
    static let configuration = CommandConfiguration(commandName: "kill", abstract: "Send a signal to containers.")
    @Option("s|signal", help: "The signal to send.") var signal = "KILL"
    @Argument("CONTAINER") var containers: [String]

    func run() async throws {
        let signal = signal
        try await forEachAtOnce(containers) { engine, reference throws(EngineError) in
            try await engine.kill(reference, signal: signal)
            return reference
        }
    }
}

struct PauseCommand: Command {
    static let configuration = CommandConfiguration(commandName: "pause", abstract: "Pause all processes.")
    @Argument("CONTAINER") var containers: [String]

    func run() async throws {
        try await forEachAtOnce(containers) { engine, reference throws(EngineError) in
            try await engine.pause(reference)
            return reference
        }
    }
}

struct UnpauseCommand: Command {
    static let configuration = CommandConfiguration(commandName: "unpause", abstract: "Let paused processes go on.")
    @Argument("CONTAINER") var containers: [String]

    func run() async throws {
        try await forEachAtOnce(containers) { engine, reference throws(EngineError) in
            try await engine.unpause(reference)
            return reference
        }
    }
}

struct RemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove containers.", aliases: ["remove"])
    @Flag("f|force", help: "Kill it first if it runs.") var force = false
    @Flag("v|volumes", help: "Remove its anonymous volumes.") var volumes = false
    @Flag("l|link", help: "Remove the link OWNER/ALIAS; the containers stay.") var link = false
    @Argument("CONTAINER") var containers: [String]

    func run() async throws {
        let (force, volumes, link) = (force, volumes, link)
        // As docker: with --force what is not there is as good as removed, but said.
        try await forEachAtOnce(containers, excusing: { force && $0.kind == .notFound }) {
            engine, reference throws(EngineError) in
            if link {
                try await engine.removeLink(reference)
            } else {
                try await engine.remove(reference, force: force, volumes: volumes)
            }
            return reference
        }
    }
}

struct RenameCommand: Command {
    static let configuration = CommandConfiguration(commandName: "rename", abstract: "Rename a container.")
    @Argument("CONTAINER") var container: String
    @Argument("NEW_NAME") var newName: String

    func run() async throws {
        try await CommandEnvironment.connect().rename(container, to: newName)
    }
}

struct WaitCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until containers stop, then print their exit codes.")
    @Argument("CONTAINER") var containers: [String]

    func run() async throws {
        try await forEachAtOnce(containers) { engine, reference throws(EngineError) in
            "\(try await engine.wait(reference, for: .notRunning).exitCode)"
        }
    }
}

struct StartCommand: Command {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start stopped containers.")
    @Flag("a|attach", help: "Attach to its output, and pass signals on.") var attach = false
    @Flag("i|interactive", help: "Attach to its input too.") var interactive = false
    @Option("detach-keys", help: "The keys that detach.") var detachKeys: String?
    @Flag("sig-proxy", help: "Pass signals on to the process.") var sigProxy = true
    @Argument("CONTAINER") var containers: [String]

    func run() async throws {
        guard attach || interactive else {
            return try await forEach(containers, summary: "failed to start containers") {
                engine, reference throws(EngineError) in
                try await engine.start(reference)
            }
        }
        guard containers.count == 1 else {
            throw UsageError(message: "you cannot start and attach multiple containers at once", code: 1)
        }
        let keys = try DetachKeys(parsing: detachKeys)
        let engine = try await CommandEnvironment.connect()
        let details = try await engine.inspect(containers[0])
        let id = details.id
        let input = interactive && details.spec.openStdin
        let stream = try await engine.attach(id, AttachRequest(stdin: input, holdsBack: true))
        let wait = try await engine.beginWait(id, for: details.spec.autoRemove ? .removed : .nextExit)
        try await engine.start(id)
        var session = InteractiveSession(
            stream: stream, tty: details.spec.tty, forwardsInput: input, detachKeys: keys,
            resize: { await resizeQuietly(engine, id, $0) })
        if sigProxy, !details.spec.tty { session.forwardSignal = { await killQuietly(engine, id, $0) } }
        try await finishSession(session, wait)
    }
}
