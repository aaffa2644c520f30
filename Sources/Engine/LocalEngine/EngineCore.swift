import AsyncIO
import EngineAPI
import Faults
import Glibc
import Images
import Lifecycle
import Linux
import Networking
import Snapshots
import Storage
import Synchronization
import Tasks

/// The parts of a running engine.
final class EngineCore: Sendable {
    let configuration: LocalEngineConfiguration
    let containers: ContainerService
    let context: LifecycleContext
    let cgroups: CgroupLayout
    let engineID: String
    let warnings: WarningList
    let registries: RegistryAccess
    private let lock: DataRootLock
    private let reporting: Task<Void, Never>

    private init(
        _ configuration: LocalEngineConfiguration, _ containers: ContainerService, _ cgroups: CgroupLayout,
        engineID: String, warnings: WarningList, lock: DataRootLock
    ) {
        self.configuration = configuration
        self.containers = containers
        self.cgroups = cgroups
        self.engineID = engineID
        self.warnings = warnings
        self.lock = lock
        context = containers.context
        registries = RegistryAccess(dataRoot: configuration.dataRoot)
        // Where they come in: who waits for an end hears of it without a change of threads.
        reporting = AsyncSocket.taskOnWaitingThread { await containers.passReports() }
    }

    deinit { reporting.cancel() }

    static func open(
        _ configuration: LocalEngineConfiguration, note: @escaping @Sendable (String) -> Void
    ) async throws(GantryEngine.OpenError) -> EngineCore {
        let (lock, host, cgroups, bootID) = try await BlockingPool.shared.run { () throws(GantryEngine.OpenError) in
            try prepare(configuration)
        }
        do throws(EngineError) {
            let parts = try await Parts(configuration, host: host, cgroups: cgroups, bootID: bootID, note: note)
            let containers = ContainerService(context: parts.context)
            try await containers.recover(startsByPolicy: configuration.startsByPolicy)
            let core = EngineCore(
                configuration, containers, cgroups, engineID: parts.engineID, warnings: WarningList(), lock: lock)
            for line in parts.context.settings.value.warnings { note(line) }
            for line in parts.damagedImages {
                core.warnings.add(line)
                note(line)
            }
            await core.packStarterImage()
            return core
        } catch {
            lock.release()
            throw .failed(error)
        }
    }

    /// What must hold before anything is opened. Blocking.
    private static func prepare(
        _ configuration: LocalEngineConfiguration
    ) throws(GantryEngine.OpenError) -> (DataRootLock, HostFacts, CgroupLayout, bootID: String) {
        do throws(EngineError) { try Requirements.check(configuration) } catch { throw .failed(error) }
        let roots = configuration.roots
        do throws(KernelError) {
            try Directory.create(roots.data, mode: 0o711)
            try Directory.create(roots.run, mode: 0o711)
            try Directory.create(roots.containers, mode: 0o711)
            try Directory.create(roots.bundles, mode: 0o711)
            for directory in [roots.containers, roots.bundles] { Directory.spread(directory) }
            let cgroups = try CgroupLayout.current()
            let bootID = try FileContents.read("/proc/sys/kernel/random/boot_id").prefix { $0 != 10 }
            let host = try HostFacts.current()
            guard let lock = try DataRootLock(roots.lock) else {
                throw LockedElsewhere.error
            }
            try configuration.rootless?.announceEngine()
            return (lock, host, cgroups, String(decoding: bootID, as: UTF8.self))
        } catch {
            if error == LockedElsewhere.error {
                throw .inUse(dataRoot: roots.data, pid: DataRootLock.owner(roots.lock))
            }
            throw .failed(EngineError(error))
        }
    }

    /// Where the store holds no image at all. Without busybox the engine works on, and says what is missing.
    private func packStarterImage() async {
        guard configuration.packsStarterImage else { return }
        do throws(EngineError) {
            guard try await context.images.list(ImageFilter()).isEmpty else { return }
            _ = try await context.images.packStarterImage(busybox: configuration.busyboxPath)
        } catch {
            warnings.add(error.message)
            context.note(error.message)
        }
    }

    /// Ends the engine's work. What the containers need is not touched.
    func close() async {
        for container in context.index.all { await container.retire() }
        reporting.cancel()
        _ = await reporting.value
        // What was begun is finished: a half-done removal would be left to the next engine.
        for container in context.index.all { await container.settled() }
        await context.networks.finish()
        await removeCgroups()
        await context.events.finish()
        do { try context.store.close() } catch { context.note("\(error)") }
        lock.release()
    }
}

