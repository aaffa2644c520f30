import EngineAPI

/// What is left of a container's recreation whose process was killed, brought to an end. Each step is left out that has been
/// made already; who gives up in between finds it cut off once more.
extension ActionRunner {
    func end(_ cut: CutRecreation, _ end: CutRecreation.End) async throws(EngineError) -> JobResult {
        switch end {
        case .finish: try await finish(cut)
        case .undo: try await undo(cut)
        }
    }

    private func finish(_ cut: CutRecreation) async throws(EngineError) -> JobResult {
        guard let new = cut.new else {
            throw EngineError(.notFound, "the new `\(cut.name)` has been removed", object: cut.name)
        }
        if let old = cut.old {
            let before = try await engine.inspect(old.id)
            try await stop(before)
            if before.name == cut.name, !before.removesItself {
                try await engine.rename(old.id, to: RecreationName.ofOld(cut.name, old.id))
            }
        }
        let now = try await engine.inspect(new.id)
        if now.name != cut.name { try await engine.rename(new.id, to: cut.name) }
        if now.state.status == .created { try await engine.start(new.id) }
        let complaint = if let old = cut.old { await removal(of: old.id) } else { String?.none }
        return .done((["\(cut.name) was recreated"] + [complaint].compactMap { $0 }).joined(separator: "; "))
    }

    /// The old one runs again where the recreation stopped it. Whether it was paused then nobody knows any more.
    private func undo(_ cut: CutRecreation) async throws(EngineError) -> JobResult {
        var wasStopped = false
        if let new = cut.new {
            let made = try await engine.inspect(new.id)
            if let old = cut.old, let end = try await engine.inspect(old.id).state.finishedAt {
                wasStopped = end >= made.createdAt
            }
            try await engine.remove(new.id, force: true, volumes: true)
        }
        guard let old = cut.old else { return .done("\(cut.new?.name ?? cut.name) removed") }
        let before = try await engine.inspect(old.id)
        if before.name != cut.name { try await engine.rename(old.id, to: cut.name) }
        if wasStopped, !before.state.isActive { try await engine.start(old.id) }
        return .done("\(cut.name) is as it was")
    }
}
