import AsyncIO
import EngineAPI
import JSON
import Linux
import OCI
import Tasks

/// Further processes in a container.
extension Container {
    /// - Parameter isNoted: whether another engine may go on with it.
    package func createExec(
        _ reference: String, _ spec: ExecSpec, isNoted: Bool = true
    ) async throws(EngineError) -> String {
        try checkExec(reference)
        guard !spec.command.isEmpty else { throw EngineError(.invalid, "No exec command specified") }
        forgetExecs(at: .now)
        let id = RandomID.make()
        execs[id] = ExecRecord(id: id, spec: spec)
        context.index.add(execID: id, of: self.id)
        if isNoted {
            prepare(ExecRecord(id: id, spec: spec))
            do throws(KernelError) { try notes.add(id, spec) } catch {
                // It runs as well without; only another engine will not know it.
                context.note("exec \(id): \(error)")
            }
        }
        tellAtOnce("exec_create: " + spec.eventText, ["execID": id])
        return id
    }

    /// Between the two requests that an exec is by docker's interface, the runtime can begin, and go on to the last step once
    /// it is found out what is to run; and the way to its stdio is made. Not waited for: whether it does changes
    /// nothing but the time.
    private nonisolated func prepare(_ exec: ExecRecord) {
        // Where the shim's answers come in: it is mostly talk with that.
        _ = AsyncSocket.taskOnWaitingThread { [self] in
            await context.tasks.prepareExec(
                id, execID: exec.id, terminal: exec.spec.tty, input: Self.input(of: exec.spec),
                attachment: exec.spec.attachesAny ? exec.attachment : nil
            ) { [self] in await foreseen(exec.id) }
        }
    }

    /// The exec as it is to be started by all that is known of it; nil where it is being started already.
    private func foreseen(_ execID: String) async -> ExecTaskSpec? {
        guard let exec = execs[execID], exec.phase == .created else { return nil }
        // What is in the way is met by the start again, and told by that.
        return try? await execTask(exec, size: exec.spec.consoleSize)
    }

    private static func input(of spec: ExecSpec) -> TaskSpec.Input { spec.attachStdin ? .once : .none }

    private nonisolated var notes: ExecNotes { ExecNotes(bundle: context.roots.bundle(id)) }

    /// Sets how far an exec has come, here and in what is noted of it: before it is started, and, since its shim knows as
    /// well how it ended, behind its end, which is told first.
    private func set(_ execID: String, _ phase: ExecRecord.Phase) {
        execs[execID]?.phase = phase
        if case .exited = phase { Task { note(execID) } } else { note(execID) }
    }

    private func note(_ execID: String) {
        guard let exec = execs[execID], exec.noted != exec.progress else { return }
        notes.move(execID, from: exec.noted, to: exec.progress)
        execs[execID]?.noted = exec.progress
    }

    /// Takes over what a former engine has noted of execs.
    ///
    /// - Parameter running: those whose processes run.
    func adoptExecs(running: [String: ProcessIdentity]) {
        for (execID, spec, progress) in notes.all() {
            execs[execID] = ExecRecord(id: execID, spec: spec, progress, pid: running[execID]?.pid)
            context.index.add(execID: execID, of: id)
        }
    }

    private func checkExec(_ reference: String) throws(EngineError) {
        switch machine.phase {
        case .running, .stopping: return
        case .paused, .pausing, .resuming:
            throw EngineError(
                .conflict, "Container \(reference) is paused, unpause the container before exec", object: reference)
        default: throw notRunning(reference)
        }
    }

    /// Why nothing can be done with its processes.
    package func notRunning(_ reference: String) -> EngineError {
        isBetweenRuns
            ? LifecycleMachine.Refusal.restarting.error("exec", id: id, name: name, reference: reference)
            : EngineError(.conflict, "container \(id) is not running", object: reference)
    }

