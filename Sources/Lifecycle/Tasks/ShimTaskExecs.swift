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
        _ id: String, execID: String, terminal: Bool, input: TaskSpec.Input, attachment: AttachRequest? = nil
    ) async {
        // Without a shim that can be reached there is nothing to prepare; the exec says why.
        guard let connection = try? await connections.connection(id), connection.version >= 3 else { return }
        let request = ShimRequest.prepareExec(id: execID, terminal: terminal, input: ShimInput(input))
        guard let attach = attachment.map({ ShimAttach(execID: execID, $0) }) else { return connection.tell(request) }
        // By the same connection, because a shim prepares nothing for an exec that somebody is attached to already.
        let isForetold = await foretold.foretell(id, attach) { [self] in
            // As above.
            try? await ShimAttachedStream.open(try directory(id), attach, after: request)
        }
        if !isForetold { connection.tell(request) }
    }

    package func prepareProcess(_ id: String, _ exec: ExecTaskSpec) async {
        guard ShimExec(exec).fits else { return }
        // As above.
        guard let connection = try? await connections.connection(id), connection.version >= 4 else { return }
        connection.tell(.prepareProcess(id: exec.id, process: exec.process))
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
