import AsyncIO
import EngineAPI
import Images
import JSON
import Linux
import OCI
import Snapshots
import Tasks

/// Writes a container's bundle for a start: the runtime's `config.json` and the empty directory for the root.
struct BundleWriter: Sendable {
    let id: String
    let definition: ContainerDefinition
    let mounts: [SnapshotMount]
    /// The namespaces of other containers that this one joins.
    var joined = JoinedNamespaces()
    let context: LifecycleContext
    /// Another container's network that this one shares.
    var network: SharedNetwork?
    var volumes: [String: VolumeSource] = [:]
    /// How images are mounted, by the mounts' places among the container's.
    var images: [Int: [SnapshotMount]] = [:]
    /// By which it learns of the containers that it is linked to.
    var linkVariables: [String] = []
    /// The container's, for its log.
    var name = ""
    var createdAt = Timestamp.now()

    /// How the task is to be made. The disk is used on the pool for blocking work.
    ///
    /// - Returns: with when the runtime's configuration was made.
    func write(size: TerminalSize?) async throws(EngineError) -> (TaskSpec, specBuiltAt: Timestamp) {
        try await BindSource.prepare(definition.spec.mounts, checksPropagation: true)
        let specBuiltAt: Timestamp
        let facts: BundleFacts
        let prepared = try await PreparedMounts(
            bundle: context.roots.bundle(id), mounts: definition.spec.mounts, volumes: volumes, images: images)
        let rootMounts: [RootMount]
        do {
            (specBuiltAt, facts, rootMounts) = try await BlockingPool.shared.run { () throws in
                let (builtAt, facts) = try writeBundle(size, prepared)
                return (builtAt, facts, try prepared.make())
            }
        } catch let error as EngineError {
            throw error
        } catch let error as KernelError {
            throw EngineError(error, object: id)
        } catch {
            throw EngineError(.internal, "write the bundle of \(id): \(error)", object: id)
        }
        var task = try task(size, facts)
        task.rootMounts += rootMounts
        task.log = try await log(definition.spec.log)
        return (task, specBuiltAt)
    }

    private func writeBundle(
        _ size: TerminalSize?, _ prepared: PreparedMounts
    ) throws -> (Timestamp, BundleFacts) {
        let layers = LayeredRoot(mounts: mounts)
        let lookup = UserLookup { [id] (file) throws(EngineError) in
            do throws(KernelError) { return try layers.contents(file.rawValue) } catch {
                throw EngineError(error, object: id)
            }
        }
        let spec = definition.spec
        let user = try lookup.resolve(definition.user, additionalGroups: spec.supplementaryGroups)
        var builder = SpecBuilder(
            id: id, definition: definition, host: context.host, user: user,
            cgroupPath: context.roots.cgroup(id, below: spec.cgroupParent),
            filesDirectory: context.roots.files(id), hostDevices: spec.privileged ? try HostDevices.all() : [])
        builder.defaults = context.settings.value.defaults
        builder.blockDevices = try spec.limits.blockDevices()
        builder.givenDevices = try GivenDevice.find(spec.devices)
        builder.joined = joined.paths
        builder.sharedMemory = joined.memoryOwner.map { _ in sharedMemory }
        builder.initPath = spec.usesInit ? context.initPath : nil
        if let network { builder.joined[.network] = network.path }
        builder.joined[.user] = joined.user ?? network?.userPath
        builder.volumes = volumes
        builder.preparedMounts = prepared.places
        builder.linkVariables = linkVariables
        builder.networkFilesDirectory = network?.filesDirectory
        var config = try builder.build()
        if spec.tty { config.process?.consoleSize = size.map(RuntimeConsoleSize.init) }
        let builtAt = Timestamp.now()
        let bundle = context.roots.bundle(id)
        try Directory.create(bundle + "/rootfs", mode: 0o711)
        if joined.memoryOwner != nil { try Directory.create(sharedMemory, mode: 0o711) }
        try FileContents.replace(bundle + "/config.json", with: config.json.compactBytes, durable: false)
        return (
            builtAt,
            BundleFacts(cgroupsPath: config.linux.cgroupsPath, hasStartHooks: !config.hooks.poststart.isEmpty)
        )
    }

    /// Where another container's /dev/shm is mounted, in the shim's mount namespace.
    private var sharedMemory: String { context.roots.bundle(id) + "/shm" }

    private func task(_ size: TerminalSize?, _ facts: BundleFacts) throws(EngineError) -> TaskSpec {
        let spec = definition.spec
        let bundle = context.roots.bundle(id)
        var task = TaskSpec(id: id, bundle: bundle, facts, runtime: try context.runtimes.path(spec.runtime))
        task.rootMounts = mounts.map { RootMount($0, at: bundle + "/rootfs") }
        if let owner = joined.memoryOwner {
            var memory = RootMount(type: "bind", source: "/dev/shm", target: sharedMemory, options: [])
            memory.owner = owner
            task.rootMounts.append(memory)
        }
        task.fileIDs = context.host.remap(for: spec.userMode).map { remap in
            TaskFileIDs(
                directory: context.roots.snapshots, uidMap: remap.uidText, gidMap: remap.gidText,
                rootUID: remap.rootUID, rootGID: remap.rootGID)
        }
        task.terminal = spec.tty
        task.initialSize = size
        task.input = !spec.openStdin ? .none : spec.stdinOnce ? .once : .open
        return task
    }

    private func log(_ policy: LogPolicy) async throws(EngineError) -> TaskLog? {
        guard policy.driver != .none else { return nil }
        var log = TaskLog(
            path: policy.keepsFiles ? context.roots.log(id) : nil, maximumSizeBytes: policy.maximumSizeBytes,
            maximumFiles: max(1, policy.maximumFiles))
        log.packs = policy.packsOldFiles
        log.form = policy.filesAreCompact ? .compact : .json
        let attributes = LogAttributes(id: id, name: name, definition: definition)
        if policy.driver == .jsonFile { log.attributes = try attributes.json }
        guard policy.driver.sendsLines else { return log }
        let forwarding = LogForwarding(attributes: attributes, hostname: context.host.hostname, createdAt: createdAt)
        log.forward = try await BlockingPool.shared.run { () throws(EngineError) in try forwarding.find() }
        return log
    }
}

extension RuntimeConsoleSize {
    init(_ size: TerminalSize) { self.init(height: size.rows, width: size.columns) }
}
