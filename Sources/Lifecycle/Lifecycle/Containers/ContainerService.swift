import EngineAPI
import Images
import Synchronization
import Tasks

/// The containers of an engine: making them, finding what a former engine left, and passing on what shims report.
package final class ContainerService: Sendable {
    package let context: LifecycleContext
    /// Containers that came to nothing and could not be taken back: the row of each still has a name.
    let unmade = Mutex<Set<String>>([])

    package init(context: LifecycleContext) { self.context = context }

    /// Makes a container that does not run yet. On failure nothing is left.
    package func create(_ wanted: ContainerSpec, name: String?) async throws(EngineError) -> CreatedContainer {
        var launch = [LaunchStep(.payloadAccepted)]
        let warnings = try SpecValidation.check(wanted, host: context.host)
        var spec = wanted
        spec.limits = spec.limits.kept(by: context.host)
        let settings = context.settings.value
        spec.log = try wanted.log.completed(by: settings.log)
        if spec.shmSizeBytes ?? 0 == 0 { spec.shmSizeBytes = settings.defaults.shmSizeBytes }
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
}

extension ContainerService {
    /// Passes the shims' reports on until the service's stream ends or the task is cancelled.
    package func passReports() async {
        for await report in context.tasks.reports {
            switch report {
            case .exited(let id, let exit): await context.index[id]?.report(.exited(exit))
            case .outOfMemory(let id): await context.index[id]?.report(.outOfMemory)
            case .shimLost(let id): await context.index[id]?.report(.lost(at: .now()))
            case .execExited(let id, let execID, let exit): await context.index[id]?.report(exec: execID, exit)
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
