import EngineAPI

extension MemoryEngine {
    package func start(_ reference: String) async throws(EngineError) {
        var container = try find(reference)
        guard !container.state.isAlive else { throw EngineError(.notModified, "already started", object: reference) }
        if container.spec.command?.first == "missing" {
            throw EngineError(
                .commandNotFound, "exec: \"missing\": executable file not found in $PATH", object: reference)
        }
        if container.state.status == .exited {
            container.process = MemoryProcess(container.spec.command ?? [], isTerminal: container.spec.tty)
        }
        container.state = ContainerState(status: .running)
        container.state.startedAt = .now()
        container.state.pid = 4242
        containersByID[container.id] = container
        emit("start", container)
        let process = container.process
        let id = container.id
        await process.run()
        Task { settle(id, process, await process.waitForExit()) }
    }

    private func settle(_ id: String, _ process: MemoryProcess, _ code: Int32) {
        guard var container = containersByID[id], container.process === process else { return }
        container.state.status = .exited
        container.state.exitCode = code
        container.state.pid = 0
        container.state.finishedAt = .now()
        containersByID[id] = container
        emit("die", container)
        if container.spec.autoRemove { containersByID[id] = nil }
    }

    package func stop(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        let container = try find(reference)
        guard container.state.isAlive else { throw EngineError(.notModified, "already stopped", object: reference) }
        await finish(container, 143)
    }

    private func finish(_ container: Container, _ code: Int32) async {
        await container.process.end(code)
        settle(container.id, container.process, code)
    }

    package func restart(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        let container = try find(reference)
        if container.state.isAlive { await finish(container, 143) }
        try await start(container.id)
    }

    package func kill(_ reference: String, signal: String) async throws(EngineError) {
        let container = try find(reference)
        guard container.state.isAlive else {
            throw EngineError(
                .conflict, "cannot kill container: \(reference): container \(container.id) is not running",
                object: reference)
        }
        await finish(container, 137)
    }

    package func pause(_ reference: String) async throws(EngineError) { try change(reference, .running, .paused) }

    package func unpause(_ reference: String) async throws(EngineError) { try change(reference, .paused, .running) }

    private func change(
        _ reference: String, _ old: ContainerStatus, _ new: ContainerStatus
    ) throws(EngineError) {
        var container = try find(reference)
        guard container.state.status == old else {
            throw EngineError(.conflict, "Container \(container.id) is not \(old.rawValue)", object: reference)
        }
        container.state.status = new
        containersByID[container.id] = container
    }

    package func rename(_ reference: String, to name: String) async throws(EngineError) {
        var container = try find(reference)
        container.name = name
        containersByID[container.id] = container
    }

    package func update(_ reference: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        var container = try find(reference)
        if let policy = update.restartPolicy { container.spec.restartPolicy = policy }
        if let memory = update.limits.memoryBytes { container.spec.limits.memoryBytes = memory }
        containersByID[container.id] = container
        emit("update", container)
        return []
    }

    package func statPath(_ reference: String, path: String) async throws(EngineError) -> PathStat {
        throw EngineError(.notFound, "Could not find the file \(path) in container \(reference)", object: reference)
    }

    package func copyOut(_ reference: String, path: String) async throws(EngineError) -> PathArchive {
        throw EngineError(.notFound, "Could not find the file \(path) in container \(reference)", object: reference)
    }

    package func copyIn(
        _ reference: String, path: String, archive: EngineStream<[UInt8]>, options: CopyOptions
    ) async throws(EngineError) {
        throw EngineError(.notFound, "Could not find the file \(path) in container \(reference)", object: reference)
    }

    package func changes(_ reference: String) async throws(EngineError) -> [PathChange] { [] }

    package func export(_ reference: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        EngineStream { nil }
    }

    package func pruneContainers(_ filter: PruneFilter) async throws(EngineError) -> PruneResult {
        PruneResult(removed: [], reclaimedBytes: 0)
    }

    package func removeLink(_ name: String) async throws(EngineError) {
        throw EngineError(.notFound, "No such container: \(name)", object: name)
    }

    package func remove(_ reference: String, force: Bool, volumes: Bool) async throws(EngineError) {
        let container = try find(reference)
        if container.state.isAlive {
            guard force else {
                throw EngineError(
                    .conflict,
                    "cannot remove container \"\(reference)\": container is running: stop the container "
                        + "before removing or force remove", object: reference)
            }
            await finish(container, 137)
        }
        containersByID[container.id] = nil
        emit("destroy", container)
    }

    package func beginWait(_ reference: String, for condition: WaitCondition) async throws(EngineError) -> ExitWait {
        let container = try find(reference)
        if condition == .notRunning, !container.state.isAlive {
            let code = container.state.exitCode
            return ExitWait { () throws(EngineError) in WaitResult(exitCode: code) }
        }
        let process = container.process
        return ExitWait { () throws(EngineError) in WaitResult(exitCode: await process.waitForExit()) }
    }

    package func attach(_ reference: String, _ request: AttachRequest) async throws(EngineError) -> any AttachedStream {
        let container = try find(reference)
        let start = request.logs ? 0 : await container.process.output.count
        return MemoryStdio(container.process, from: start) { [weak self] in await self?.attachmentClosed() }
    }

    package func resize(_ reference: String, to size: TerminalSize) async throws(EngineError) {
        await (try find(reference)).process.resize(size)
    }

    package func createExec(_ reference: String, _ spec: ExecSpec) async throws(EngineError) -> String {
        let container = try find(reference)
        guard container.state.status == .running else {
            throw EngineError(.conflict, "container \(container.id) is not running", object: reference)
        }
        let id = newID()
        let details = ExecDetails(
            id: id, containerID: container.id, spec: spec, running: false, exitCode: nil, pid: 0)
        execs[id] = (details, MemoryProcess(spec.command, isTerminal: spec.tty))
        return id
    }

    package func checkExec(_ id: String) async throws(EngineError) {
        let details = try await inspectExec(id)
        guard !details.running, details.exitCode == nil else {
            throw EngineError(.conflict, "exec \(id) was started before", object: id)
        }
    }

    package func startExec(_ id: String, size: TerminalSize?) async throws(EngineError) -> any AttachedStream {
        guard let exec = execs[id] else { throw .noSuchExec(id) }
        if exec.details.spec.command.first == "missing" {
            execs[id]?.details.exitCode = 127
            throw EngineError(
                .commandNotFound,
                "OCI runtime exec failed: exec failed: exec: \"missing\": executable file not found "
                    + "in $PATH", object: id)
        }
        execs[id]?.details.running = true
        if let size { await exec.process.resize(size) }
        await exec.process.run()
        return MemoryStdio(exec.process, from: 0) { [weak self] in await self?.attachmentClosed() }
    }

    package func startExecDetached(_ id: String) async throws(EngineError) { _ = try await startExec(id, size: nil) }

    package func resizeExec(_ id: String, to size: TerminalSize) async throws(EngineError) {
        guard let exec = execs[id] else { throw .noSuchExec(id) }
        await exec.process.resize(size)
    }

    package func inspectExec(_ id: String) async throws(EngineError) -> ExecDetails {
        guard let exec = execs[id] else { throw .noSuchExec(id) }
        var details = exec.details
        details.exitCode = await exec.process.exitCode ?? details.exitCode
        details.running = details.running && details.exitCode == nil
        return details
    }

    package func execProcess(_ id: String) throws(EngineError) -> MemoryProcess {
        guard let exec = execs[id] else { throw .noSuchExec(id) }
        return exec.process
    }
}