    /// Starts a process; the stream, if any is wanted, is connected before it runs.
    package func startExec(
        _ execID: String, size: TerminalSize?, attached: Bool
    ) async throws(EngineError) -> (any AttachedStream)? {
        let exec = try startable(execID)
        set(execID, .starting)
        // As docker, before the process is there.
        tellAtOnce("exec_start: " + exec.spec.eventText, ["execID": execID])
        var stream: (any AttachedStream)?
        do throws(EngineError) {
            // What is to run is found out while the way to its stdio is made.
            async let connecting = attached ? connect(exec) : nil
            let task: Result<ExecTaskSpec, EngineError>
            do throws(EngineError) {
                task = .success(try await execTask(exec, size: size ?? exec.spec.consoleSize))
            } catch { task = .failure(error) }
            let connection = await connecting
            if case .success(let made)? = connection { stream = made }
            let spec = try task.get()
            if case .failure(let error)? = connection { throw error }
            began(execID, pid: try await context.tasks.exec(id, spec))
        } catch {
            await stream?.close()
            // Docker's two codes: what could not be found, and whatever else has kept the program from being run.
            set(execID, .exited(code: error.kind == .commandNotFound ? 127 : 126, pid: 0))
            // What is wrong with the command itself is so whatever became of the container.
            throw [.internal, .unavailable, .invalid].contains(error.kind) && hasEnded ? notRunning(id) : error
        }
        return stream.map { ProcessStream($0, of: self, execID: execID) }
    }

    /// Refuses an exec that cannot be started as things are.
    package func checkStart(ofExec execID: String) throws(EngineError) { _ = try startable(execID) }

    private func startable(_ execID: String) throws(EngineError) -> ExecRecord {
        guard let exec = execs[execID] else { throw .noSuchExec(execID) }
        switch exec.phase {
        case .created: break
        case .exited, .unseen:
            throw EngineError(.conflict, "Error: Exec command \(execID) has already run", object: execID)
        case .starting, .running:
            throw EngineError(.conflict, "Error: Exec command \(execID) is already running", object: execID)
        }
        try checkExec(id)
        return exec
    }

    private func connect(_ exec: ExecRecord) async -> Result<any AttachedStream, EngineError> {
        do throws(EngineError) {
            return .success(try await context.tasks.attach(id, execID: exec.id, exec.attachment))
        } catch { return .failure(error) }
    }

    /// Connects to an exec that was started: its client goes on at this engine with what it began at another. Of one that has
    /// ended between the two there is what it wrote then, for some seconds.
    package func attachExec(_ execID: String) async throws(EngineError) -> any AttachedStream {
        guard let exec = execs[execID] else { throw .noSuchExec(execID) }
        var request = exec.attachment
        // It may end before this is there. A terminal shows nothing a second time.
        request.logs = !exec.spec.tty
        let stream: any AttachedStream
        switch exec.phase {
        case .created, .starting:
            throw EngineError(.conflict, "exec \(execID) is not running", object: execID)
        case .running: stream = try await context.tasks.attach(id, execID: execID, request)
        case .unseen, .exited:
            request.stdin = false
            stream = try await context.tasks.attach(id, endedExecID: execID, request)
        }
        return ProcessStream(stream, of: self, execID: execID)
    }

    /// Its first process is gone, though nobody may have told so yet: what fails then fails for that.
    package var hasEnded: Bool {
        guard let initial = machine.run?.initial else { return true }
        // A process without an entry is gone, too.
        guard let stat = try? ProcessStat.read(pid: initial.pid) else { return true }
        return stat.startTicks != initial.startTicks || stat.isEnded
    }

    private func began(_ execID: String, pid: Int32) {
        if let code = execs[execID]?.earlyExit {
            set(execID, .exited(code: code, pid: pid))
        } else {
            set(execID, .running(pid: pid))
        }
    }

