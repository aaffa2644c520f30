import Glibc
import Linux
import ShimAPI

/// What decides which descriptors a runtime is given for an exec.
struct ExecForm: Hashable {
    let terminal: Bool
    let input: ShimInput

    init(terminal: Bool, input: ShimInput) { (self.terminal, self.input) = (terminal, input) }
    init(_ exec: ShimExec) { self.init(terminal: exec.terminal, input: exec.input) }
}

/// What a runtime is given for an exec besides the process's document.
struct ExecLaunch {
    let process: SupervisedProcess
    /// Of its files in the shim's directory.
    let name: String
    let console: ConsoleSocket?
    /// What becomes descriptor 0, 1 and 2.
    let descriptors: [Descriptor?]
}

/// Further processes in the container.
extension ContainerSupervisor {
    /// How long what an exec wrote is kept for somebody who has not attached yet, or is to come again.
    private static var unseenOutputMilliseconds: Int64 { 10_000 }

    func startExec(_ exec: ShimExec, _ answer: @escaping Answer) throws(ShimFailure) {
        guard status == .running, operation == nil else {
            let reason = status == .paused ? "is paused" : "is not running"
            throw ShimFailure(.conflict, "Container \(task.id) \(reason)")
        }
        if let begun = takePrepared(for: exec) {
            startingExecs.insert(exec.id)
            // Not while it waits, when it has no process to make.
            reaper.beginExpecting()
            return begun.run(exec.process) { [unowned self] end in
                defer { reaper.endExpecting() }
                switch end {
                case .started(let pid): settleExec(exec, begun.launch, answer) { pid }
                case .useless:
                    runAlone(exec, begun.launch.process, answer) { () throws(KernelError) in
                        try launch(of: begun.launch.process, begun.launch.descriptors)
                    }
                }
            }
        }
        let process = try claimExec(exec.id)
        runAlone(exec, process, answer) { () throws(KernelError) in
            try openLaunch(of: process, ExecForm(exec))
        }
    }

    /// Has a runtime do it from the beginning to the end.
    private func runAlone(
        _ exec: ShimExec, _ process: SupervisedProcess, _ answer: @escaping Answer,
        _ open: () throws(KernelError) -> ExecLaunch
    ) {
        do throws(KernelError) {
            let launch = try open()
            try FileContents.replace(
                "\(launch.name).json", in: directory.descriptor, with: exec.process, durable: false)
            let files = "\(directory.path)/\(launch.name)"
            run(
                .exec(
                    processFile: "\(files).json", pidFile: "\(files).pid", consoleSocket: launch.console?.path),
                launch.descriptors
            ) { [unowned self] result in
                unlink("\(files).json")
                settleExec(exec, launch, answer) {
                    try result.get()
                    return try takePID("\(files).pid")
                }
            }
            process.stdio.closeChildEnds()
        } catch {
            dropExec(process)
            answer(.failure(ShimFailure(error.errno.isAboutRoom ? .unavailable : .internal, "\(error)")))
        }
    }

    /// Opens what the runtime passes on to an exec's process.
    func openLaunch(of process: SupervisedProcess, _ form: ExecForm) throws(KernelError) -> ExecLaunch {
        process.configure(terminal: form.terminal, input: form.input, log: nil)
        let queue = form.input == .none ? nil : process.input
        return try launch(
            of: process,
            form.terminal ? [nil, nil, nil] : try process.stdio.openPipes(input: queue, ids: task.fileIDs))
    }

    /// - Parameter descriptors: the process's ends of its pipes.
    private func launch(
        of process: SupervisedProcess, _ descriptors: [Descriptor?]
    ) throws(KernelError) -> ExecLaunch {
        execCount += 1
        let name = "exec-\(execCount)"
        let console = process.isTerminal ? try ConsoleSocket(in: directory, name: "\(name).sock") : nil
        return ExecLaunch(process: process, name: name, console: console, descriptors: descriptors)
    }

    /// Starts the runtime for an exec.
    private func run(
        _ command: RuntimeCommand, _ descriptors: [Descriptor?], _ completion: @escaping RuntimeCaller.Completion
    ) {
        reaper.beginExpecting()
        runtime.call(command, descriptors: descriptors) { [unowned self] result in
            defer { reaper.endExpecting() }
            completion(result)
        }
    }

    /// An exec that somebody only attached to and that never started has no reason to be kept.
    func forgetUnstartedExec(_ process: SupervisedProcess) {
        guard let id = process.execID, process.process == nil, process.attachments.isEmpty else { return }
        guard !startingExecs.contains(id) else { return }
        dropExec(process)
    }

    private func claimExec(_ id: String) throws(ShimFailure) -> SupervisedProcess {
        guard let known = execs[id] else {
            let process = makeProcess(.exec(id))
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

    /// - Parameter pid: that of the process, or why there is none.
    private func settleExec(
        _ exec: ShimExec, _ launch: ExecLaunch, _ answer: @escaping Answer, _ pid: () throws -> Int32
    ) {
        startingExecs.remove(exec.id)
        do {
            try adoptExec(exec, launch, startedProcess(try pid()), answer)
        } catch let failure as ShimFailure {
            dropExec(launch.process)
            answer(.failure(failure))
        } catch {
            dropExec(launch.process)
            answer(.failure(ShimFailure(.internal, "exec in container `\(task.id)`: \(error)")))
        }
    }

    private func adoptExec(
        _ exec: ShimExec, _ launch: ExecLaunch, _ started: ShimProcess, _ answer: @escaping Answer
    ) throws {
        let process = launch.process
        process.stdio.closeChildEnds()
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
            process.keepForSuccessor()
            settleOutput(of: process) { [unowned self] in execEnded(process, status) }
        }
    }

    private func execEnded(_ process: SupervisedProcess, _ status: ChildStatus) {
        guard let id = process.execID else { return }
        let exit = ShimExit(code: status.code, nanosecondsSinceEpoch: status.time.nanosecondsSinceEpoch)
        process.endOutput()
        execEnds.add(id, exit)
        report(.execExited(id: id, exit))
        if let form = process.foretold { prepareNext(form) }
        guard process.holdsUnseenOutput else { return dropExec(process) }
        loop.after(milliseconds: Self.unseenOutputMilliseconds) { [weak self, weak process] in
            if let process { self?.dropExec(process) }
        }
    }

    func dropExec(_ process: SupervisedProcess) {
        guard let id = process.execID, execs[id] === process else { return }
        if prepared?.launch.process === process {
            prepared?.giveUp()
            prepared = nil
        }
        process.endOutput()
        startingExecs.remove(id)
        execs[id] = nil
        // Its clients hold it until they have read the end.
    }
}
