import DockerAPI
import EngineAPI
import Glibc
import Linux

struct RunCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Create and start a container.")

    @Flag("d|detach", help: "Run in the background and print the id.") var detach = false
    @OptionGroup var options: ContainerOptions
    @Argument("IMAGE [COMMAND] [ARG...]", minimum: 1, isHandedOn: true)
    var words: [String] = []

    func run() async throws {
        let keys = try DetachKeys(parsing: options.detachKeys)
        guard !detach || options.attach.isEmpty else {
            throw UsageError(message: "conflicting options: cannot specify both --attach and --detach", code: 1)
        }
        let request = try CreateBody(options: options, words: words, attaches: !detach).request()
        if options.tty, options.interactive, !detach, !Console.inputIsTerminal {
            throw UsageError(message: "the input device is not a TTY", code: 1)
        }
        let engine = try await CommandEnvironment.connect()
        let id = try await createContainer(engine, request, options)
        guard detach else { return try await attached(engine, id, keys) }
        // As docker: told also where it cannot be started.
        defer { Console.out(id + "\n") }
        try await start(engine, id)
    }

    private func attached(_ engine: any Engine, _ id: String, _ keys: DetachKeys) async throws {
        let chosen = Set(options.attach.map { $0.lowercased() })
        let all = chosen.isEmpty
        let input = options.interactive && (all || chosen.contains("stdin"))
        let request = AttachRequest(
            stdin: input, stdout: all || chosen.contains("stdout"), stderr: all || chosen.contains("stderr"),
            holdsBack: true)
        let stream = try await engine.attach(id, request)
        let wait = try await engine.beginWait(id, for: options.rm ? .removed : .nextExit)
        do {
            try await start(engine, id)
        } catch {
            await stream.close()
            throw error
        }
        var session = InteractiveSession(
            stream: stream, tty: options.tty, forwardsInput: input, detachKeys: keys,
            resize: { size in await resizeQuietly(engine, id, size) })
        // As docker's: with a terminal, too, where a key is no signal but `kill` and `timeout` send some.
        if options.sigProxy { session.forwardSignal = { await killQuietly(engine, id, $0) } }
        try await finishSession(session, wait)
    }

    /// A container that `--rm` would have removed after its end is removed after a start that failed, too.
    private func start(_ engine: any Engine, _ id: String) async throws(EngineError) {
        do throws(EngineError) { try await engine.start(id) } catch {
            if options.rm, error.kind != .cancelled {
                do throws(EngineError) { try await engine.remove(id, force: true, volumes: true) } catch {
                    // The engine removed it, or is gone: what matters is why the start failed.
                }
            }
            throw error
        }
    }
}

struct CreateCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a container that does not run yet.")

    @OptionGroup var options: ContainerOptions
    @Argument("IMAGE [COMMAND] [ARG...]", minimum: 1, isHandedOn: true)
    var words: [String] = []

    func run() async throws {
        let request = try CreateBody(options: options, words: words, attaches: true).request()
        let engine = try await CommandEnvironment.connect()
        Console.out(try await createContainer(engine, request, options) + "\n")
    }
}

/// Creates the container, says the warnings, and writes the id where `--cidfile` asks for it.
private func createContainer(
    _ engine: any Engine, _ request: CreateRequest, _ options: ContainerOptions
) async throws -> String {
    // Before anything is pulled for it.
    if let path = options.cidfile, access(path, F_OK) == 0 { throw ContainerIDFile.found(path) }
    if let platform = options.platform { try await engine.version().checkPlatform(platform) }
    let created = try await create(engine, request, options)
    // An engine that reads the same body says some of them, too.
    let own = request.warnings.filter { !created.warnings.contains($0) }
    for warning in own + created.warnings { Console.error("WARNING: \(warning)\n") }
    return created.id
}

/// What `--cidfile` asks for: made before the container is, so that there is none where it cannot be.
private struct ContainerIDFile {
    private let path: String
    private let file: Descriptor

    init(_ path: String) throws(UsageError) {
        self.path = path
        do throws(KernelError) {
            file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        } catch {
            if error.errno == .exists { throw Self.found(path) }
            throw UsageError(
                message: "failed to create the container ID file: open \(path): \(error.errno)",
                code: Refusals.runExitCode("\(error.errno)"))
        }
    }

    static func found(_ path: String) -> UsageError {
        UsageError(message: "container ID file found, make sure the other container isn't running or delete \(path)")
    }

    func write(_ id: String) throws(EngineError) {
        defer { file.close() }
        do throws(KernelError) { try file.writeAll(Array(id.utf8)) } catch {
            throw EngineError(.invalid, "failed to write the container ID to the file: \(error)")
        }
    }

    func remove() { unlink(path) }
}

/// Creates the container, and pulls its image where `--pull` wants that.
private func create(
    _ engine: any Engine, _ request: CreateRequest, _ options: ContainerOptions
) async throws -> CreatedContainer {
    let image = request.spec.image
    let wanted = ImagePullRequest(image, platform: options.platform)
    if options.pull == .always {
        try await pull(wanted, by: engine, quietly: options.quiet, onto: .error, telling: false)
    }
    func make() async throws -> CreatedContainer {
        if let platform = options.platform { try await engine.check([image], areFor: platform) }
        let file = try options.cidfile.map { path throws(UsageError) in try ContainerIDFile(path) }
        do {
            let created = try await engine.create(request.spec, name: options.name)
            try file?.write(created.id)
            return created
        } catch {
            file?.remove()
            throw error
        }
    }
    do {
        return try await make()
    } catch let error as EngineError where error.isNoSuchImage || options.platform != nil && error.kind == .notFound {
        guard options.pull == .missing else { throw error }
        if !options.quiet { Console.error("Unable to find image '\(familiarName(image))' locally\n") }
    }
    try await pull(wanted, by: engine, quietly: options.quiet, onto: .error, telling: false)
    return try await make()
}

/// Runs a session on a container that was started, and ends with the container's exit code.
///
/// - Parameter detachedNote: what is said, as a failure, where the user has detached; nil for nothing.
func finishSession(_ session: InteractiveSession, _ wait: ExitWait?, detachedNote: String? = nil) async throws {
    switch await session.run() {
    case .detached:
        if let detachedNote { throw UsageError(message: detachedNote, code: 1, opening: "") }
        return
    case .interrupted(let number): throw ExitStatus(code: 128 + number)
    case .forced: throw ExitStatus(code: 1)
    case .failed(let error): throw error
    case .ended: break
    }
    guard let result = try await wait?.result() else { return }
    if result.exitCode != 0 { throw ExitStatus(code: result.exitCode) }
}

/// A resize that comes too early or too late is of no interest to anybody.
func resizeQuietly(_ engine: any Engine, _ id: String, _ size: TerminalSize) async {
    do throws(EngineError) { try await engine.resize(id, to: size) } catch { return }
}

/// A signal for a process that has just ended is of no interest to anybody.
func killQuietly(_ engine: any Engine, _ id: String, _ number: Int32) async {
    do throws(EngineError) { try await engine.kill(id, signal: String(number)) } catch { return }
}
