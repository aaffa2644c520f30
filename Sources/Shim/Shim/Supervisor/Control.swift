import Glibc
import Linux
import ShimAPI

/// Signals, pausing, terminals' sizes, and who listens: all that is done to processes while they run.
extension ContainerSupervisor {
    /// kill(2) by the parent: a child keeps its pid until it is reaped, so no other process can be meant.
    func kill(_ execID: String?, _ signal: Int32) throws(ShimFailure) {
        guard (0...64).contains(signal) else { throw ShimFailure(.invalid, "invalid signal: \(signal)") }
        let target = try runningProcess(execID)
        guard !target.isReaped, let pid = target.process?.pid, Glibc.kill(pid, signal) == 0 else {
            throw ShimFailure(.conflict, "container \(task.id) is not running")
        }
        // A frozen process dies only once it thaws.
        if signal == SIGKILL, status == .paused, operation == nil {
            runtime.call(.resume) { [unowned self] result in
                if case .success = result, status == .paused { status = .running }
            }
        }
    }

    func pause(_ answer: @escaping Answer) throws(ShimFailure) {
        try begin("pause", from: [.running])
        runtime.call(.pause) { [unowned self] result in
            operation = nil
            if case .success = result, status == .running { status = .paused }
            answer(result.map { .done })
        }
    }

    func resume(_ answer: @escaping Answer) throws(ShimFailure) {
        try begin("unpause", from: [.paused])
        runtime.call(.resume) { [unowned self] result in
            operation = nil
            if case .success = result, status == .paused { status = .running }
            answer(result.map { .done })
        }
    }

    func resize(_ execID: String?, columns: UInt16, rows: UInt16) throws(ShimFailure) {
        guard let terminal = try runningProcess(execID).stdio.terminal else {
            throw ShimFailure(.invalid, "resize \(execID ?? task.id): it has no terminal")
        }
        do {
            try PseudoTerminal.setSize(terminal, columns: columns, rows: rows)
        } catch { throw ShimFailure(.internal, "\(error)") }
    }

    /// Turns the connection into a stream. The answer goes out before the first output.
    func attach(_ client: Client, _ request: ShimAttach, tag: UInt32) throws(ShimFailure) {
        let process = try attachable(request.execID)
        let attachment = Attachment(request, client: client, loop: loop)
        client.attachment = attachment
        client.attachedTo = process
        client.send(.done, tag: tag)
        // It may have gone again.
        guard !client.isClosed else { return }
        client.becomeStream()
        process.attach(attachment)
        client.pump()
    }

    private func attachable(_ execID: String?) throws(ShimFailure) -> SupervisedProcess {
        guard let execID else {
            if let initial { return initial }
            throw ShimFailure(.conflict, "container \(task.id) is not created")
        }
        if let exec = execs[execID] { return exec }
        // Whoever attached would wait for its start for ever.
        guard !execEnds.has(execID) else { throw ShimFailure(.conflict, "exec \(execID) has ended") }
        let process = makeProcess(.exec(execID))
        execs[execID] = process
        return process
    }
}