    private func execTask(_ exec: ExecRecord, size: TerminalSize?) async throws(EngineError) -> ExecTaskSpec {
        let name = exec.spec.user ?? definition.user
        let groups = exec.spec.user == nil ? definition.spec.supplementaryGroups : []
        let user = try await resolve(name, groups)
        var builder = SpecBuilder(
            id: id, definition: definition, host: context.host, user: user, cgroupPath: cgroupPath,
            filesDirectory: context.roots.files(id))
        builder.defaults = context.settings.value.defaults
        builder.linkVariables = await linkVariables()
        var process = try builder.exec(exec.spec, user: user)
        // In the process too: the runtime sets it before the program runs, the shim perhaps after.
        if exec.spec.tty { process.consoleSize = size.map(RuntimeConsoleSize.init) }
        var task = ExecTaskSpec(id: exec.id, process: process.json.compactBytes)
        task.terminal = exec.spec.tty
        task.initialSize = size
        task.input = Self.input(of: exec.spec)
        return task
    }

    package func execDetails(_ execID: String) throws(EngineError) -> ExecDetails {
        guard let exec = execs[execID] else { throw .noSuchExec(execID) }
        return exec.details(containerID: id)
    }

    package func resizeExec(_ execID: String, to size: TerminalSize) async throws(EngineError) {
        guard let exec = execs[execID] else { throw .noSuchExec(execID) }
        guard case .running = exec.phase else {
            throw EngineError(.conflict, "exec \(execID) is not running", object: execID)
        }
        try await context.tasks.resize(id, execID: execID, to: size)
    }

    /// An exec's process has ended; told in order with all else of this container.
    func report(exec execID: String, _ exit: TaskExit) {
        guard let exec = execs[execID] else { return }
        switch exec.phase {
        case .running(let pid): set(execID, .exited(code: exit.code, pid: pid))
        case .unseen: set(execID, .exited(code: exit.code, pid: 0))
        case .starting: execs[execID]?.earlyExit = exit.code
        case .created, .exited: return
        }
        tellAtOnce("exec_die", ["execID": execID, "exitCode": String(exit.code)])
        changed.notify()
    }

    /// The task is gone, and every process of it.
    func endExecs() {
        for exec in execs.all {
            let execID = exec.id
            switch exec.phase {
            case .running(let pid):
                set(execID, .exited(code: 137, pid: pid))
                tellAtOnce("exec_die", ["execID": execID, "exitCode": "137"])
            case .starting: execs[execID]?.earlyExit = 137
            case .created, .unseen, .exited: break
            }
        }
        changed.notify()
    }

    /// Looks at all of them, which may be thousands where one follows the other, and so not each time.
    private func forgetExecs(at now: ContinuousClock.Instant) {
        guard now >= nextForgetting else { return }
        nextForgetting = now + .seconds(10)
        // Each has a file: whoever makes a new one waits for none of that.
        Task {
            for exec in execs.all where exec.isForgotten(at: now) { forget(exec: exec.id) }
        }
    }

    /// Nobody will ask for it any more.
    func forget(exec execID: String) {
        if let exec = execs[execID] { notes.remove(execID, at: exec.noted) }
        execs[execID] = nil
        context.index.remove(execID: execID)
    }

    /// Those that run, and those that are yet to be started.
    package var unendedExecIDs: [String] { execs.unendedIDs.sorted() }
}

extension ExecSpec {
    /// Its client is to have something of its stdio.
    var attachesAny: Bool { attachStdin || attachStdout || attachStderr }

    /// The command as events tell of it: of a long one, a script say, the beginning, for events are kept in their thousands.
    var eventText: String {
        let limitBytes = 4096
        var text = ""
        for (place, word) in command.enumerated() where text.utf8.count <= limitBytes {
            text += (place == 0 ? "" : " ") + word
        }
        guard text.utf8.count > limitBytes else { return text }
        // No character is cut: one has up to four bytes.
        return (0..<4).lazy.compactMap { String(text.utf8.prefix(limitBytes - $0)) }.first.map { $0 + "…" } ?? ""
    }
}
