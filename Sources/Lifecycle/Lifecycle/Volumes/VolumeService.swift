import AsyncIO
import EngineAPI
import Glibc
import Linux
import Snapshots
import Storage

/// The volumes of an engine: rows, and directories below the data root. Read when first needed.
///
/// Who uses a volume is what the containers' definitions say; a name that a container being made wants is claimed
/// meanwhile, so that it is not removed under its hands.
package actor VolumeService {
    private let store: MetadataStore
    private let directory: String
    private let index: ContainerIndex
    private var volumes: [String: VolumeDefinition] = [:]
    private var claims: [String: Int] = [:]
    private var loading: Task<EngineError?, Never>?

    package init(store: MetadataStore, directory: String, index: ContainerIndex) {
        self.store = store
        self.directory = directory
        self.index = index
    }

    private func load() async throws(EngineError) {
        if loading == nil { loading = Task { await self.read() } }
        if let failure = await loading?.value {
            loading = nil
            throw failure
        }
    }

    private func read() async -> EngineError? {
        do {
            for row in try await store.volumes() { volumes[row.name] = try VolumeDefinition(text: row.document) }
            return nil
        } catch let error as EngineError {
            return error
        } catch let error as StorageError {
            return EngineError(error)
        } catch { return EngineError(.internal, "\(error)") }
    }

    /// Where the host has a volume's files.
    package nonisolated func mountpoint(_ name: String) -> String { "\(directory)/\(name)/_data" }

    package func all() async throws(EngineError) -> [VolumeDefinition] {
        try await load()
        return volumes.values.sorted { $0.spec.name < $1.spec.name }
    }

    package func find(_ name: String) async throws(EngineError) -> VolumeDefinition {
        try await load()
        guard let volume = volumes[name] else {
            throw EngineError(.notFound, "get \(name): no such volume", object: name)
        }
        return volume
    }

    /// Makes a volume, or gives the one that is there, if it is of the same kind.
    ///
    /// - Returns: the volume, and whether it is new.
    package func create(
        _ spec: VolumeSpec, isAnonymous: Bool = false
    ) async throws(EngineError) -> (volume: VolumeDefinition, isNew: Bool) {
        try await load()
        var spec = spec
        let hasNoName = spec.name.isEmpty
        if hasNoName { spec.name = RandomID.make() }
        let volume = try VolumeDefinition(
            spec, createdAt: Timestamp.now().nanosecondsSinceEpoch, isAnonymous: isAnonymous || hasNoName)
        if let known = volumes[spec.name] {
            guard spec.options.isEmpty || known.spec.options == spec.options else {
                throw EngineError(
                    .conflict, "create \(spec.name): conflict: volume name must be unique", object: spec.name)
            }
            return (known, false)
        }
        // Claimed at once: a second creation finds it.
        volumes[spec.name] = volume
        do {
            try await makeDirectory(spec.name)
            try await store.insert(VolumeRow(name: spec.name, document: try volume.text()))
        } catch {
            volumes[spec.name] = nil
            throw (error as? EngineError) ?? (error as? StorageError).map { EngineError($0, object: spec.name) }
                ?? EngineError(.internal, "create \(spec.name): \(error)")
        }
        return (volume, true)
    }

    private func makeDirectory(_ name: String) async throws(EngineError) {
        let path = mountpoint(name)
        do throws(KernelError) {
            try await BlockingPool.shared.run { () throws(KernelError) in
                try Directory.create(PathName.split(path).parent, mode: 0o701)
                try Directory.create(path, mode: 0o755)
            }
        } catch { throw EngineError(error, object: name) }
    }

    /// Removes a volume that no container uses.
    package func remove(_ name: String, force: Bool) async throws(EngineError) {
        try await load()
        guard volumes[name] != nil else {
            if force { return }
            throw EngineError(.notFound, "get \(name): no such volume", object: name)
        }
        let users = users(of: name)
        guard users.isEmpty, claims[name] == nil else {
            throw EngineError(
                .conflict, "remove \(name): volume is in use - [\(users.joined(separator: ", "))]", object: name)
        }
        let volume = volumes.removeValue(forKey: name)
        do {
            try await store.deleteVolume(name)
            let path = "\(directory)/\(name)"
            try await BlockingPool.shared.run { () throws(KernelError) in try Directory.removeTree(path) }
        } catch let error as KernelError {
            throw EngineError(error, object: name)
        } catch {
            volumes[name] = volume
            throw (error as? StorageError).map { EngineError($0, object: name) } ?? EngineError(.internal, "\(error)")
        }
    }

    /// The containers that have a volume among their mounts.
    package nonisolated func users(of name: String) -> [String] {
        index.all.filter { container in
            container.definition.spec.mounts.contains { $0.kind == .volume && $0.source == name }
        }.map(\.id).sorted()
    }

    /// The bytes that a volume's files take on the disk.
    package nonisolated func sizeBytes(_ name: String) async -> Int64? {
        let path = mountpoint(name)
        return await BlockingPool.shared.run { TreeSize.bytes(below: path) }
    }
}

