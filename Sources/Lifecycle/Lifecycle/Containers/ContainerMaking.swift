import AsyncIO
import EngineAPI
import Images
import Linux
import Snapshots
import Storage

/// Making a container out of what was decided on, and taking back one that came to nothing.
extension ContainerService {
    /// An intent in the metadata first, so that whatever is made after it is found again after a crash.
    func make(
        _ id: String, _ name: String, _ definition: ContainerDefinition, _ image: ImageRecord, _ launch: [LaunchStep]
    ) async throws(EngineError) {
        for other in unmade.withLock({ $0 }) { await unmake(other) }
        let createdAt = Timestamp.now()
        var row = ContainerRow(
            id: id, name: name, createdAt: createdAt.nanosecondsSinceEpoch, definition: try definition.text(),
            state: .init(phase: .creating))
        row.state.bootID = context.bootID
        do throws(StorageError) { _ = try await context.store.commit(.insert(row), []) } catch {
            // Of a row that this version cannot read only the table knows the name.
            throw error.kind == .duplicate ? ContainerName.inUse(name, by: "") : EngineError(error, object: name)
        }
        context.faults.pass(.createAfterIntent)
        let container = Container(
            id: id, name: name, definition: definition, createdAt: createdAt, phase: .created(.init()),
            launch: launch, context: context)
        do throws(EngineError) {
            try await fill(container, image)
        } catch {
            await unmake(id)
            throw error
        }
        context.index.add(container)
        context.faults.pass(.createAfterRow)
    }

    private func fill(_ container: Container, _ image: ImageRecord) async throws(EngineError) {
        try await context.volumes.write(container.definition.spec.mounts)
        try await join(container)
        _ = try await context.images.prepareRoot(
            containerID: container.id, image: image, isContainer: true)
        try await prepareImageMounts(container)
        await container.mark(.snapshotPrepared)
        try await fillVolumes(container)
        context.faults.pass(.createAfterRoot)
        let definition = container.definition
        let files = ContainerFiles(
            directory: context.roots.files(container.id), names: container.networkRequest.names,
            sharesHostNetwork: definition.spec.networkMode == .host,
            remap: context.host.remap(for: definition.spec.userMode))
        do {
            try await BlockingPool.shared.run { () throws(KernelError) in try files.write() }
        } catch {
            throw EngineError(error, object: container.id)
        }
        context.faults.pass(.createAfterFiles)
        let event = await container.event("create")
        let state = await container.row
        do {
            let numbers = try await context.store.commit(.state(id: container.id, state), [EventRow(event)])
            context.events.publish([event], numbers: numbers)
        } catch {
            throw EngineError(error, object: container.id)
        }
    }

    private func join(_ container: Container) async throws(EngineError) {
        let spec = container.definition.spec
        guard let first = spec.networkMode?.network else { return }
        let others = spec.networks.keys.filter { $0 != first }.sorted()
        let wanted = ([first] + others).map { (network: $0, spec: spec.networks[$0] ?? EndpointSpec()) }
        let name = await container.name
        do throws(EngineError) { try await context.networks.join(container.id, name: name, wanted) } catch {
            // Not `notFound`: docker's clients take that of a creation for a missing image, and pull.
            throw error.kind == .notFound ? EngineError(.invalid, error.message, object: error.object) : error
        }
    }

    /// What the image has at an empty volume's place is copied there.
    private func fillVolumes(_ container: Container) async throws(EngineError) {
        let mounts = container.definition.spec.mounts
        guard mounts.contains(where: { $0.kind == .volume && !$0.noCopy }) else { return }
        let images = context.images
        let remap = context.host.remap(for: container.definition.spec.userMode)
        try await context.volumes.copyUp(mounts, remap: remap) { () async throws(EngineError) in
            try await images.openRoot(containerID: container.id, forWriting: false, inside: InnerMounts())
        }
    }

    /// What a container writes to an image that is mounted in it is kept as long as the container.
    private func prepareImageMounts(_ container: Container) async throws(EngineError) {
        for (number, mount) in container.definition.spec.mounts.enumerated() where mount.kind == .image {
            do throws(EngineError) {
                let image = try await context.images.resolve(mount.source)
                _ = try await context.images.prepareRoot(
                    containerID: MountedImage.root(of: container.id, number), image: image, isContainer: false)
            } catch {
                // Not `notFound`: docker's clients would pull the container's own image.
                throw error.kind == .notFound ? EngineError(.invalid, error.message, object: mount.source) : error
            }
        }
    }

    /// One that a former engine was killed over, with the volumes that were made for it and for nobody else.
    func undo(_ row: ContainerRow) async {
        // A row that cannot be read names none.
        if let mounts = definition(of: row)?.spec.mounts {
            do throws(EngineError) {
                await context.tell("destroy", volumes: try await context.volumes.removeAnonymous(mounts, of: row.id))
            } catch { context.note("container \(row.id): \(error)") }
        }
        await unmake(row.id)
    }

    /// Takes back a container that was never whole. What cannot be taken back now is before the next one is made, or by
    /// the next engine.
    private func unmake(_ id: String) async {
        let files = context.roots.files(id)
        do {
            try await context.images.removeRoot(containerID: id)
            try await context.networks.leave(id)
            let bundle = context.roots.bundle(id)
            try await BlockingPool.shared.run { () throws(KernelError) in
                for tree in [files, bundle] { try Directory.removeTree(tree) }
            }
            _ = try await context.store.commit(.delete(id: id), [])
            unmade.withLock { _ = $0.remove(id) }
        } catch {
            unmade.withLock { _ = $0.insert(id) }
            context.note("container \(id): undo its creation: \(error)")
        }
    }

    func definition(of row: ContainerRow) -> ContainerDefinition? {
        do throws(EngineError) { return try ContainerDefinition(text: row.definition) } catch {
            context.note("container \(row.id): \(error)")
            return nil
        }
    }
}
