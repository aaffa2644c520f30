import DockerAPI
import EngineAPI
import Linux

struct AttachCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Attach to a running container's standard streams.")
    @Flag("no-stdin", help: "Do not attach to its input.") var noStdin = false
    @Flag("sig-proxy", help: "Pass signals on to the process.") var sigProxy = true
    @Option("detach-keys", help: "The keys that detach.") var detachKeys: String?
    @Argument("CONTAINER") var container: String

    func run() async throws {
        let keys = try DetachKeys(parsing: detachKeys)
        let engine = try await CommandEnvironment.connect()
        let details = try await engine.inspect(container)
        let id = details.id
        switch details.state.status {
        case .running: break
        case .paused:
            throw UsageError(message: "you cannot attach to a paused container, unpause it first", code: 1)
        default: throw UsageError(message: "you cannot attach to a stopped container, start it first", code: 1)
        }
        let input = !noStdin && details.spec.openStdin
        if details.spec.tty, input, !Console.inputIsTerminal {
            throw UsageError(message: "the input device is not a TTY", code: 1)
        }
        let wait = try await engine.beginWait(id, for: .notRunning)
        let stream = try await engine.attach(id, AttachRequest(stdin: input, holdsBack: true))
        var session = InteractiveSession(
            stream: stream, tty: details.spec.tty, forwardsInput: input, detachKeys: keys,
            resize: { await resizeQuietly(engine, id, $0) })
        if sigProxy, !details.spec.tty { session.forwardSignal = { await killQuietly(engine, id, $0) } }
        try await finishSession(session, wait, detachedNote: "read escape sequence")
    }
}

struct ExecCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a further command in a running container.")
    @Flag("i|interactive", help: "Keep standard input open.") var interactive = false
    @Flag("t|tty", help: "Allocate a pseudo terminal.") var tty = false
    @Flag("d|detach", help: "Run in the background.") var detach = false
    @Option("e|env", help: "Set an environment variable.")
    var env: [String] = []
    @Option("env-file", help: "Read environment variables from a file.") var envFile: [String] =
        []
    @Option("w|workdir", help: "The working directory.") var workdir: String?
    @Option("u|user", help: "User, and group after a colon.")
    var user: String?
    @Flag("privileged", help: "All capabilities.") var privileged = false
    @Option("detach-keys", help: "The keys that detach.") var detachKeys: String?
    @Argument("CONTAINER COMMAND [ARG...]", minimum: 2, isHandedOn: true)
    var words: [String] = []

    func run() async throws {
        let keys = try DetachKeys(parsing: detachKeys)
        let container = words[0]
        if tty, interactive, !detach, !Console.inputIsTerminal {
            throw UsageError(message: "the input device is not a TTY", code: 1)
        }
        let engine = try await CommandEnvironment.connect()
        let exec: ExecSpec
        do throws(UsageError) { exec = try spec(Array(words.dropFirst())) } catch {
            throw UsageError(message: error.message, code: 1, opening: "")
        }
        var hasBegun = false
        do {
            let id = try await engine.createExec(container, exec)
            hasBegun = true
            if detach { return try await engine.startExecDetached(id) }
            try await attached(engine, id, keys)
        } catch let error as EngineError {
            Console.error(Refusals.line(error))
            throw ExitStatus(code: hasBegun ? Refusals.execExitCode(error) : 1)
        }
    }

    private func spec(_ command: [String]) throws(UsageError) -> ExecSpec {
        var spec = ExecSpec(command: command)
        spec.environment = try EnvironmentOption.variables(files: envFile, words: env)
        spec.workingDirectory = workdir
        spec.user = user
        spec.tty = tty
        spec.attachStdin = interactive && !detach
        spec.attachStdout = !detach
        spec.attachStderr = !detach
        spec.privileged = privileged
        return spec
    }

    private func attached(_ engine: any Engine, _ id: String, _ keys: DetachKeys) async throws {
        let stream = try await engine.startExec(id, size: tty ? UserTerminal.size : nil)
        let session = InteractiveSession(
            stream: stream, tty: tty, forwardsInput: interactive, detachKeys: keys,
            resize: { size in
                do throws(EngineError) { try await engine.resizeExec(id, to: size) } catch {
                    // It has just ended.
                }
            })
        try await finishSession(session, nil, detachedNote: "read escape sequence")
        let details = try await engine.inspectExec(id)
        if let code = details.exitCode, code != 0 { throw ExitStatus(code: code) }
    }
}

struct LogsCommand: Command {
    static let configuration = CommandConfiguration(commandName: "logs", abstract: "Print a container's output.")
    @Flag("f|follow", help: "Stay for new lines.") var follow = false
    @Flag("t|timestamps", help: "Print each line's time.") var timestamps = false
    @Option("n|tail", help: "Only so many lines from the end.")
    var tail = "all"
    @Option("since", help: "From a time, or from so long ago: 2026-01-02T15:04:05Z, 10m.") var since: String?
    @Option("until", help: "Up to a time.") var until: String?
    @Flag("details", help: "Print what the log has beside each line.") var details = false
    @Argument("CONTAINER") var container: String

    func run() async throws {
        var request = LogRequest()
        request.follow = follow
        request.details = details
        request.times = timestamps
        request.tail = Int(tail).flatMap { $0 >= 0 ? $0 : nil }
        request.since = try Moment.parse(since, "since")
        request.until = try Moment.parse(until, "until")
        let stream = try await CommandEnvironment.connect().logs(container, request)
        for try await entries in stream {
            // In their order, also where both streams go to one place: as many lines at once as go the same way.
            var start = entries.startIndex
            while start < entries.endIndex {
                let source = entries.lines[start].source
                let end = entries.lines[start...].firstIndex { $0.source != source } ?? entries.endIndex
                let target: Descriptor = source == .stdout ? .standardOutput : .standardError
                let isRead = try await Console.pass(text(entries, start..<end), to: target)
                if !isRead, source == .stdout { return }
                start = end
            }
        }
    }

    private func text(_ entries: LogBatch, _ run: Range<Int>) -> [UInt8] {
        timestamps || details ? entries[run].flatMap(line) : Array(entries.bytes[entries.places(of: run)])
    }

    private func line(_ entry: LogEntry) -> [UInt8] {
        (timestamps ? entry.time.rfc3339NanoBytes + [32] : []) + (details ? Array(entry.details.utf8) + [32] : [])
            + entry.bytes
    }
}
