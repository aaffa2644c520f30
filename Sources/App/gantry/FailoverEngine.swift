import EngineAPI
import RemoteEngine

/// An engine that outlives its host: calls go to whoever serves the data root now. Where the connection to another
/// process breaks, questions are asked again of the next host; actions are made once, after a look whether the host is
/// still there.
struct FailoverEngine: Engine {
    let seat: EngineSeat

    func ask<Value>(
        _ question: (any Engine) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        // Hosts that are commands come and go: the next one may be gone again before it has answered.
        for _ in 0..<8 {
            let engine = try await seat.engine()
            do throws(EngineError) {
                return try await question(engine)
            } catch {
                guard await isLost(engine, error) else { throw error }
            }
        }
        return try await question(seat.engine(verified: true))
    }

    func act<Value>(
        _ action: (any Engine) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let engine = try await seat.engine(verified: true)
        do throws(EngineError) { return try await action(engine) } catch {
            _ = await isLost(engine, error)
            throw error
        }
    }

    /// Whether the connection to another process broke, so that the next host is to be asked. What an engine says of
    /// itself, a full disk or a silent shim, it would only say again.
    private func isLost(_ engine: any Engine, _ error: EngineError) async -> Bool {
        guard error.kind == .unavailable, !error.isAnswer, let lost = engine as? DockerEngine else { return false }
        await seat.lose(lost)
        return true
    }

    /// That of the engine which this process hosts; nil where another one does.
    var containersRevision: UInt64? { seat.hosted?.containersRevision }

    func version() async throws(EngineError) -> EngineVersion {
        try await ask { engine throws(EngineError) in try await engine.version() }
    }

    func info() async throws(EngineError) -> EngineInfo {
        try await ask { engine throws(EngineError) in try await engine.info() }
    }

    func events(_ request: EventRequest) async throws(EngineError) -> EngineStream<EngineEvent> {
        // What happens between two hosts is asked of the next one, also before a first event was seen. Who says when to
        // end, but not when to begin, wants all that is kept.
        let begin = request.since ?? (request.until == nil ? .now() : nil)
        let first = try await ask { engine throws(EngineError) in try await engine.events(request) }
        return try await resuming(first) { last throws(EngineError) in
            var rest = request
            rest.since = last?.time.next ?? begin
            return try await ask { engine throws(EngineError) in try await engine.events(rest) }
        }
    }

    func containers(_ filter: ContainerFilter) async throws(EngineError) -> [ContainerSummary] {
        try await ask { engine throws(EngineError) in try await engine.containers(filter) }
    }

    func inspect(_ reference: String) async throws(EngineError) -> ContainerDetails {
        try await ask { engine throws(EngineError) in try await engine.inspect(reference) }
    }

    func create(_ spec: ContainerSpec, name: String?) async throws(EngineError) -> CreatedContainer {
        try await act { engine throws(EngineError) in try await engine.create(spec, name: name) }
    }

    func start(_ reference: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.start(reference) }
    }

    func stop(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try await act { engine throws(EngineError) in
            try await engine.stop(reference, signal: signal, timeoutSeconds: timeoutSeconds)
        }
    }

    func restart(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try await act { engine throws(EngineError) in
            try await engine.restart(reference, signal: signal, timeoutSeconds: timeoutSeconds)
        }
    }

    func kill(_ reference: String, signal: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.kill(reference, signal: signal) }
    }

    func pause(_ reference: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.pause(reference) }
    }

    func unpause(_ reference: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.unpause(reference) }
    }

    func rename(_ reference: String, to name: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.rename(reference, to: name) }
    }

    func update(_ reference: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        try await act { engine throws(EngineError) in try await engine.update(reference, update) }
    }

    func statPath(_ reference: String, path: String) async throws(EngineError) -> PathStat {
        try await ask { engine throws(EngineError) in try await engine.statPath(reference, path: path) }
    }

    func listDirectory(_ reference: String, path: String) async throws(EngineError) -> [PathStat] {
        try await ask { engine throws(EngineError) in try await engine.listDirectory(reference, path: path) }
    }

    func copyOut(_ reference: String, path: String) async throws(EngineError) -> PathArchive {
        try await ask { engine throws(EngineError) in try await engine.copyOut(reference, path: path) }
    }

    func copyIn(
        _ reference: String, path: String, archive: EngineStream<[UInt8]>, options: CopyOptions
    ) async throws(EngineError) {
        try await act { engine throws(EngineError) in
            try await engine.copyIn(reference, path: path, archive: archive, options: options)
        }
    }

    func changes(_ reference: String) async throws(EngineError) -> [PathChange] {
        try await ask { engine throws(EngineError) in try await engine.changes(reference) }
    }

    func export(_ reference: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        try await ask { engine throws(EngineError) in try await engine.export(reference) }
    }

    func pruneContainers(_ filter: PruneFilter) async throws(EngineError) -> PruneResult {
        try await act { engine throws(EngineError) in try await engine.pruneContainers(filter) }
    }

    func remove(_ reference: String, force: Bool, volumes: Bool) async throws(EngineError) {
        try await act { engine throws(EngineError) in
            try await engine.remove(reference, force: force, volumes: volumes)
        }
    }

    func removeLink(_ name: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.removeLink(name) }
    }
}

