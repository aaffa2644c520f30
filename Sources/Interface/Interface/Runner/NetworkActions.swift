import EngineAPI

/// Performs what is asked of networks and volumes and says in words what came of it.
struct NetworkActions: Sendable {
    let engine: any Engine

    func perform(_ action: EngineAction) async throws(EngineError) -> String {
        switch action {
        case .createNetwork(let spec):
            _ = try await engine.createNetwork(spec)
            return "network \(spec.name) made"
        case .removeNetwork(let target):
            try await engine.removeNetwork(target.id)
            return "network \(target.name) removed"
        case .pruneNetworks:
            let removed = try await engine.pruneNetworks(NetworkFilter()).removed
            return removed.isEmpty ? "every network is in use" : "removed \(removed.joined(separator: ", "))"
        case .connect(let container, let network, let spec):
            try await engine.connect(container, to: network.id, spec)
            return "\(container) is in \(network.name)"
        case .disconnect(let container, let network):
            try await engine.disconnect(container.id, from: network.id, force: false)
            return "\(container.name) has left \(network.name)"
        case .createVolume(let spec): return "volume \(try await engine.createVolume(spec).spec.name) made"
        case .removeVolume(let name):
            try await engine.removeVolume(name, force: false)
            return "volume \(name) removed"
        case .pruneVolumes:
            var filter = VolumeFilter()
            filter.all = true
            let result = try await engine.pruneVolumes(filter)
            guard !result.removed.isEmpty else { return "every volume is in use" }
            let count = result.removed.count == 1 ? "1 volume" : "\(result.removed.count) volumes"
            return "removed \(count), \(Quantity.decimalBytes(result.reclaimedBytes)) are free"
        default: return ""
        }
    }
}
