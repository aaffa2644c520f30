import EngineAPI
import Synchronization

/// An engine that keeps containers in memory and writes down what it is asked for. It runs nothing: the front end's side of
/// the boundary is what is tested with it.
final class ScriptedEngine: Engine {
    struct State {
        var containers: [ContainerSummary] = []
        var images: [ImageSummary] = []
        var calls: [String] = []
        var failures: [String: EngineError] = [:]
        var streams: [String: ScriptedStream] = [:]
        var watchers: [AsyncStream<EngineEvent>.Continuation] = []
        var logs: [String: [LogEntry]] = [:]
        var execs: [String: ExecDetails] = [:]
        var sizes: [String: TerminalSize] = [:]
        var nextNumber = 1
        var isAway = false
        /// Whether its list says which containers have a terminal: docker's and podman's do not.
        var listsTerminals = true
        var volumes: [VolumeDetails] = []
        /// Calls that wait, and who waits in them.
        var held: Set<String> = []
        var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
    }

    let state: Mutex<State>

    init(containers: [ContainerSummary] = [], images: [ImageSummary] = [Sample.starter]) {
        state = Mutex(State(containers: containers, images: images))
    }

    var calls: [String] { state.withLock { $0.calls } }

    func fail(_ call: String, with error: EngineError?) { state.withLock { $0.failures[call] = error } }

    /// From now on calls of this name wait until they are released, whoever is cancelled.
    func hold(_ call: String) { state.withLock { _ = $0.held.insert(call) } }

    func release(_ call: String) {
        let waiting = state.withLock { state in
            state.held.remove(call)
            return state.waiting.removeValue(forKey: call) ?? []
        }
        for continuation in waiting { continuation.resume() }
    }

