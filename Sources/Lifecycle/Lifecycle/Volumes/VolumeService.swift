import AsyncIO
import EngineAPI
import Faults
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
    let host: VolumeHost
    let index: ContainerIndex
    let faults: FaultPlan
    let note: @Sendable (String) -> Void
    private(set) var volumes: [String: VolumeDefinition] = [:]
    var claims: [String: Int] = [:]
    /// Made for a container whose row is not written yet; theirs come after it.
    private var unwritten: Set<String> = []
    /// Volumes whose rows cannot be read, and of which nothing else is known: their names are not free.
    private var unread: Set<String> = []
    /// Who has a volume mounted: ids of containers that run, and of transfers.
    var holders: [String: Set<String>] = [:]
    /// Creations, writings and removals of each name.
    private var changes = Turns<String>()
    /// What is done to each one's files and mount.
    var turns = Turns<String>()
    private var loading: Task<EngineError?, Never>?

    /// - Parameter remap: the host's ids of containers; nil where they are the same.
    package init(
        store: MetadataStore, directory: String, index: ContainerIndex, remap: IDRemap? = nil,
        faults: FaultPlan = .none, note: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        host = VolumeHost(directory: directory, owner: remap)
        self.index = index
        self.faults = faults
        self.note = note
    }

    func load() async throws(EngineError) {
        let task = loading ?? Task { await self.read() }
        loading = task
        guard let failure = await task.value else { return }
        // Another one that waited may have begun anew already.
        if loading == task { loading = nil }
        throw failure
    }

    private func read() async -> EngineError? {
        do {
            unread = []
            for row in try await store.volumes() {
                do { volumes[row.name] = try VolumeDefinition(text: row.document) } catch {
                    // A row that cannot be read is kept as it is: a later version may know it.
                    note("volume \(row.name): \(error)")
                    unread.insert(row.name)
                }
            }
            try await finishRemovals()
            await adoptMounts()
            return nil
        } catch let error as EngineError {
            return error
        } catch let error as StorageError {
            return EngineError(error)
        } catch { return EngineError(.internal, "\(error)") }
    }

    /// What a former engine was killed over: a removal is finished, a creation is undone.
    private func finishRemovals() async throws {
        let host = self.host
        let removed = await BlockingPool.shared.run { host.removedNames() }
        for name in removed {
            if volumes[name] != nil, access(host.folder(name), F_OK) != 0 {
                volumes[name] = nil
                do { try await store.deleteVolume(name) } catch {
                    // A full disk: the others can be used all the same, and the next engine finds this one again.
                    note("volume \(name): \(error)")
                    continue
                }
            }
            do throws(KernelError) {
                try await BlockingPool.shared.run { () throws(KernelError) in try host.deleteRemoved(name) }
            } catch {
                // A file that a container has made immutable, say: this one's files stay, the others can be used.
                note("remove volume \(name): \(error)")
            }
        }
        let (known, own) = (unread.union(volumes.keys), volumes.filter { $0.value.mount == nil }.keys.sorted())
        let unfilled = await BlockingPool.shared.run { () -> [KernelError] in
            host.removeUnknown(except: known)
            return own.compactMap { name -> KernelError? in
                do throws(KernelError) {
                    try VolumeFilling(name, of: host, isMounted: false).finish()
                    return nil
                } catch { return error }
            }
        }
        for failure in unfilled { note("fill a volume: \(failure)") }
    }

    /// Where the host has a volume's files.
    package nonisolated func mountpoint(_ name: String) -> String { host.mountpoint(name) }

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

    /// Makes a volume, or gives the one that is there: as docker, with the options and labels that it was made with.
    ///
    /// - Parameter forContainer: for one that is being made: it is not removed until `settle`, and lost with the engine
    ///   until `write`.
    /// - Returns: the volume, and whether it is new.
    package func create(
        _ spec: VolumeSpec, forContainer: Bool = false
    ) async throws(EngineError) -> (volume: VolumeDefinition, isNew: Bool) {
        try await load()
        var spec = spec
        let hasNoName = spec.name.isEmpty
        if hasNoName { spec.name = RandomID.make() }
        let volume = try VolumeDefinition(
            spec, createdAt: Timestamp.now().nanosecondsSinceEpoch, isAnonymous: hasNoName)
        return try await changing(spec.name) { () throws(EngineError) in
            let made = try await self.make(volume, isWritten: !forContainer)
            if forContainer { await self.claim(volume.spec.name) }
            return made
        }
    }

    private func make(
        _ volume: VolumeDefinition, isWritten: Bool
    ) async throws(EngineError) -> (volume: VolumeDefinition, isNew: Bool) {
        let name = volume.spec.name
        if let known = volumes[name] {
            if isWritten { try await write(name) }
            return (known, false)
        }
        guard !unread.contains(name) else {
            throw EngineError(
                .conflict, "create \(name): there is a volume of that name which this version cannot read",
                object: name)
        }
        do throws(EngineError) {
            try await makeDirectory(name)
            faults.pass(.volumeCreateAfterDirectory)
            if isWritten { try await write(volume) }
        } catch {
            let host = self.host
            await BlockingPool.shared.run { host.unmake(name) }
            throw error
        }
        volumes[name] = volume
        if !isWritten { unwritten.insert(name) }
        return (volume, true)
    }

    private func claim(_ name: String) { claims[name, default: 0] += 1 }

    /// Writes a volume's row, if it has none.
    func write(_ name: String) async throws(EngineError) {
        guard let volume = volumes[name], unwritten.contains(name) else { return }
        try await write(volume)
        unwritten.remove(name)
    }

    private func write(_ volume: VolumeDefinition) async throws(EngineError) {
        let name = volume.spec.name
        let row = VolumeRow(name: name, document: try volume.text())
        do throws(StorageError) { try await store.insert(row) } catch { throw EngineError(error, object: name) }
        faults.pass(.volumeCreateAfterRow)
    }

    /// Creations, writings and removals of one name come one after the other: each finds what the one before has left,
    /// directory and row.
    func changing<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable () async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let turn = changes.begin(name) { () -> Result<Value, EngineError> in
            do throws(EngineError) { return .success(try await body()) } catch { return .failure(error) }
        }
        let result = await turn.outcome
        changes.end(name, turn)
        switch result {
        case .success(let value): return value
        case .failure(let error): throw error
        }
    }

    private func makeDirectory(_ name: String) async throws(EngineError) {
        let host = self.host
        do throws(KernelError) {
            try await BlockingPool.shared.run { () throws(KernelError) in try host.make(name) }
        } catch { throw EngineError(error, object: name) }
    }

    /// Removes a volume that no container uses.
    ///
    /// - Parameter containerID: a container that is going itself, and does not count.
    /// - Returns: false where there is none, and `force` takes that for done.
    @discardableResult
    package func remove(
        _ name: String, force: Bool, except containerID: String? = nil
    ) async throws(EngineError) -> Bool {
        try await load()
        return try await changing(name) { () throws(EngineError) in
            try await self.removeNow(name, force: force, except: containerID)
        }
    }

    private func removeNow(
        _ name: String, force: Bool, except containerID: String?
    ) async throws(EngineError) -> Bool {
        guard volumes[name] != nil else {
            if force { return false }
            throw EngineError(.notFound, "get \(name): no such volume", object: name)
        }
        let users = users(of: name).filter { $0 != containerID }
        guard users.isEmpty, claims[name] == nil else {
            throw EngineError(
                .conflict, "remove \(name): volume is in use - [\(users.joined(separator: ", "))]", object: name)
        }
        let volume = volumes.removeValue(forKey: name)
        do throws(EngineError) { try await unmake(name) } catch {
            volumes[name] = volume
            throw error
        }
        unwritten.remove(name)
        let host = self.host
        // What is not gone now goes at the next start.
        do throws(KernelError) {
            try await BlockingPool.trees.run { () throws(KernelError) in try host.deleteRemoved(name) }
        } catch { note("volume \(name): \(error)") }
        return true
    }

    /// Out of the way at once, then out of the rows: no later volume of the name has this one's files.
    private func unmake(_ name: String) async throws(EngineError) {
        let host = self.host
        do throws(KernelError) {
            try await BlockingPool.shared.run { () throws(KernelError) in
                // One that was busy when its last container ended; nothing below it is the volume's to remove.
                if try host.mounted().contains(name) { try host.unmount(name, detach: false) }
                try host.setAside(name)
            }
        } catch {
            throw error.errno == .busy
                ? EngineError(.conflict, "remove \(name): volume is in use - \(error)", object: name)
                : EngineError(error, object: name)
        }
        faults.pass(.volumeRemoveAfterRename)
        do { try await store.deleteVolume(name) } catch {
            await BlockingPool.shared.run { host.putBack(name) }
            throw EngineError(error, object: name)
        }
        faults.pass(.volumeRemoveAfterRow)
    }

    /// The containers that have a volume among their mounts.
    package nonisolated func users(of name: String) -> [String] {
        index.all.filter { container in
            container.definition.spec.mounts.contains { $0.kind == .volume && $0.source == name }
        }.map(\.id).sorted()
    }

    /// The bytes that a volume's files take on the disk; nil where they cannot be read.
    package nonisolated func sizeBytes(_ name: String) async -> Int64? {
        let path = mountpoint(name)
        return await SubjectThreads.shared.run(for: name) { () -> Int64? in
            do throws(KernelError) { return try FileSizes.onDisk(below: path) } catch { return nil }
        } ?? nil
    }
}
