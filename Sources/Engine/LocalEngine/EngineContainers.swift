import EngineAPI
import Lifecycle

/// Containers: what changes them.
extension GantryEngine {
    public func create(_ spec: ContainerSpec, name: String?) async throws(EngineError) -> CreatedContainer {
        try await whole { (core) throws(EngineError) in try await core.containers.create(spec, name: name) }
    }

    public func start(_ reference: String) async throws(EngineError) {
        try await act(reference) { (container) throws(EngineError) in try await container.start(reference) }
    }

    public func stop(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try await act(reference) { (container) throws(EngineError) in
            try await container.stop(reference, signal: signal, timeoutSeconds: timeoutSeconds)
        }
    }

    public func restart(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try await act(reference) { (container) throws(EngineError) in
            do throws(EngineError) {
                try await container.restart(reference, signal: signal, timeoutSeconds: timeoutSeconds)
            } catch {
                throw EngineError(
                    error.kind, "Cannot restart container \(reference): \(error.message)", object: error.object)
            }
        }
    }

    public func kill(_ reference: String, signal: String) async throws(EngineError) {
        do throws(EngineError) {
            try await act(reference) { (container) throws(EngineError) in
                try await container.kill(reference, signal: signal)
            }
        } catch {
            guard error.kind == .notFound else { throw error }
            throw EngineError(
                .notFound, "Cannot kill container: \(reference): \(error.message)", object: error.object)
        }
    }

    public func pause(_ reference: String) async throws(EngineError) {
        try await act(reference) { (container) throws(EngineError) in try await container.pause(reference) }
    }

    public func unpause(_ reference: String) async throws(EngineError) {
        try await act(reference) { (container) throws(EngineError) in try await container.unpause(reference) }
    }

    public func rename(_ reference: String, to name: String) async throws(EngineError) {
        let name = name.hasPrefix("/") ? String(name.dropFirst()) : name
        try await act(reference) { (container) throws(EngineError) in
            try await container.rename(reference, to: name)
        }
    }

    public func update(_ reference: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        try await whole { (core) throws(EngineError) in
            try await core.context.index.find(reference).update(reference, update)
        }
    }

    public func remove(_ reference: String, force: Bool, volumes: Bool) async throws(EngineError) {
        try await act(reference) { (container) throws(EngineError) in
            try await container.remove(reference, force: force, volumes: volumes)
        }
    }

    public func removeLink(_ name: String) async throws(EngineError) {
        let path = name.hasPrefix("/") ? String(name.dropFirst()) : name
        guard let slash = path.lastIndex(of: "/") else {
            _ = try core.context.index.find(path)
            throw EngineError(
                .conflict, "Conflict, cannot remove the default link name of the container", object: name)
        }
        try await whole { (core) throws(EngineError) in
            let owner = core.context.index.owner(ofName: String(path[..<slash])).flatMap { core.context.index[$0] }
            guard let owner else { throw .noSuchContainer(name) }
            try await owner.removeLink(String(path[path.index(after: slash)...]))
        }
    }

    private func act(
        _ reference: String, _ body: @escaping @Sendable (Container) async throws(EngineError) -> Void
    ) async throws(EngineError) {
        try await whole { (core) throws(EngineError) in try await body(try core.context.index.find(reference)) }
    }

    public func beginWait(
        _ reference: String, for condition: WaitCondition
    ) async throws(EngineError) -> ExitWait {
        try await core.context.index.find(reference).beginWait(condition)
    }
}

/// A container's files.
extension GantryEngine {
    public func statPath(_ reference: String, path: String) async throws(EngineError) -> PathStat {
        try await core.context.index.find(reference).statPath(reference, path)
    }

    public func listDirectory(_ reference: String, path: String) async throws(EngineError) -> [PathStat] {
        try await core.context.index.find(reference).listDirectory(reference, path)
    }

    public func copyOut(_ reference: String, path: String) async throws(EngineError) -> PathArchive {
        try await core.context.index.find(reference).copyOut(reference, path)
    }

    public func copyIn(
        _ reference: String, path: String, archive: EngineStream<[UInt8]>, options: CopyOptions
    ) async throws(EngineError) {
        try await core.context.index.find(reference).copyIn(reference, path, archive, options)
    }

    public func changes(_ reference: String) async throws(EngineError) -> [PathChange] {
        try await core.context.index.find(reference).changes(reference)
    }

    public func export(_ reference: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        try await core.context.index.find(reference).export(reference)
    }

    public func pruneContainers(_ filter: PruneFilter) async throws(EngineError) -> PruneResult {
        try await whole { (core) throws(EngineError) in
            let result = try await core.containers.prune(filter)
            await core.tellOfPrune(.container, result.reclaimedBytes)
            return result
        }
    }
}

/// A container's stdio and further processes.
extension GantryEngine {
    public func stdioFacts(_ reference: String) async throws(EngineError) -> StdioFacts {
        let container = try core.context.index.find(reference)
        return container.defined { StdioFacts(id: container.id, $0.spec) }
    }

    public func attach(
        _ reference: String, _ request: AttachRequest
    ) async throws(EngineError) -> any AttachedStream {
        try await core.context.index.find(reference).attach(reference, request)
    }

    public func resize(_ reference: String, to size: TerminalSize) async throws(EngineError) {
        try await core.context.index.find(reference).resize(reference, to: size)
    }

    public func logs(
        _ reference: String, _ request: LogRequest
    ) async throws(EngineError) -> EngineStream<LogBatch> {
        try await core.context.index.find(reference).logs(reference, request)
    }

    public func createExec(_ reference: String, _ spec: ExecSpec) async throws(EngineError) -> String {
        try await core.context.index.find(reference).createExec(reference, spec)
    }

    public func checkExec(_ id: String) async throws(EngineError) {
        try await core.context.index.find(execID: id).checkStart(ofExec: id)
    }

    public func startExec(_ id: String, size: TerminalSize?) async throws(EngineError) -> any AttachedStream {
        let stream = try await whole(isTalk: true) { (core) throws(EngineError) in
            try await core.context.index.find(execID: id).startExec(id, size: size, attached: true)
        }
        guard let stream else { throw EngineError(.internal, "exec \(id): no stream was made", object: id) }
        return stream
    }

    public func startExecDetached(_ id: String) async throws(EngineError) {
        _ = try await whole(isTalk: true) { (core) throws(EngineError) in
            try await core.context.index.find(execID: id).startExec(id, size: nil, attached: false)
        }
    }

    public func attachExec(_ id: String) async throws(EngineError) -> any AttachedStream {
        try await core.context.index.find(execID: id).attachExec(id)
    }

    public func resizeExec(_ id: String, to size: TerminalSize) async throws(EngineError) {
        try await core.context.index.find(execID: id).resizeExec(id, to: size)
    }

    public func inspectExec(_ id: String) async throws(EngineError) -> ExecDetails {
        try await core.context.index.find(execID: id).execDetails(id)
    }
}
