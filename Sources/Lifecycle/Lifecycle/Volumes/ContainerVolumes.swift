import EngineAPI

/// A container's volumes.
extension VolumeService {
    /// Makes the volumes that mounts name, or that have no name yet, and gives the mounts with all names in place. They
    /// are claimed until `settle`, and lost with the engine until `write`.
    ///
    /// - Returns: the mounts, and the names of those that are new.
    package func prepare(_ mounts: [MountSpec]) async throws(EngineError) -> (mounts: [MountSpec], new: [String]) {
        guard mounts.contains(where: { $0.kind == .volume }) else { return (mounts, []) }
        var result = mounts
        var new: [String] = []
        var claimed: [MountSpec] = []
        do throws(EngineError) {
            for place in result.indices where result[place].kind == .volume {
                var spec = VolumeSpec(name: result[place].source)
                spec.options = result[place].volumeOptions
                spec.labels = result[place].volumeLabels
                spec.driver = result[place].volumeDriver ?? "local"
                let (volume, isNew) = try await create(spec, forContainer: true)
                result[place].source = volume.spec.name
                if spec.name.isEmpty, result[place].addition == nil { result[place].addition = .source }
                claimed.append(result[place])
                if isNew { new.append(volume.spec.name) }
            }
        } catch {
            settle(claimed)
            for name in new { _ = try? await remove(name, force: true) }  // The first failure is the one to tell of.
            throw error
        }
        return (result, new)
    }

    /// Writes the rows of new volumes. The container's own is there: whoever undoes it finds them by that.
    package func write(_ mounts: [MountSpec]) async throws(EngineError) {
        for mount in mounts where mount.kind == .volume {
            let name = mount.source
            try await changing(name) { () throws(EngineError) in try await self.write(name) }
        }
    }

    /// The container is in the index, or will never be.
    package func settle(_ mounts: [MountSpec]) {
        for mount in mounts where mount.kind == .volume {
            guard let count = claims[mount.source] else { continue }
            claims[mount.source] = count > 1 ? count - 1 : nil
        }
    }

    /// What the runtime is to mount for each volume of these.
    ///
    /// - Parameter containerID: who starts with them, and holds them until `release`.
    package func sources(
        _ mounts: [MountSpec], for containerID: String
    ) async throws(EngineError) -> [String: VolumeSource] {
        var sources: [String: VolumeSource] = [:]
        for mount in mounts where mount.kind == .volume {
            let volume = try await find(mount.source)
            if let own = volume.ownMount, !mountsOnHost {
                sources[mount.source] = own
            } else {
                try await hold(mount.source, by: containerID)
                sources[mount.source] = VolumeSource(type: "bind", source: mountpoint(mount.source), options: ["rbind"])
            }
        }
        return sources
    }

    /// Removes the volumes without a name of a container that is going, where no other has them.
    ///
    /// - Returns: the names of those that are gone.
    package func removeAnonymous(
        _ mounts: [MountSpec], of containerID: String
    ) async throws(EngineError) -> [String] {
        var removed: [String] = []
        for mount in mounts where mount.kind == .volume {
            try await load()
            guard volumes[mount.source]?.isAnonymous == true else { continue }
            do throws(EngineError) {
                if try await remove(mount.source, force: true, except: containerID) { removed.append(mount.source) }
            } catch  where error.kind == .conflict {
                // Another container has it, or is just being made of it.
            }
        }
        return removed
    }
}

/// What a volume is mounted from.
package struct VolumeSource: Hashable, Sendable {
    package var type: String
    package var source: String
    package var options: [String]
}