    private func pass(_ call: String) async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard state.held.contains(call) else { return true }
                state.waiting[call, default: []].append(continuation)
                return false
            }
            if isOpen { continuation.resume() }
        }
    }

    func stream(of id: String) -> ScriptedStream? { state.withLock { $0.streams[id] } }

    /// As if something had happened outside of the front end.
    func announce(_ action: String, _ id: String, change: (inout State) -> Void = { _ in }) {
        let watchers = state.withLock { state in
            change(&state)
            return state.watchers
        }
        let event = EngineEvent(
            kind: .container, action: action, actorID: id, attributes: [:], time: Sample.now)
        for watcher in watchers { watcher.yield(event) }
    }

    /// Ends the event streams, and refuses everything until it is back.
    func goAway(_ isAway: Bool) {
        let watchers = state.withLock { state in
            state.isAway = isAway
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.finish() }
    }

    private func record(_ call: String, _ detail: String = "") throws(EngineError) {
        let failure: EngineError? = state.withLock { state in
            state.calls.append(detail.isEmpty ? call : "\(call) \(detail)")
            return state.isAway ? EngineError(.unavailable, "the engine is away") : state.failures[call]
        }
        if let failure { throw failure }
    }

    private func change(_ id: String, _ status: ContainerStatus, _ action: String) {
        announce(action, id) { state in
            guard let index = state.containers.firstIndex(where: { $0.id == id }) else { return }
            state.containers[index].state.status = status
            if action == "start" { state.containers[index].state.startedAt = Sample.now }
        }
    }

    func version() async throws(EngineError) -> EngineVersion {
        try record("version")
        return EngineVersion(name: "Scripted", version: "1.0", apiVersion: "1.51", minimumAPIVersion: "1.24")
    }

    func info() async throws(EngineError) -> EngineInfo { EngineInfo() }

    func containers(_ filter: ContainerFilter) async throws(EngineError) -> [ContainerSummary] {
        try record("list")
        return state.withLock { state in
            var list = state.containers.filter { filter.ids.isEmpty || filter.ids.contains($0.id) }
            for index in list.indices where !state.listsTerminals { list[index].tty = false }
            return list
        }
    }

    func inspect(_ reference: String) async throws(EngineError) -> ContainerDetails {
        try record("inspect", reference)
        let found = state.withLock { $0.containers.first { $0.id == reference } }
        guard let found else { throw EngineError.noSuchContainer(reference) }
        return Sample.details(found)
    }

    func create(_ spec: ContainerSpec, name: String?) async throws(EngineError) -> CreatedContainer {
        try record("create", "\(spec.image) \(name ?? "-") \(spec.command?.joined(separator: "|") ?? "-")")
        let isThere = state.withLock { state in state.images.contains { $0.tags.contains(spec.image) } }
        if !isThere { throw EngineError.noSuchImage(spec.image) }
        let id: String = state.withLock { state in
            let id = Sample.id(100 + state.nextNumber)
            state.nextNumber += 1
            state.containers.insert(
                Sample.container(id: id, name: name ?? "happy_hopper", image: spec.image, .created, tty: spec.tty),
                at: 0)
            return id
        }
        return CreatedContainer(id: id, warnings: [])
    }

    func start(_ reference: String) async throws(EngineError) {
        try record("start", String(reference.suffix(3)))
        // One of this name is started for as long as somebody waits.
        if state.withLock({ state in state.containers.contains { $0.id == reference && $0.name == "stuck" } }) {
            do { try await Task.sleep(for: .seconds(600)) } catch { throw EngineError(.cancelled, "cancelled") }
        }
        change(reference, .running, "start")
    }

    func stop(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try record("stop", String(reference.suffix(3)))
        await pass("stop")
        change(reference, .exited, "die")
    }

    func restart(_ reference: String, signal: String?, timeoutSeconds: Int?) async throws(EngineError) {
        try record("restart", String(reference.suffix(3)))
    }

    func kill(_ reference: String, signal: String) async throws(EngineError) {
        try record("kill", "\(reference.suffix(3)) \(signal)")
    }

    func pause(_ reference: String) async throws(EngineError) {
        try record("pause", String(reference.suffix(3)))
        change(reference, .paused, "pause")
    }

    func unpause(_ reference: String) async throws(EngineError) {
        try record("unpause", String(reference.suffix(3)))
        change(reference, .running, "unpause")
    }

    func rename(_ reference: String, to name: String) async throws(EngineError) {
        try record("rename", "\(reference.suffix(3)) \(name)")
        let isTaken = state.withLock { state in
            guard !state.containers.contains(where: { $0.name == name }) else { return true }
            for index in state.containers.indices where state.containers[index].id == reference {
                state.containers[index].name = name
            }
            return false
        }
        if isTaken { throw EngineError(.conflict, "the name \(name) is in use", object: name) }
    }

    func volumes(_ filter: VolumeFilter) async throws(EngineError) -> [VolumeDetails] {
        try record("volumes")
        return state.withLock { $0.volumes }
    }

    /// A byte for each look that was had.
    func inspectVolume(_ name: String) async throws(EngineError) -> VolumeDetails {
        try record("volume", name)
        guard let found = state.withLock({ state in state.volumes.first { $0.spec.name == name } }) else {
            throw EngineError(.notFound, "no such volume")
        }
        return found
    }

    func update(_ reference: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        try record("update", "\(reference.suffix(3))")
        return []
    }

    func statPath(_ reference: String, path: String) async throws(EngineError) -> PathStat {
        throw EngineError(.notFound, "Could not find the file \(path) in container \(reference)", object: reference)
    }

    func copyOut(_ reference: String, path: String) async throws(EngineError) -> PathArchive {
        throw EngineError(.notFound, "Could not find the file \(path) in container \(reference)", object: reference)
    }

    func copyIn(
        _ reference: String, path: String, archive: EngineStream<[UInt8]>, options: CopyOptions
    ) async throws(EngineError) {
        throw EngineError(.notFound, "Could not find the file \(path) in container \(reference)", object: reference)
    }

    func changes(_ reference: String) async throws(EngineError) -> [PathChange] { [] }

    func export(_ reference: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        EngineStream { nil }
    }

    func pruneContainers(_ filter: PruneFilter) async throws(EngineError) -> PruneResult {
        PruneResult(removed: [], reclaimedBytes: 0)
    }

    func remove(_ reference: String, force: Bool, volumes: Bool) async throws(EngineError) {
        if Task.isCancelled { throw EngineError(.cancelled, "cancelled") }
        try record("remove", "\(reference.suffix(3))\(force ? " force" : "")")
        announce("destroy", reference) { $0.containers.removeAll { $0.id == reference } }
    }

    func removeLink(_ name: String) async throws(EngineError) { try record("removeLink", name) }

    func beginWait(_ reference: String, for condition: WaitCondition) async throws(EngineError) -> ExitWait {
        ExitWait { () throws(EngineError) in WaitResult(exitCode: 0) }
    }

    func attach(_ reference: String, _ request: AttachRequest) async throws(EngineError) -> any AttachedStream {
        try record("attach", String(reference.suffix(3)))
        let status = state.withLock { $0.containers.first { $0.id == reference }?.state.status }
        if status == .paused || status == .restarting {
            throw EngineError(.conflict, "container \(reference) is in no state for that", object: reference)
        }
        let stream = ScriptedStream()
        state.withLock { $0.streams[reference] = stream }
        return stream
    }

    func resize(_ reference: String, to size: TerminalSize) async throws(EngineError) {
        await pass("resize")
        state.withLock { $0.sizes[reference] = size }
    }

    func createExec(_ reference: String, _ spec: ExecSpec) async throws(EngineError) -> String {
        try record("exec", "\(reference.suffix(3)) \(spec.command.joined(separator: " ")) \(spec.user ?? "-")")
        let id = "exec1"
        state.withLock {
            $0.execs[id] = ExecDetails(
                id: id, containerID: reference, spec: spec, running: true, exitCode: nil, pid: 7)
        }
        return id
    }

    func startExec(_ id: String, size: TerminalSize?) async throws(EngineError) -> any AttachedStream {
        let stream = ScriptedStream()
        state.withLock { $0.streams[id] = stream }
        return stream
    }

    func startExecDetached(_ id: String) async throws(EngineError) {}
    func resizeExec(_ id: String, to size: TerminalSize) async throws(EngineError) {}

    func inspectExec(_ id: String) async throws(EngineError) -> ExecDetails {
        guard var found = state.withLock({ $0.execs[id] }) else { throw EngineError.noSuchExec(id) }
        found.exitCode = 0
        return found
    }

    func logs(_ reference: String, _ request: LogRequest) async throws(EngineError) -> EngineStream<LogBatch> {
        let words = (request.follow ? "follow" : "tail") + (request.times ? "" : " without times")
        try record("logs", "\(reference.suffix(3)) \(words)")
        let entries = state.withLock { $0.logs[reference] ?? [] }
        return EngineStream(
            AsyncStream { continuation in
                continuation.yield(LogBatch(entries))
                if !request.follow { continuation.finish() }
            })
    }

    func stats(_ references: [String], every interval: Duration?) async throws(EngineError)
        -> EngineStream<[ContainerStats]>
    {
        try record("stats", references.map { String($0.suffix(3)) }.joined(separator: ","))
        return EngineStream(AsyncStream { $0.yield(references.map { Sample.stats($0, second: 0) }) })
    }

    func top(_ reference: String, psArguments: [String]) async throws(EngineError) -> ProcessTable {
        ProcessTable(titles: [], rows: [])
    }

    func processes(_ reference: String) async throws(EngineError) -> [ProcessNode] { Sample.processes }

    func events(_ request: EventRequest) async throws(EngineError) -> EngineStream<EngineEvent> {
        try record("events")
        let (stream, continuation) = AsyncStream.makeStream(of: EngineEvent.self)
        state.withLock { $0.watchers.append(continuation) }
        return EngineStream(stream)
    }

    func images(_ filter: ImageFilter) async throws(EngineError) -> [ImageSummary] {
        try record("images")
        return state.withLock { $0.images }
    }

    /// One member, called as the path that was asked for.
    func listDirectory(_ reference: String, path: String) async throws(EngineError) -> [PathStat] {
        [PathStat(name: path, sizeBytes: 0, mode: 0o100644, modifiedAt: Sample.now, linkTarget: nil)]
    }

    func inspectImage(_ reference: String) async throws(EngineError) -> ImageDetails {
        throw EngineError.noSuchImage(reference)
    }

    func loadImages(_ source: ImageLoadSource) async throws(EngineError) -> EngineStream<ImageLoadProgress> {
        try record("load")
        return EngineStream(
            AsyncStream { continuation in
                continuation.yield(.loaded(name: "app:1", id: "sha256:1"))
                continuation.finish()
            })
    }

    /// One layer; of `endless` the download never ends.
    func pullImage(_ request: ImagePullRequest) async throws(EngineError) -> EngineStream<ImageTransferProgress> {
        try record("pull", "\(request.reference) \(request.credentials?.user ?? "-")")
        state.withLock {
            $0.images.append(
                ImageSummary(id: "sha256:" + Sample.id(60), tags: [request.reference], createdAt: nil, sizeBytes: 1))
        }
        return EngineStream(
            AsyncStream { continuation in
                continuation.yield(.layer(digest: "sha256:abcdef012345678", .downloading(doneBytes: 1, totalBytes: 2)))
                guard request.reference != "endless" else { return }
                continuation.yield(.layer(digest: "sha256:abcdef012345678", .pulled))
                continuation.yield(.pulled(digest: "", name: "docker.io/\(request.reference)", id: "", isNew: true))
                continuation.finish()
            })
    }

    func diskUsage(of parts: Set<DiskUsagePart>) async throws(EngineError) -> DiskUsage {
        try record("usage")
        var usage = DiskUsage()
        guard parts == [.volume] else { return usage }
        // Each look finds another size.
        usage.volumes = state.withLock { state in
            let looks = Int64(state.calls.count { $0 == "usage" })
            return state.volumes.map { volume in
                var volume = volume
                volume.sizeBytes = looks
                return volume
            }
        }
        return usage
    }

    func removeImage(_ reference: String, force: Bool, prune: Bool) async throws(EngineError) -> [ImageRemoval] {
        try record("removeImage", reference)
        return [.untagged(reference)]
    }
}

/// A process's stdio in memory.
final class ScriptedStream: AttachedStream {
    private let output: AsyncStream<StreamChunk>.Continuation
    private let reader: EngineStream<StreamChunk>
    private let input = Mutex<[UInt8]>([])

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: StreamChunk.self)
        output = continuation
        reader = EngineStream(stream)
    }

    /// What the front end wrote.
    var written: String { input.withLock { String(decoding: $0, as: UTF8.self) } }

    func say(_ text: String) { output.yield(.stdout(Array(text.utf8))) }
    func end() { output.finish() }

    func read() async throws(EngineError) -> StreamChunk? {
        var iterator = reader.makeAsyncIterator()
        do { return try await iterator.next() } catch { throw EngineError(.cancelled, "cancelled") }
    }

    func write(_ bytes: [UInt8]) async throws(EngineError) { input.withLock { $0 += bytes } }
    func closeInput() async throws(EngineError) { input.withLock { $0.append(4) } }
    func close() async { output.finish() }
}
