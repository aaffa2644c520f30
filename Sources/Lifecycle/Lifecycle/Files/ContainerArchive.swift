import Archive
import AsyncIO
import EngineAPI
import Glibc
import Images
import Linux
import OCI
import Snapshots

/// Copying in and out, and telling what has changed: the files of a container, running or not.
extension Container {
    package func statPath(_ reference: String, _ path: String) async throws(EngineError) -> PathStat {
        try checkPath(path)
        let tree = try await tree(forWriting: false).calling(reference)
        return try await ServedFiles.look(into: id) { () throws(EngineError) in try tree.named(path) }
    }

    package func listDirectory(_ reference: String, _ path: String) async throws(EngineError) -> [PathStat] {
        try checkPath(path)
        let tree = try await tree(forWriting: false).calling(reference)
        return try await ServedFiles.look(into: id) { () throws(EngineError) in try tree.list(path) }
    }

    package func copyOut(_ reference: String, _ path: String) async throws(EngineError) -> PathArchive {
        try checkPath(path)
        let tree = try await tree(forWriting: false).calling(reference)
        let (stat, top) = try await ServedFiles.look(into: id) {
            () throws(EngineError) -> (PathStat, (directory: HeldDescriptor, name: String)) in
            (try tree.named(path), try tree.parent(of: path))
        }
        // `dir/.` means what is in it, else it goes with its name.
        let name = path.hasSuffix("/.") || stat.name == "/" ? "." : stat.name
        let bytes = try archive(top.name, of: top.directory, as: name, ids: tree.ids)
        await tell("archive-path")
        return PathArchive(stat: stat, bytes: bytes)
    }

    /// What runs is written to while it runs; what does not keeps still until this is done.
    package func copyIn(
        _ reference: String, _ path: String, _ archive: EngineStream<[UInt8]>, _ options: CopyOptions
    ) async throws(EngineError) {
        try checkPath(path)
        if machine.run != nil {
            try await unpack(archive, path, options, reference)
        } else {
            let failure = await inChain { container in
                do throws(EngineError) {
                    try await container.unpack(archive, path, options, reference)
                    return nil
                } catch { return error }
            }.value
            if let failure { throw failure }
        }
        await tell("extract-to-dir")
    }

    /// Everything of the root, as an archive; what is mounted into it is not part of it.
    package func export(_ reference: String) async throws(EngineError) -> EngineStream<[UInt8]> {
        let root = try await context.images.openRoot(containerID: id, forWriting: false, inside: InnerMounts())
        // Members are named `bin/sh`, as docker names them: who takes one out of it asks for that.
        let bytes = try archive(".", of: HeldDescriptor(root), as: "", ids: nil)
        await tell("export")
        return bytes
    }

    package func changes(_ reference: String) async throws(EngineError) -> [PathChange] {
        let own = MountPointNames(definition.spec)
        let changes = try await context.images.changes(containerID: id, leavingOut: { own.contains($0) })
        return changes.map { change in
            switch change.kind {
            case .modified: PathChange(kind: .modified, path: change.path)
            case .added: PathChange(kind: .added, path: change.path)
            case .deleted: PathChange(kind: .deleted, path: change.path)
            }
        }
    }

    private func checkPath(_ path: String) throws(EngineError) {
        guard !path.isEmpty else { throw EngineError(.invalid, "bad parameter: path cannot be empty") }
        guard !path.utf8.contains(0) else { throw EngineError(.invalid, "bad parameter: nul byte in the path") }
    }

    /// As the container's processes see it where some run; else its root with all that lasts mounted in it.
    private func tree(forWriting: Bool) async throws(EngineError) -> ContainerTree {
        while let run = machine.run {
            let count = endCount
            do {
                let root = try Descriptor.open("/proc/\(run.initial.pid)/root", O_PATH | O_DIRECTORY)
                let held = HeldDescriptor(root)
                // The pid may have gone to another process between the two: its root must not be taken for ours.
                if try ProcessStat.read(pid: run.initial.pid).startTicks == run.initial.startTicks {
                    return ContainerTree(root: held, container: id, ids: remap.map { TreeIDs(remap: $0) })
                }
                withExtendedLifetime(held) {}
                break
            } catch {
                // Its end is about to be told.
                guard error.isAboutGoneProcess, await ended(after: count, within: .seconds(10)) else {
                    throw EngineError(error, object: id)
                }
            }
        }
        do throws(EngineError) {
            return try await restingTree(forWriting: forWriting)
        } catch {
            // Before its first start a container lacks the places at which something is to be mounted.
            guard !forWriting, error.kind == .notFound else { throw error }
            try await makeMountPoints()
            return try await restingTree(forWriting: false)
        }
    }

    /// - Parameter forWriting: places at which something is to be mounted are made, too.
    private func restingTree(
        forWriting: Bool, isRootReadOnly: Bool? = nil
    ) async throws(EngineError) -> ContainerTree {
        // What is mounted in the root stays there as long as that is held, whatever becomes of the volume's own mount.
        let holder = RandomID.make()
        let mounts = definition.spec.mounts
        do throws(EngineError) {
            var inside = InnerMounts(
                try await lastingMounts(heldBy: holder),
                isRootReadOnly: isRootReadOnly ?? definition.spec.readOnlyRoot)
            inside.makesTargets = forWriting
            let tree = try await restingTree(forWriting: forWriting, inside)
            await context.volumes.release(mounts, of: holder)
            return tree
        } catch {
            await context.volumes.release(mounts, of: holder)
            throw error
        }
    }