/// A container's volumes.
extension VolumeService {
    /// Makes the volumes that mounts name, or that have no name yet, and gives the mounts with all names in place. They
    /// are claimed until `settle`.
    ///
    /// - Returns: the mounts, and the names of those that are new.
    package func prepare(_ mounts: [MountSpec]) async throws(EngineError) -> (mounts: [MountSpec], new: [String]) {
        guard mounts.contains(where: { $0.kind == .volume }) else { return (mounts, []) }
        var result = mounts
        var new: [String] = []
        do throws(EngineError) {
            for place in result.indices where result[place].kind == .volume {
                var spec = VolumeSpec(name: result[place].source)
                spec.options = result[place].volumeOptions
                spec.labels = result[place].volumeLabels
                spec.driver = result[place].volumeDriver ?? "local"
                let (volume, isNew) = try await create(spec)
                claims[volume.spec.name, default: 0] += 1
                result[place].source = volume.spec.name
                if isNew { new.append(volume.spec.name) }
            }
        } catch {
            settle(result)
            for name in new { try? await remove(name, force: true) }  // The first failure is the one to tell of.
            throw error
        }
        return (result, new)
    }

    /// The container is in the index, or will never be.
    package func settle(_ mounts: [MountSpec]) {
        for mount in mounts where mount.kind == .volume {
            guard let count = claims[mount.source] else { continue }
            claims[mount.source] = count > 1 ? count - 1 : nil
        }
    }

    /// Fills volumes that are empty with what the image has at their places.
    package func copyUp(_ mounts: [MountSpec], layers: [String]) async throws(EngineError) {
        for mount in mounts where mount.kind == .volume && !mount.noCopy {
            guard let volume = volumes[mount.source], volume.mount == nil else { continue }
            let (target, scratch) = (mountpoint(mount.source), "\(directory)/\(mount.source)/_view")
            do throws(KernelError) {
                try await BlockingPool.shared.run { () throws(KernelError) in
                    guard try Directory.list(target).isEmpty else { return }
                    try Directory.create(scratch, mode: 0o700)
                    defer { rmdir(scratch) }
                    _ = try RootCopy.copy(mount.target, of: layers, into: target, scratch: scratch)
                }
            } catch {
                throw EngineError(
                    error.errno == .noSpace ? .unavailable : .internal,
                    "copy the image's files into volume \(mount.source): \(error)", object: mount.source)
            }
        }
    }

    /// What the runtime is to mount for each volume of these.
    package func sources(_ mounts: [MountSpec]) async throws(EngineError) -> [String: VolumeSource] {
        var sources: [String: VolumeSource] = [:]
        for mount in mounts where mount.kind == .volume {
            let volume = try await find(mount.source)
            if let own = volume.mount {
                sources[mount.source] = VolumeSource(type: own.type, source: own.source, options: own.options)
            } else {
                sources[mount.source] = VolumeSource(type: "bind", source: mountpoint(mount.source), options: ["rbind"])
            }
        }
        return sources
    }

    /// Removes the volumes without a name of a container that is gone, where no other has them.
    package func removeAnonymous(_ mounts: [MountSpec]) async throws(EngineError) {
        for mount in mounts where mount.kind == .volume {
            try await load()
            guard volumes[mount.source]?.isAnonymous == true, users(of: mount.source).isEmpty else { continue }
            do throws(EngineError) { try await remove(mount.source, force: true) } catch  where error.kind == .conflict
            {
                // Another container is just being made of it.
            }
        }
    }
}

/// What a volume is mounted from.
package struct VolumeSource: Hashable, Sendable {
    package var type: String
    package var source: String
    package var options: [String]
}
