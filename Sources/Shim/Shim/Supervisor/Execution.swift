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
        let process = try claimExec(exec.id)
        process.configure(terminal: exec.terminal, input: exec.input, log: nil)
        execCount += 1
        let name = "exec-\(execCount)"
        do {
            try FileContents.replace("\(name).json", in: directory.descriptor, with: exec.process, durable: false)
            let console = exec.terminal ? try ConsoleSocket(in: directory, name: "\(name).sock") : nil
            let input = exec.input == .none ? nil : process.input
            let descriptors =
                exec.terminal
                ? [nil, nil, nil]
                : try process.stdio.openPipes(
                    input: input, ids: task.fileIDs)
            runExec(exec, process, name, console, descriptors, answer)
        } catch {
            dropExec(process)
            throw ShimFailure(error.errno.isAboutRoom ? .unavailable : .internal, "\(error)")
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

    private func runExec(
        _ exec: ShimExec, _ process: SupervisedProcess, _ name: String, _ console: ConsoleSocket?,
        _ descriptors: [Descriptor?], _ answer: @escaping Answer
    ) {
        let pidFile = "\(directory.path)/\(name).pid"
        let processFile = "\(directory.path)/\(name).json"
        reaper.beginExpecting()
        runtime.call(
            .exec(processFile: processFile, pidFile: pidFile, consoleSocket: console?.path),
            descriptors: descriptors
        ) { [unowned self] result in
            defer { reaper.endExpecting() }
            unlink(processFile)
            startingExecs.remove(exec.id)
            do {
                try result.get()
                try adoptExec(exec, process, pidFile, console, answer)
            } catch let failure as ShimFailure {
                dropExec(process)
                answer(.failure(failure))
            } catch {
                dropExec(process)
                answer(.failure(ShimFailure(.internal, "exec in container `\(task.id)`: \(error)")))
            }
        }
        process.stdio.closeChildEnds()
    }

    private func adoptExec(
        _ exec: ShimExec, _ process: SupervisedProcess, _ pidFile: String, _ console: ConsoleSocket?,
        _ answer: @escaping Answer
    ) throws {
        let started = try startedProcess(pidFile)
        process.process = started
        if let console {
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

    private func dropExec(_ process: SupervisedProcess) {
        guard let id = process.execID, execs[id] === process else { return }
        process.endOutput()
        startingExecs.remove(id)
        execs[id] = nil
        // Its clients hold it until they have read the end.
    }
}