    private func restingTree(forWriting: Bool, _ inside: InnerMounts) async throws(EngineError) -> ContainerTree {
        let root = try await context.images.openRoot(containerID: id, forWriting: forWriting, inside: inside)
        var ids = remap.map { TreeIDs(remap: $0) }
        do throws(KernelError) {
            if ids != nil { ids?.plainDevice = try root.descriptor.status().st_dev }
        } catch { throw EngineError(error, object: id) }
        return ContainerTree(root: HeldDescriptor(root), container: id, ids: ids)
    }

    private nonisolated var remap: IDRemap? { context.host.remap(for: definition.spec.userMode) }

    private func makeMountPoints() async throws(EngineError) {
        let failure = await inChain { container in
            // Started meanwhile: then the runtime has made them.
            if container.machine.run != nil { return nil }
            do throws(EngineError) {
                _ = try await container.restingTree(forWriting: true, isRootReadOnly: false)
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
    }

    /// What is mounted in the container while it runs and is there while it does not.
    private func lastingMounts(heldBy holder: String) async throws(EngineError) -> [InnerMounts.Entry] {
        let spec = definition.spec
        var plan = MountPlan(spec: spec, host: context.host, filesDirectory: context.roots.files(id))
        plan.volumes = try await context.volumes.lastingSources(spec.mounts, heldBy: holder)
        try await BindSource.prepare(spec.mounts)
        let parts = Dictionary(
            spec.mounts.filter { $0.kind == .volume }.map { (PathName.cleaned($0.target), $0.subpath) },
            uniquingKeysWith: { first, _ in first })
        return plan.lasting.map { mount in
            var entry = InnerMounts.Entry(
                source: mount.source ?? "", target: mount.destination,
                isReadOnly: mount.options.contains("ro") || mount.options.contains("rro"))
            entry.beneath = parts[mount.destination] ?? nil
            return entry
        }
    }

    private func unpack(
        _ archive: EngineStream<[UInt8]>, _ path: String, _ options: CopyOptions, _ reference: String
    ) async throws(EngineError) {
        let tree = try await tree(forWriting: true).calling(reference)
        let owner = options.takesOwner ? try await ownUser() : nil
        let failure: EngineError?
        do {
            try await ByteBridge.consumed({ try await archive.next() }) { source in
                try tree.unpack(source, path, options, owner: owner)
            }
            failure = nil
        } catch let error as EngineError {
            failure = error
        } catch {
            failure = EngineError(.cancelled, "copy into \(id): \(error)", object: id)
        }
        if let failure { throw failure }
    }

    private func archive(
        _ name: String, of directory: HeldDescriptor, as member: String, ids: TreeIDs?
    ) throws(EngineError) -> EngineStream<[UInt8]> {
        do throws(KernelError) {
            let source = try ByteBridge.produced { sink in
                try ArchiveWriting.write(name, of: directory, as: member, ids: ids, to: sink)
            }
            return EngineStream { try await source.next() }
        } catch { throw EngineError(error, object: id) }
    }

    private func ownUser() async throws(EngineError) -> (user: Int64, group: Int64)? {
        guard machine.run != nil, !definition.user.isEmpty else { return nil }
        let user = try await resolve(definition.user, [])
        return (Int64(user.uid), Int64(user.gid))
    }
}

/// What is made in a root beside what its container does: no change of the container's.
struct MountPointNames {
    private let names: Set<String>

    init(_ spec: ContainerSpec) {
        names = Set(BottomNames.all + [MountPlan.initTarget] + spec.mounts.map { PathName.cleaned($0.target) })
    }

    func contains(_ path: String) -> Bool {
        names.contains(path) || BottomNames.directories.contains { path.hasPrefix($0 + "/") }
    }
}

extension ContainerTree {
    /// Unpacks what comes from a descriptor into a directory.
    fileprivate func unpack(
        _ source: Descriptor, _ path: String, _ options: CopyOptions, owner: (user: Int64, group: Int64)?
    ) throws(EngineError) {
        try checkTarget(path)
        let translated = try owners(at: path)
        let ownership = try beginOwnership()
        defer { ownership?.end() }
        defer { withExtendedLifetime(root) {} }
        do throws(ArchiveError) {
            let limits = UnpackLimits()
            let reader = try TarReader(
                InflatingInput(DescriptorInput(source), hash: nil, limits: limits), limits: limits)
            var placement = LayerApplier.Placement(
                into: PathName.cleaned("/" + path), keepsKinds: options.keepsKinds, owner: owner)
            placement.translated = translated
            try LayerApplier(root: root.descriptor, placement: placement).apply(reader)
        } catch {
            if case .kernel(let failure) = error { throw self.failure(failure, path) }
            throw EngineError(.invalid, "Error processing tar file: \(error)", object: container)
        }
        // The padding that writers of archives put behind the end.
        var rest = [UInt8](repeating: 0, count: 65536)
        while let count = try? source.read(into: &rest), count > 0 {}  // A peer that goes now has given all.
    }
}
