import EngineAPI
import ShimAPI

/// Further processes of tasks, and who is attached to them and to the first.
extension ShimTaskService {
    package func exec(_ id: String, _ exec: ExecTaskSpec) async throws(EngineError) -> Int32 {
        let request = ShimExec(exec)
        // A shim hangs up on who sends more, and so would all that is asked for at the time.
        guard request.fits else {
            throw EngineError(
                .invalid,
                "exec in container \(id): argument list too long: its process takes \(exec.process.count) bytes",
                object: id)
        }
        // Nobody has asked for its stdio: it is not to wait for who would never read.
        await foretold.forget(id, execID: exec.id)
        let answer = try await connections.connection(id).request(.exec(request))
        guard case .process(let process) = answer else { throw unexpected(answer, id) }
        return process.pid
    }

    package func prepareExec(
        _ id: String, execID: String, terminal: Bool, input: TaskSpec.Input, attachment: AttachRequest? = nil,
        process: @escaping @Sendable () async -> ExecTaskSpec? = { nil }
    ) async {
        // Without a shim that can be reached there is nothing to prepare; the exec says why.
        guard let connection = try? await connections.connection(id), connection.version >= 3 else { return }
        let request = ShimRequest.prepareExec(id: execID, terminal: terminal, input: ShimInput(input))
        if let attach = attachment.map({ ShimAttach(execID: execID, $0) }) {
            let version = connection.version
            // By the same connection, because a shim prepares nothing for an exec that somebody is attached to already; and
            // the process with it, which the shim then has a way sooner.
            let isForetold = await foretold.foretell(id, attach) { [self] in
                let requests = [request, await process().flatMap { prepareProcess($0, version) }].compactMap(\.self)
                // As above.
                return try? await ShimAttachedStream.open(try directory(id), attach, after: requests)
            }
            if isForetold { return }
        }
        connection.tell(request)
        if let exec = await process() { await prepareProcess(id, exec) }
    }

    /// Goes on with an exec that was prepared, as which `exec` is likely to follow; if another does, this was in vain.
    func prepareProcess(_ id: String, _ exec: ExecTaskSpec) async {
        // As above.
        guard let connection = try? await connections.connection(id) else { return }
        if let request = prepareProcess(exec, connection.version) { connection.tell(request) }
    }

    /// Nil where a shim of that version does not know how to, or would not take so much.
    private func prepareProcess(_ exec: ExecTaskSpec, _ version: UInt16) -> ShimRequest? {
        version >= 4 && ShimExec(exec).fits ? .prepareProcess(id: exec.id, process: exec.process) : nil
    }

    package func resize(_ id: String, execID: String?, to size: TerminalSize) async throws(EngineError) {
        let request = ShimRequest.resize(execID: execID, columns: size.columns, rows: size.rows)
        _ = try await connections.connection(id).request(request)
    }

    package func attach(
        _ id: String, execID: String?, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        let attach = ShimAttach(execID: execID, request)
        if let stream = await foretold.take(id, attach) { return stream }
        return try await ShimAttachedStream.open(try directory(id), attach)
    }

    package func attach(
        _ id: String, endedExecID: String, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        // An older shim takes it for one that is yet to be started.
        guard try await connections.connection(id).version >= 4 else {
            throw EngineError(.conflict, "exec \(endedExecID) has ended", object: endedExecID)
        }
        return try await attach(id, execID: endedExecID, request)
    }
}
