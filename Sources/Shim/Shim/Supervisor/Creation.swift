import Glibc
import JSON
import Linux
import ShimAPI

/// From nothing to a running container.
extension ContainerSupervisor {
    typealias Answer = (Result<ShimAnswer, ShimFailure>) -> Void

    func create(_ answer: @escaping Answer) throws(ShimFailure) {
        try begin("create", from: [.empty])
        let process = makeProcess(.initial)
        do {
            try RootMounts.enter(task.rootMounts, task.fileIDs)
            let log = try openLog()
            process.configure(terminal: task.terminal, input: task.input, log: log)
            initial = process
            let console = task.terminal ? try ConsoleSocket(in: directory, name: "console.sock") : nil
            let input = task.input == .none ? nil : process.input
            let descriptors =
                task.terminal
                ? [nil, nil, nil]
                : try process.stdio.openPipes(
                    input: input, ids: task.fileIDs)
            runCreate(process, console, descriptors, answer)
        } catch {
            giveUpCreation(ShimFailure(error.errno.isAboutRoom ? .unavailable : .internal, "\(error)"), answer)
        }
    }

    private func openLog() throws(KernelError) -> ContainerLog? {
        guard let log = task.log else { return nil }
        return try ContainerLog(log, scratch: logScratch, reaper: reaper, loop: loop)
    }

    private func runCreate(
        _ process: SupervisedProcess, _ console: ConsoleSocket?, _ descriptors: [Descriptor?],
        _ answer: @escaping Answer
    ) {
        let pidFile = "\(directory.path)/init.pid"
        reaper.beginExpecting()
        runtime.call(
            .create(bundle: task.bundle, pidFile: pidFile, consoleSocket: console?.path), descriptors: descriptors
        ) { [unowned self] result in
            defer { reaper.endExpecting() }
            do {
                try result.get()
                try adoptInitial(process, pidFile, console)
                operation = nil
                answer(.success(.facts(facts)))
                // Behind the answer, and before `start` can come: whoever waits does not wait for it.
                watchMemory()
            } catch let failure as ShimFailure {
                giveUpCreation(failure, answer)
            } catch {
                giveUpCreation(ShimFailure(.internal, "create container `\(task.id)`: \(error)"), answer)
            }
        }
        process.stdio.closeChildEnds()
    }

    private func adoptInitial(
        _ process: SupervisedProcess, _ pidFile: String, _ console: ConsoleSocket?
    ) throws {
        let started = startedProcess(try takePID(pidFile))
        process.process = started
        if let console {
            try adoptTerminal(
                process, try console.takeMaster(), columns: task.columns, rows: task.rows, input: task.input)
        }
        // A process that has ended already has left its cgroups: there is nothing then to watch or to end.
        cgroups = (try? ProcessCgroups(of: started.pid)) ?? cgroups
        let record = InitRecord(process: started, shim: shim, cgroups: cgroups.directories.map(\.path))
        try directory.write(InitRecord.fileName, record.json)
        try process.stdio.startReading()
        try network?.start(pid: started.pid)
        status = .created
        reaper.wait(for: started.pid) { [unowned self] status in
            initial?.isReaped = true
            if operation == "start" { endedWhileStarting = status } else { initialEnded(status) }
        }
    }

    private func watchMemory() {
        guard status == .created else { return }
        oomWatch = OutOfMemoryWatch(cgroups, loop: loop) { [unowned self] in report(.outOfMemory) }
    }

    /// The number that a runtime has written down, whose file is removed.
    func takePID(_ pidFile: String) throws -> Int32 {
        defer { unlink(pidFile) }
        let text = String(decoding: try FileContents.read(pidFile, limitBytes: 64), as: UTF8.self)
        guard let pid = Int32(text.filter { $0.isNumber }), pid > 0 else {
            throw ShimFailure(.internal, "read `\(pidFile)`: `\(text)` is no pid")
        }
        return pid
    }

    /// A process that a runtime has made, with its start time; that is 0 where it has ended already.
    func startedProcess(_ pid: Int32) -> ShimProcess {
        // Gone is a fact here, not a fault.
        let ticks = (try? ProcessStat.read(pid: pid).startTicks) ?? 0
        return ShimProcess(pid: pid, startTicks: ticks)
    }

    func adoptTerminal(
        _ process: SupervisedProcess, _ master: Descriptor, columns: UInt16, rows: UInt16, input: ShimInput
    ) throws(KernelError) {
        try process.stdio.adopt(terminal: master, input: input == .none ? nil : process.input)
        if columns > 0, rows > 0 { try PseudoTerminal.setSize(master, columns: columns, rows: rows) }
    }

    /// Nothing stays of a creation that failed, the shim itself included.
    private func giveUpCreation(_ failure: ShimFailure, _ answer: @escaping Answer) {
        Diagnostics.note("create: \(failure)")
        network?.close()
        initial?.endOutput()
        initial = nil
        runtime.call(.delete) { [unowned self] _ in
            operation = nil
            leave(answer, .failure(failure))
        }
    }

    func start(_ answer: @escaping Answer) throws(ShimFailure) {
        try begin("start", from: [.created])
        if task.mayOpenGate, openGate(answer) { return }
        runtime.call(.start) { [unowned self] result in settleStart(result, answer) }
    }

    /// False where there is no gate.
    private func openGate(_ answer: @escaping Answer) -> Bool {
        let limit = RuntimeCommand.start.timeoutMilliseconds
        gate = StartGate(in: "\(task.runtimeRoot)/\(task.id)", loop: loop, timeoutMilliseconds: limit) {
            [unowned self] end in
            gate = nil
            switch end {
            case .running: settleStart(.success(()), answer)
            case .failed(let reason): settleStart(.failure(RuntimeFailure.failure(.start, reason)), answer)
            case .unclear: runtime.call(.start) { [unowned self] result in settleStart(result, answer) }
            }
        }
        return gate != nil
    }

    private func settleStart(_ result: Result<Void, ShimFailure>, _ answer: Answer) {
        operation = nil
        switch result {
        case .success:
            status = .running
            answer(.success(.done))
        case .failure(let failure): answer(.failure(failure))
        }
        guard let ended = endedWhileStarting else { return }
        endedWhileStarting = nil
        initialEnded(ended)
    }
}
