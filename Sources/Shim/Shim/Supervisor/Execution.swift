import Glibc
import Linux
import ShimAPI

/// Further processes in the container.
extension ContainerSupervisor {
    /// How long what an exec wrote is kept for somebody who has not attached yet.
    private static var unseenOutputMilliseconds: Int64 { 10_000 }

    func startExec(_ exec: ShimExec, _ answer: @escaping Answer) throws(ShimFailure) {
        guard status == .running, operation == nil else {
            let reason = status == .paused ? "is paused" : "is not running"
            throw ShimFailure(.conflict, "Container \(task.id) \(reason)")
        }
        if let begun = takePrepared(for: exec) {
            startingExecs.insert(exec.id)
            return begun.run(exec.process) { [unowned self] result in settleExec(exec, begun.launch, result, answer) }
        }
        let process = try claimExec(exec.id)
        do {
            let launch = try openLaunch(of: process, terminal: exec.terminal, input: exec.input)
            try FileContents.replace(
                "\(launch.name).json", in: directory.descriptor, with: exec.process, durable: false)
            let file = "\(directory.path)/\(launch.name).json"
            run(launch, processFile: file, launch.descriptors) { [unowned self] result in
                unlink(file)
                settleExec(exec, launch, result, answer)
            }
        } catch {
            dropExec(process)
            throw ShimFailure(error.errno.isAboutRoom ? .unavailable : .internal, "\(error)")
        }
    }

    /// Opens what the runtime passes on to an exec's process.
    func openLaunch(
        of process: SupervisedProcess, terminal: Bool, input: ShimInput
    ) throws(KernelError) -> ExecLaunch {
        process.configure(terminal: terminal, input: input, log: nil)
        execCount += 1
        let name = "exec-\(execCount)"
        let console = terminal ? try ConsoleSocket(in: directory, name: "\(name).sock") : nil
        let queue = input == .none ? nil : process.input
        let descriptors = terminal ? [nil, nil, nil] : try process.stdio.openPipes(input: queue, ids: task.fileIDs)
        return ExecLaunch(
            process: process, name: name, pidFile: "\(directory.path)/\(name).pid", console: console,
            descriptors: descriptors)
    }

    /// Starts the runtime for an exec.
    func run(
        _ launch: ExecLaunch, processFile: String, _ descriptors: [Descriptor?],
        _ completion: @escaping RuntimeCaller.Completion
    ) {
        reaper.beginExpecting()
        runtime.call(
            .exec(processFile: processFile, pidFile: launch.pidFile, consoleSocket: launch.console?.path),
            descriptors: descriptors
        ) { [unowned self] result in
            defer { reaper.endExpecting() }
            completion(result)
        }
        launch.process.stdio.closeChildEnds()
    }

    /// An exec that somebody only attached to and that never started has no reason to be kept.
    func forgetUnstartedExec(_ process: SupervisedProcess) {
        guard let id = process.execID, process.process == nil, process.attachments.isEmpty else { return }
        guard !startingExecs.contains(id) else { return }
        dropExec(process)
    }

    private func claimExec(_ id: String) throws(ShimFailure) -> SupervisedProcess {
        guard let known = execs[id] else {
            let process = makeProcess(execID: id)
            execs[id] = process
            startingExecs.insert(id)
            return process
        }
        guard known.process == nil, !startingExecs.contains(id) else {
            throw ShimFailure(.conflict, "exec \(id) already exists")
        }
        startingExecs.insert(id)
        return known
    }

    private func settleExec(
        _ exec: ShimExec, _ launch: ExecLaunch, _ result: Result<Void, ShimFailure>, _ answer: @escaping Answer
    ) {
        startingExecs.remove(exec.id)
        do {
            try result.get()
            try adoptExec(exec, launch, answer)
        } catch let failure as ShimFailure {
            dropExec(launch.process)
            answer(.failure(failure))
        } catch {
            dropExec(launch.process)
            answer(.failure(ShimFailure(.internal, "exec in container `\(task.id)`: \(error)")))
        }
    }

    private func adoptExec(_ exec: ShimExec, _ launch: ExecLaunch, _ answer: @escaping Answer) throws {
        let process = launch.process
        let started = try startedProcess(launch.pidFile)
        process.process = started
        if let console = launch.console {
            try adoptTerminal(
                process, try console.takeMaster(), columns: exec.columns, rows: exec.rows, input: exec.input)
        }
        try process.stdio.startReading()
        // The answer first: nobody shall hear of the end of what they do not know to have begun.
        answer(.success(.process(started)))
        reaper.wait(for: started.pid) { [unowned self, unowned process] status in
            process.isReaped = true
            settleOutput(of: process) { [unowned self] in execEnded(process, status) }
        }
    }

    private func execEnded(_ process: SupervisedProcess, _ status: ChildStatus) {
        guard let id = process.execID else { return }
        let exit = ShimExit(code: status.code, nanosecondsSinceEpoch: status.time.nanosecondsSinceEpoch)
        process.endOutput()
        execEnds.add(id, exit)
        report(.execExited(id: id, exit))
        guard process.holdsUnseenOutput else { return dropExec(process) }
        loop.after(milliseconds: Self.unseenOutputMilliseconds) { [weak self, weak process] in
            if let process { self?.dropExec(process) }
        }
    }

    func dropExec(_ process: SupervisedProcess) {
        guard let id = process.execID, execs[id] === process else { return }
        if prepared?.launch.process === process { endPrepared() }
        process.endOutput()
        startingExecs.remove(id)
        execs[id] = nil
        // Its clients hold it until they have read the end.
    }
}
