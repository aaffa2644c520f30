import EngineAPI

/// Performs one action of the engine and says in words what came of it.
struct ActionRunner: Sendable {
    let engine: any Engine
    let shelf: StreamShelf
    let credentials: InterfaceConfiguration.Credentials
    let files: HostFiles
    let runProgram: @Sendable (ProgramRun) async throws(EngineError) -> ProgramOutput
    let report: @Sendable (JobProgress) -> Void

    func perform(_ action: EngineAction) async throws(EngineError) -> JobResult {
        switch action {
        case .run(let spec, let name, let size): return try await run(spec, name, size)
        case .recreate(let old, let spec, let name, let size):
            return try await recreate(old, spec, name: name, size)
        case .endRecreation(let cut, let end): return try await self.end(cut, end)
        case .start(let target):
            try await engine.start(target.id)
            return .done("\(target.name) started")
        case .stop(let target):
            try await engine.stop(target.id, signal: nil, timeoutSeconds: nil)
            return .done("\(target.name) stopped")
        case .restart(let target):
            try await engine.restart(target.id, signal: nil, timeoutSeconds: nil)
            return .done("\(target.name) restarted")
        case .kill(let target, let signal):
            try await engine.kill(target.id, signal: signal)
            return .done("SIG\(signal) sent to \(target.name)")
        case .pause(let target):
            try await engine.pause(target.id)
            return .done("\(target.name) paused")
        case .unpause(let target):
            try await engine.unpause(target.id)
            return .done("\(target.name) resumed")
        case .rename(let target, let name):
            try await engine.rename(target.id, to: name)
            return .done("\(target.name) is now \(name)")
        case .update(let target, let update):
            let warnings = try await change(target.id, update)
            return .done((["\(target.name) has its new limits"] + warnings).joined(separator: "; "))
        case .remove(let target, let force, let volumes):
            try await engine.remove(target.id, force: force, volumes: volumes)
            return .done("\(target.name) removed")
        case .load(let path): return try await load(path)
        case .saveText(let path, let text, let replaces):
            try await files.save(path, Array(text.utf8), replaces)
            return .done("saved \(path)")
        case .copyOut(let target, let path, let place):
            try await files.copyOut(engine, target.id, path, place)
            return .done("\(path) copied to \(place)")
        case .copyIn(let target, let source, let path):
            try await files.copyIn(engine, target.id, source, path)
            return .done("\(source) copied to \(target.name):\(path)")
        case .createNetwork, .removeNetwork, .pruneNetworks, .connect, .disconnect, .createVolume, .removeVolume,
            .pruneVolumes:
            return .done(try await NetworkActions(engine: engine).perform(action))
        case .removeImage, .tagImage, .pruneImages, .pull:
            return .done(
                try await ImageActions(engine: engine, credentials: credentials, report: report).perform(action))
        case .program(let run):
            let output = try await runProgram(run)
            guard run.display == .nothing else { return .output(output) }
            if let failure = output.failure { throw EngineError(.invalid, failure) }
            return .done("\(run.label): done")
        case .pruneContainers:
            let result = try await engine.pruneContainers(PruneFilter())
            guard !result.removed.isEmpty else { return .done("every container runs") }
            return .done(
                "removed \(result.removed.count) containers, \(Quantity.decimalBytes(result.reclaimedBytes)) are free")
        }
    }

    /// Docker's engine knows no way back from a limit of memory, and has words for it that mean something else.
    private func change(_ id: String, _ update: ContainerUpdate) async throws(EngineError) -> [String] {
        do throws(EngineError) { return try await engine.update(id, update) } catch {
            guard update.limits.memoryBytes == -1, error.message.contains("Minimum memory limit") else { throw error }
            throw EngineError(
                .unsupported, "this engine cannot take a limit of memory away; a larger one it takes", object: id)
        }
    }

    private func load(_ path: String) async throws(EngineError) -> JobResult {
        var names: [String] = []
        let clock = ContinuousClock()
        var told = clock.now
        do {
            for try await step in try await engine.loadImages(.path(path)) {
                switch step {
                case .loaded(let name, let id): names.append(name ?? id)
                case .layer(let digest, let done, let total):
                    guard told.duration(to: clock.now) > .milliseconds(100) else { continue }
                    told = clock.now
                    report(JobProgress(text: Self.progress(digest, done, total)))
                }
            }
        } catch {
            throw EngineError(ending: error)
        }
        // A stream of a cancelled task ends as if it were complete.
        guard !Task.isCancelled else { throw EngineError(.cancelled, "cancelled") }
        return .done(names.isEmpty ? "\(path): no image in it" : "loaded \(names.joined(separator: ", "))")
    }

    private static func progress(_ digest: String, _ done: Int64, _ total: Int64?) -> String {
        let short = digest.split(separator: ":").last.map { String($0.prefix(12)) } ?? digest
        let so = Quantity.decimalBytes(done)
        guard let total, total > 0 else { return "\(short) \(so)" }
        let percent = min(100, done.multipliedSaturated(by: 100) / total)
        return "\(short) \(so) of \(Quantity.decimalBytes(total)), \(percent)%"
    }
}
