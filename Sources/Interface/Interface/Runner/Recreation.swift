import EngineAPI

/// Makes a container anew in place of one that is there.
///
/// The old one is kept, stopped and under another name, until the new one runs: where that fails the old one has its name
/// back, and runs again if it did. One that removes itself at its end is gone once it is stopped.
extension ActionRunner {
    func recreate(
        _ old: EngineAction.Target, _ spec: ContainerSpec, name: String, _ size: TerminalSize
    ) async throws(EngineError) -> JobResult {
        try await pullIfMissing(spec.image)
        let before = try await engine.inspect(old.id)
        // The new one has the name from its first moment.
        try await engine.rename(old.id, to: "\(before.name)-\(before.id.prefix(12))")
        let result: JobResult
        do throws(EngineError) {
            if before.state.isActive { try await engine.stop(old.id, signal: nil, timeoutSeconds: nil) }
            result = try await run(spec, name, size)
        } catch {
            // In a task of its own: who has given it up has cancelled this one.
            await Task { [self] in await restore(before) }.value
            throw error
        }
        guard let complaint = await removal(of: old), case .created(let container, let warnings) = result else {
            return result
        }
        return .created(container, warnings: [complaint] + warnings)
    }

    /// Why the old one is still there; nil where it has gone.
    private func removal(of old: EngineAction.Target) async -> String? {
        do throws(EngineError) {
            try await engine.remove(old.id, force: false, volumes: false)
            return nil
        } catch {
            return error.kind == .notFound ? nil : "the one before is still there: \(error.message)"
        }
    }

    /// As far as it can be done: the error that is told is the one that led here.
    private func restore(_ old: ContainerDetails) async {
        // As the comment above says; one that could not be renamed is started all the same.
        try? await engine.rename(old.id, to: old.name)
        // As above.
        if old.state.isActive { try? await engine.start(old.id) }
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
