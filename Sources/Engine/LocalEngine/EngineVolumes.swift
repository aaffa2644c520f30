import EngineAPI
import Lifecycle

/// Volumes.
extension GantryEngine {
    public func volumes(_ filter: VolumeFilter) async throws(EngineError) -> [VolumeDetails] {
        let names = try FilterPattern.all(filter.names, of: "name")
        return try await core.context.volumes.all().map { core.details($0) }.filter { filter.accepts($0, names) }
    }

    public func inspectVolume(_ name: String) async throws(EngineError) -> VolumeDetails {
        core.details(try await core.context.volumes.find(name))
    }

    public func createVolume(_ spec: VolumeSpec) async throws(EngineError) -> VolumeDetails {
        try await whole { core throws(EngineError) in
            let (volume, isNew) = try await core.context.volumes.create(spec)
            if isNew { await core.context.tell("create", volumes: [volume.spec.name]) }
            return core.details(volume)
        }
    }

    public func removeVolume(_ name: String, force: Bool) async throws(EngineError) {
        try await whole { core throws(EngineError) in
            guard try await core.context.volumes.remove(name, force: force) else { return }
            await core.context.tell("destroy", volumes: [name])
        }
    }

    public func exportVolume(_ name: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        try await core.context.volumes.export(name)
    }

    public func importVolume(_ name: String, archive: EngineStream<[UInt8]>) async throws(EngineError) {
        try await core.context.volumes.unpack(archive, into: name)
    }

    public func pruneVolumes(_ filter: VolumeFilter) async throws(EngineError) -> PruneResult {
        let names = try FilterPattern.all(filter.names, of: "name")
        return try await whole { core throws(EngineError) in
            var result = PruneResult(removed: [])
            for volume in try await core.context.volumes.all() where filter.all || volume.isAnonymous {
                let details = core.details(volume)
                let name = volume.spec.name
                guard filter.accepts(details, names), details.users?.isEmpty == true else { continue }
                let size = await core.context.volumes.sizeBytes(name) ?? 0
                do throws(EngineError) { try await core.context.volumes.remove(name, force: true) } catch
                    where error.kind == .conflict
                { continue }  // A container got it meanwhile.
                await core.context.tell("destroy", volumes: [name])
                result.removed.append(name)
                result.reclaimedBytes += size
            }
            await core.tellOfPrune(.volume, result.reclaimedBytes)
            return result
        }
    }
}

extension EngineCore {
    fileprivate func details(_ volume: VolumeDefinition) -> VolumeDetails {
        var details = VolumeDetails(
            spec: volume.spec, createdAt: Timestamp(nanosecondsSinceEpoch: volume.createdAt),
            mountpoint: context.volumes.mountpoint(volume.spec.name))
        details.users = context.volumes.users(of: volume.spec.name)
        return details
    }
}

extension VolumeFilter {
    /// - Parameter names: the patterns made of its names.
    fileprivate func accepts(_ volume: VolumeDetails, _ names: [FilterPattern]) -> Bool {
        names.accept(volume.spec.name)
            && (drivers.isEmpty || drivers.contains(volume.spec.driver))
            && labels.allSatisfy { volume.spec.labels.holds($0) }
            && !withoutLabels.contains { volume.spec.labels.holds($0) }
            && (dangling == nil || dangling == (volume.users?.isEmpty ?? true))
    }
}