extension FailoverEngine {
    /// A wait outlives its host, too: the next one is asked for the same.
    func beginWait(_ reference: String, for condition: WaitCondition) async throws(EngineError) -> ExitWait {
        let engine = try await seat.engine(verified: true)
        let begin = Timestamp.now()
        let wait = try await engine.beginWait(reference, for: condition)
        return ExitWait { () throws(EngineError) in
            do throws(EngineError) { return try await wait.result() } catch {
                guard await isLost(engine, error) else { throw error }
            }
            // An exit that happened while nobody hosted is recorded: waiting for the next one would last for ever.
            let rest = condition == .nextExit ? WaitCondition.notRunning : condition
            do throws(EngineError) { return try await beginWait(reference, for: rest).result() } catch {
                guard error.kind == .notFound, let code = try await recordedExit(reference, since: begin) else {
                    throw error
                }
                return WaitResult(exitCode: code)
            }
        }
    }

    /// How a container that was removed meanwhile had ended: the events are kept longer than their containers.
    private func recordedExit(_ reference: String, since begin: Timestamp) async throws(EngineError) -> Int32? {
        var request = EventRequest()
        (request.since, request.until) = (begin, .now())
        (request.actions, request.containers) = (["die"], [reference])
        var code: Int32?
        do {
            for try await event in try await events(request) {
                code = event.attributes["exitCode"].flatMap { Int32($0) }
            }
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(.internal, "read the events of \(reference): \(error)", object: reference)
        }
        return code
    }

    func attach(_ reference: String, _ request: AttachRequest) async throws(EngineError) -> any AttachedStream {
        try await ResumingStdio.attach(self, reference, request)
    }

    func resize(_ reference: String, to size: TerminalSize) async throws(EngineError) {
        try await ask { engine throws(EngineError) in try await engine.resize(reference, to: size) }
    }

    func createExec(_ reference: String, _ spec: ExecSpec) async throws(EngineError) -> String {
        try await act { engine throws(EngineError) in try await engine.createExec(reference, spec) }
    }

    func startExec(_ id: String, size: TerminalSize?) async throws(EngineError) -> any AttachedStream {
        try await ResumingStdio.startExec(self, id, size)
    }

    func attachExec(_ id: String) async throws(EngineError) -> any AttachedStream {
        try await act { engine throws(EngineError) in try await engine.attachExec(id) }
    }

    func startExecDetached(_ id: String) async throws(EngineError) {
        try await act { engine throws(EngineError) in try await engine.startExecDetached(id) }
    }

    func resizeExec(_ id: String, to size: TerminalSize) async throws(EngineError) {
        try await ask { engine throws(EngineError) in try await engine.resizeExec(id, to: size) }
    }

    func inspectExec(_ id: String) async throws(EngineError) -> ExecDetails {
        try await ask { engine throws(EngineError) in try await engine.inspectExec(id) }
    }

    func logs(_ reference: String, _ request: LogRequest) async throws(EngineError) -> EngineStream<LogBatch> {
        // To tell times costs more than to read all else: a log as a whole is passed on without, where nobody wants them.
        guard request.times || request.details || request.follow || request.tail != nil else {
            let tally = LogTally()
            let stream: EngineStream<LogBatch> = try await resuming { last throws(EngineError) in
                if last != nil { tally.beginAgain() }
                return try await ask { engine throws(EngineError) in try await engine.logs(reference, request) }
            }
            return stream.compactMapped { tally.rest(of: $0) }
        }
        return try await resuming { last throws(EngineError) in
            var rest = request
            // What is left is told by the time of the last line.
            rest.times = true
            if let line = last?.last { (rest.since, rest.tail) = (line.time.next, nil) }
            return try await ask { engine throws(EngineError) in try await engine.logs(reference, rest) }
        }
    }

    func stats(
        _ references: [String], every interval: Duration?
    ) async throws(EngineError) -> EngineStream<[ContainerStats]> {
        try await resuming { _ throws(EngineError) in
            try await ask { engine throws(EngineError) in try await engine.stats(references, every: interval) }
        }
    }

    func top(_ reference: String, psArguments: [String]) async throws(EngineError) -> ProcessTable {
        try await ask { engine throws(EngineError) in try await engine.top(reference, psArguments: psArguments) }
    }

    func processes(_ reference: String) async throws(EngineError) -> [ProcessNode] {
        try await ask { engine throws(EngineError) in try await engine.processes(reference) }
    }

    func diskUsage(of parts: Set<DiskUsagePart>) async throws(EngineError) -> DiskUsage {
        try await ask { engine throws(EngineError) in try await engine.diskUsage(of: parts) }
    }

    func images(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary] {
        try await ask { engine throws(EngineError) in try await engine.images(filter) }
    }

    func inspectImage(_ reference: String) async throws(EngineError) -> ImageDetails {
        try await ask { engine throws(EngineError) in try await engine.inspectImage(reference) }
    }

    func loadImages(_ source: ImageLoadSource) async throws(EngineError) -> EngineStream<ImageLoadProgress> {
        try await act { engine throws(EngineError) in try await engine.loadImages(source) }
    }

    func removeImage(_ reference: String, force: Bool, prune: Bool) async throws(EngineError) -> [ImageRemoval] {
        try await act { engine throws(EngineError) in
            try await engine.removeImage(reference, force: force, prune: prune)
        }
    }
}
