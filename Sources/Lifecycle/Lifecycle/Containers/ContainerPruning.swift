import EngineAPI

extension ContainerService {
    /// Removes the containers that do not run and that the filter means; one that cannot be removed stays.
    package func prune(_ filter: PruneFilter) async throws(EngineError) -> PruneResult {
        var result = PruneResult(removed: [], reclaimedBytes: 0)
        for container in context.index.all {
            guard filter.accepts(container), await Self.isAtRest(container) else { continue }
            let bytes = await size(of: container)
            do throws(EngineError) {
                try await container.remove(container.id, force: false)
                result.removed.append(container.id)
                result.reclaimedBytes += bytes
            } catch {
                // Started meanwhile, or somebody else removes it: neither is a failure of this.
                if error.kind != .conflict, error.kind != .notFound { context.note("prune: \(error)") }
            }
        }
        return result
    }

    private static func isAtRest(_ container: Container) async -> Bool {
        switch await container.state.status {
        case .created, .exited, .dead: true
        case .running, .paused, .restarting, .removing: false
        }
    }

    /// What the container itself has written; 0 where that cannot be told.
    private func size(of container: Container) async -> Int64 {
        // The removal that follows matters, not the number.
        (try? await context.images.writtenBytes(containerID: container.id)) ?? 0
    }
}

extension PruneFilter {
    fileprivate func accepts(_ container: Container) -> Bool {
        let own = container.definition.labels
        func holds(_ label: String) -> Bool {
            guard let equals = label.firstIndex(of: "=") else { return own[label] != nil }
            return own[String(label[..<equals])] == String(label[label.index(after: equals)...])
        }
        return (until.map { container.createdAt < $0 } ?? true) && labels.allSatisfy(holds)
            && !withoutLabels.contains(where: holds)
    }
}