extension EngineCore {
    /// Takes the engine's own cgroups away, unless there is a container whose process and shim are in them.
    private func removeCgroups() async {
        for container in context.index.all where await container.run != nil { return }
        let layout = cgroups
        let paths = [configuration.roots.shimCgroup, configuration.cgroupParent]
        // The shim of a container that was just removed is about to end.
        for _ in 0..<20 {
            let isBusy = await BlockingPool.shared.run {
                paths.flatMap { Cgroup(path: $0, layout: layout).directories(with: Cgroup.joinedOnDemand) }
                    .count(where: Self.isLeftBusy) > 0
            }
            guard isBusy else { return }
            try? await context.clock.sleep(for: .milliseconds(5))  // Cancelled: the other tries are made at once.
        }
    }

    /// Removes a cgroup, which may be gone already; true where somebody is in it.
    private static func isLeftBusy(_ directory: String) -> Bool {
        do throws(KernelError) {
            try kernelCall("remove cgroup", directory) { rmdir(directory) }
            return false
        } catch { return error.errno == .busy }
    }
}

/// Marks the one refusal that is not the kernel's.
private enum LockedElsewhere {
    static let error = KernelError("lock the data root", "", .wouldBlock)
}

/// Warnings that were met while the engine runs.
final class WarningList: Sendable {
    private let lines = Mutex<[String]>([])

    var list: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// The stores of an engine, opened.
private struct Parts {
    let context: LifecycleContext
    let engineID: String
    /// Each with the reason.
    let damagedImages: [String]

    init(
        _ configuration: LocalEngineConfiguration, host: HostFacts, cgroups: CgroupLayout, bootID: String,
        note: @escaping @Sendable (String) -> Void
    ) async throws(EngineError) {
        let roots = configuration.roots
        let store: MetadataStore
        let events: EventLog
        do {
            store = try await MetadataStore.open(roots.database)
            events = EventLog(store: store, newestNumber: try await store.lastEventNumber())
            engineID = try await Self.engineID(store)
        } catch { throw EngineError(error, object: roots.data) }
        let settings = try await configuration.settings()
        var host = host
        host.openFiles = configuration.containerOpenFiles
        host.remap = try await configuration.remap(settings, kernel: host.kernelRelease)
        try Self.close(roots.data, except: host.remap?.rootGID ?? 0)
        let faults = FaultPlan.fromEnvironment
        let images = try await ImageStore(
            dataRoot: roots.data, index: StoredImageIndex(store: store), driver: settings.storageDriver, faults: faults)
        if host.remap != nil, images.driver == .fuseOverlay {
            throw EngineError(
                .unsupported,
                "userns-remap needs the storage driver overlay2, whose layers the kernel mounts with other owners; here "
                    + "is fuse-overlayfs, whose files have the same owners for all containers")
        }
        damagedImages = images.damaged
        let tasks = ShimTaskService(
            runRoot: roots.run, shimPath: configuration.shimPath, leases: configuration.rootless?.leases ?? [],
            shimCgroup: Cgroup(path: roots.shimCgroup, layout: cgroups))
        let index = ContainerIndex()
        let networks = NetworkService(
            index: StoredNetworkIndex(store: store, note: note), roots: configuration.networkRoots,
            containers: NetworkedContainers(
                process: { id in await index[id]?.run.map { ($0.initial.pid, $0.initial.startTicks) } },
                request: { id in index[id]?.networkRequest },
                serveNames: { id throws(EngineError) in try await tasks.serveNames(id) }),
            openGround: { () throws(EngineError) in try NetworkGround.open(configuration.rootless, note: note) },
            faults: faults, note: note)
        context = LifecycleContext(
            store: store, events: events, tasks: tasks, images: images, networks: networks,
            volumes: VolumeService(
                store: store, directory: roots.volumes, index: index, remap: host.remap, faults: faults, note: note),
            index: index,
            host: host,
            roots: roots, bootID: bootID, settings: CurrentSettings(settings),
            initPath: await BlockingPool.shared.run { InitProgram.path(shim: configuration.shimPath) },
            clock: ContinuousClock(),
            faults: faults, note: note)
    }

    /// In containers' files are programs with the set-user-id bit, and secrets: no other user of this machine passes here,
    /// as with docker (CVE-2021-41091).
    ///
    /// - Parameter group: of the containers' root, where that has other ids.
    private static func close(_ dataRoot: String, except group: UInt32) throws(EngineError) {
        do throws(KernelError) {
            try kernelCall("chown", dataRoot) { chown(dataRoot, uid_t.max, group) }
            try kernelCall("chmod", dataRoot) { chmod(dataRoot, 0o710) }
        } catch { throw EngineError(error, object: dataRoot) }
    }

    private static func engineID(_ store: MetadataStore) async throws(StorageError) -> String {
        if let known = try await store.setting("engine.id") { return known }
        let made = RandomID.make()
        try await store.set("engine.id", to: made)
        return made
    }
}
