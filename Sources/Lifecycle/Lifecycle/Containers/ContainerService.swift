import AsyncIO
import EngineAPI
import Images
import Linux
import Snapshots
import Storage
import Synchronization
import Tasks

/// The containers of an engine: making them, finding what a former engine left, and passing on what shims report.
package final class ContainerService: Sendable {
    package let context: LifecycleContext
    /// Containers that came to nothing and could not be taken back: the row of each still has a name.
    private let unmade = Mutex<Set<String>>([])

    package init(context: LifecycleContext) { self.context = context }

    /// Makes a container that does not run yet. On failure nothing is left.
    package func create(_ wanted: ContainerSpec, name: String?) async throws(EngineError) -> CreatedContainer {
        var launch = [LaunchStep(.payloadAccepted)]
        let warnings = try SpecValidation.check(wanted, host: context.host)
        var spec = wanted
        spec.limits = spec.limits.kept(by: context.host)
        spec.networkMode = try networkMode(wanted)
        try resolveSharing(&spec)
        try await resolveLinks(&spec)
        let image = try await context.images.resolve(spec.image)
        launch.append(LaunchStep(.imageResolved))
        let defaults = ImageDefaults(image.config.execution)
        spec.mounts = VolumeMounts.resolve(spec, imageVolumes: defaults.volumes, lenders: try lenders(spec))
        // An image, too, may want what cannot be.
        for mount in spec.mounts { try MountRules.checkPlace(mount) }
        let (mounts, new) = try await context.volumes.prepare(spec.mounts)
        spec.mounts = mounts
        await context.tell("create", volumes: new)
        do throws(EngineError) {
            let id = try await make(spec, name, image, defaults, launch)
            await context.volumes.settle(mounts)
            return CreatedContainer(id: id, warnings: warnings + (await publishingWarnings(id, spec)))
        } catch {
            await context.volumes.settle(mounts)
            for volume in new { await discard(volume) }
            throw error
        }
    }

    /// What keeps other machines from the ports that a container is to have.
    private func publishingWarnings(_ id: String, _ spec: ContainerSpec) async -> [String] {
        guard spec.networkMode?.network != nil, spec.publishesAllPorts || !spec.portBindings.isEmpty else { return [] }
        return await context.networks.forwardingWarnings(of: id)
    }

    /// The containers whose mounts this one has, too.
    private func lenders(_ spec: ContainerSpec) throws(EngineError) -> [VolumeMounts.Lender] {
        try spec.volumesFrom.map { text throws(EngineError) in
            let (name, readOnly) = try VolumeMounts.reference(text)
            let mounts = try context.index.find(name).definition.spec.mounts
            return VolumeMounts.Lender(mounts: mounts, readOnly: readOnly)
        }
    }

    /// A volume that was made for a container which came to nothing.
    private func discard(_ volume: String) async {
        do throws(EngineError) {
            try await context.volumes.remove(volume, force: true)
            await context.tell("destroy", volumes: [volume])
        } catch {
            context.note("volume \(volume): \(error)")
        }
    }

    private func make(
        _ spec: ContainerSpec, _ name: String?, _ image: ImageRecord, _ defaults: ImageDefaults,
        _ launch: [LaunchStep]
    ) async throws(EngineError) -> String {
        let id = RandomID.make()
        let definition = try ContainerDefinition(
            id: id, spec: spec, imageID: image.id.description, image: defaults, hostHostname: context.host.hostname,
            lender: try spec.networkMode?.container.map { (id) throws(EngineError) in
                try context.index.find(id).definition
            })
        try await checkBinds(spec)
        let name = try claimName(name, for: id)
        do throws(EngineError) {
            try await make(id, name, definition, image, launch)
        } catch {
            context.index.release(name: name, of: id)
            throw error
        }
        return id
    }

    /// Another container is named by its id from here on: its name may become somebody else's.
    private func networkMode(_ spec: ContainerSpec) throws(EngineError) -> NetworkMode {
        guard let mode = spec.networkMode, mode.rawValue != "", mode.rawValue != "default" else { return .bridge }
        guard let other = mode.container else { return mode }
        return NetworkMode(rawValue: "container:\(try context.index.find(other).id)")
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

    /// Containers whose namespaces are shared are known by id from here on: a name may go to another.
    private func resolveSharing(_ spec: inout ContainerSpec) throws(EngineError) {
        _ = try context.runtimes.path(spec.runtime)
        if spec.usesInit, context.initPath == nil {
            throw EngineError(
                .unavailable,
                "no init program: gantry-shim is not linked statically here, and there is no `tini-static`")
        }
        spec.pidMode = try resolve(spec.pidMode)
        spec.ipcMode = try resolve(spec.ipcMode)
    }

    private func resolve(_ mode: NamespaceMode?) throws(EngineError) -> NamespaceMode? {
        guard case .container(let reference) = mode else { return mode }
        do throws(EngineError) { return .container(try context.index.find(reference).id) } catch {
            // Not `notFound`: docker's CLI takes that of a create for a missing image, and pulls.
            throw EngineError(.invalid, error.message, object: reference)
        }
    }

    private func checkBinds(_ spec: ContainerSpec) async throws(EngineError) {
        try await BindSource.prepare(spec.mounts.filter { !$0.createsSource })
    }

    private func claimName(_ wanted: String?, for id: String) throws(EngineError) -> String {
        if let wanted {
            let name = wanted.hasPrefix("/") ? String(wanted.dropFirst()) : wanted
            try ContainerName.check(name)
            guard context.index.claim(name: name, for: id) else {
                throw ContainerName.inUse(name, by: context.index.owner(ofName: name) ?? "")
            }
            return name
        }
        for attempt in 0..<8 {
            let name = ContainerName.makeUp(attempt: attempt)
            if context.index.claim(name: name, for: id) { return name }
        }
        let name = String(id.prefix(12))
        _ = context.index.claim(name: name, for: id)
        return name
    }

    /// An intent in the metadata first, so that whatever is made after it is found again after a crash.
    private func make(
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

extension ContainerService {
    /// Passes the shims' reports on until the service's stream ends or the task is cancelled.
    package func passReports() async {
        for await report in context.tasks.reports {
            switch report {
            case .exited(let id, let exit): await context.index[id]?.report(.exited(exit))
            case .outOfMemory(let id): await context.index[id]?.report(.outOfMemory)
            case .shimLost(let id): await context.index[id]?.report(.lost(at: .now()))
            // On the side: telling of it waits for the container's chain, others' reports must not.
            case .execExited(let id, let execID, let exit): context.index[id]?.pass(exec: execID, exit)
            }
        }
    }

    /// What the image store must know before it removes an image.
    package func imageUses() async -> [ImageUse] {
        var uses: [ImageUse] = []
        for container in context.index.all {
            let isRunning = await container.state.isAlive
            uses.append(
                ImageUse(
                    containerID: container.id, imageID: container.definition.imageID,
                    reference: container.definition.spec.image, isRunning: isRunning))
        }
        return uses
    }
}
