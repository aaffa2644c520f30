import EngineAPI

/// Makes a container anew in place of one that is there.
///
/// ```
///   create `web-next-…`, part of its networks     nothing has happened to the old one yet
///   stop the old one
///   old one: `web-…`, new one: `web`              a moment apart
///   attach to the new one, start it
///   ───────────────────────────────────────────   nothing is undone from here on
///   remove the old one
/// ```
///
/// Where that fails or is given up the new one goes, and the old one has its name back, and runs again if it did. One that
/// removes itself at its end is gone once it is stopped.
extension ActionRunner {
    func recreate(
        _ old: EngineAction.Target, _ spec: ContainerSpec, name: String, _ size: TerminalSize
    ) async throws(EngineError) -> JobResult {
        try await pullIfMissing(spec.image)
        let before = try await engine.inspect(old.id)
        let takesName = name == before.name
        let made = try await make(spec, takesName ? RecreationName.ofNew(name, inPlaceOf: before.id) : name)
        do throws(EngineError) {
            try await stop(before)
            if takesName {
                if !before.removesItself {
                    try await engine.rename(before.id, to: RecreationName.ofOld(name, before.id))
                }
                try await engine.rename(made.id, to: name)
            }
            try await begin(made.id, spec)
        } catch {
            throw await putBack(before, inPlaceOf: made.id, after: error)
        }
        let result = await outcome(made, spec, name, size)
        guard let complaint = await removal(of: before.id), case .created(let container, let warnings) = result else {
            return result
        }
        return .created(container, warnings: [complaint] + warnings)
    }

    /// An engine that has begun to stop a container ends it, whoever waits: what is put back before that would be stopped,
    /// too. So its end is waited for even by who has given up.
    func stop(_ old: ContainerDetails) async throws(EngineError) {
        guard old.state.isActive else { return }
        let removal = old.removesItself ? try await engine.beginWait(old.id, for: .removed) : nil
        let stopping = Task { [engine] () -> EngineError? in
            do throws(EngineError) { try await engine.stop(old.id, signal: nil, timeoutSeconds: nil) } catch {
                // It has ended by itself meanwhile.
                guard error.kind == .notModified || old.isGone(by: error) else { return error }
            }
            do throws(EngineError) { _ = try await removal?.result() } catch {
                return old.isGone(by: error) ? nil : error
            }
            return nil
        }
        if let failure = await stopping.value { throw failure }
        guard !Task.isCancelled else { throw EngineError(.cancelled, "cancelled") }
    }

    /// The new one away; the old one with its name, and as it was.
    ///
    /// - Returns: what led here, with what could not be put back.
    private func putBack(
        _ old: ContainerDetails, inPlaceOf id: String, after error: EngineError
    ) async -> EngineError {
        await discard(id)
        let failure = await insist { engine throws(EngineError) in
            let now = try await engine.inspect(old.id)
            if now.name != old.name { try await engine.rename(old.id, to: old.name) }
            guard old.state.isActive, !now.state.isActive else { return }
            try await engine.start(old.id)
            if old.state.status == .paused { try await engine.pause(old.id) }
        }
        guard let failure, !old.isGone(by: failure) else { return error }
        return EngineError(
            error.kind, "\(error.message); `\(old.name)` could not be put back: \(failure.message)",
            object: error.object)
    }

    /// Why the old one is still there; nil where it has gone.
    func removal(of id: String) async -> String? {
        let failure = await insist { engine throws(EngineError) in
            try await engine.remove(id, force: false, volumes: false)
        }
        guard let failure, failure.kind != .notFound else { return nil }
        return "the one before is still there: \(failure.message)"
    }

    /// Before anything is stopped: a pull may take long, or fail.
    private func pullIfMissing(_ image: String) async throws(EngineError) {
        do throws(EngineError) { _ = try await engine.inspectImage(image) } catch {
            guard error.kind == .notFound else { throw error }
            let images = ImageActions(engine: engine, credentials: credentials, report: report)
            _ = try await images.perform(.pull(image))
        }
    }
}

extension ContainerDetails {
    /// Its engine removes it once it has ended.
    var removesItself: Bool { spec.autoRemove && state.isActive }

    /// Whether what an engine says of it is that this has happened.
    func isGone(by error: EngineError) -> Bool { removesItself && error.kind == .notFound }
}
