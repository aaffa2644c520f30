import AsyncIO
import EngineAPI
import Images
import Linux
import Networking
import OCI
import Snapshots
import Storage
import Tasks

/// Performing what the machine says. All of it runs in the container's chain.
extension Container {
    /// - Returns: the first failure, if it is one that the asker must hear of.
    func perform(_ actions: [LifecycleMachine.Action]) async -> EngineError? {
        var failure: EngineError?
        for action in actions {
            let one = await perform(action)
            failure = failure ?? one
        }
        return failure
    }

    private func perform(_ action: LifecycleMachine.Action) async -> EngineError? {
        switch action {
        case .launch: return await launch()
        case .signal(let number): return await signal(number)
        case .killAll: return await killAll()
        case .freeze:
            return await freezer(.frozen, .freezeFailed) { (tasks, id) throws(EngineError) in try await tasks.pause(id)
            }
        case .thaw:
            return await freezer(.thawed, .thawFailed) { (tasks, id) throws(EngineError) in try await tasks.resume(id) }
        case .record(let happenings):
            await record(happenings)
            return nil
        case .deleteTask:
            await deleteTask()
            return nil
        case .wait(let pause, let number):
            waitToRestart(pause, number)
            return nil
        case .deleteContents: return await deleteContents()
        }
    }

    /// Outside of the chain: whatever comes during the pause is done at once.
    private func waitToRestart(_ pause: Duration, _ number: Int) {
        guard !isRetired else { return }
        let clock = context.clock
        restartTimer = Task { [weak self] in
            // Cancelled: something else came first, or the engine goes.
            guard (try? await clock.sleep(for: pause)) != nil else { return }
            await self?.retry(number)
        }
    }

    private func retry(_ number: Int) {
        if !isRetired { report(.retry(number)) }
    }

    /// Reports what came of an action, and performs what follows, before anything else of the chain.
    private func settle(_ input: LifecycleMachine.Input) async -> EngineError? {
        if case .perform(let actions) = receive(input) { return await perform(actions) }
        return nil
    }

    private func launch() async -> EngineError? {
        // Else the next engine might take the new run's task for the last run's.
        do throws(EngineError) { try await payDebt() } catch {
            _ = await settle(.launchPutOff)
            return error
        }
        var isMade = false
        launch.removeAll { !$0.name.isOfCreation }
        mark(.startAccepted)
        do {
            let initial = try await createTask(&isMade)
            pendingEvents = await attachmentEvents()
            // Before, or a short life would end before it began.
            let startedAt = Timestamp.now()
            try await context.tasks.start(id)
            mark(.processStarted)
            context.faults.pass(.startAfterStart)
            let failure = await settle(.launched(initial, at: startedAt))
            context.faults.pass(.startAfterRow)
            return failure
        } catch {
            pendingEvents = []
            if isMade { await abandonTask() }
            await releaseNetworks()
            await context.volumes.release(definition.spec.mounts, of: id)
            endStreams()
            await removeTree(context.roots.bundle(id))
            // Nobody waits for the answer of a start that the policy wanted.
            if machine.restarts.pending != nil { context.note("container \(name): start it again: \(error.message)") }
            let failure = LifecycleMachine.StartFailure(exitCode: error.startExitCode, message: error.message)
            _ = await settle(.launchFailed(failure))
            return error
        }
    }

    private func createTask(_ isMade: inout Bool) async throws(EngineError) -> ProcessIdentity {
        if hasRemains { try await clearTask() }
        let mounts = try await context.images.rootMounts(
            containerID: id, isDisposable: definition.spec.autoRemove)
        let links = try await linkedContainers()
        let lease = try await networkLease(links)
        defer { lease?.closeSockets() }
        var writer = BundleWriter(
            id: id, definition: definition, mounts: mounts, context: context)
        writer.joined = try await joinedNamespaces()
        writer.name = name
        writer.linkVariables = links.flatMap { $0.variables(owner: name) }
        writer.network = try await sharedNetwork()
        writer.volumes = try await context.volumes.sources(definition.spec.mounts, for: id)
        writer.images = try await imageMounts()
        let (written, specBuiltAt) = try await writer.write(size: initialSize ?? definition.spec.consoleSize)
        var task = written
        mark(.specBuilt, at: specBuiltAt)
        mark(.bundleWritten)
        task.network = lease.map(TaskNetwork.init)
        if isNetworked { task.shimNamespace = try await context.networks.namespace }
        context.faults.pass(.startAfterBundle)
        hasRemains = true
        let facts = try await context.tasks.create(task)
        if let time = facts.shimStartedAt { mark(.shimStarted, at: time) }
        mark(.runtimeCreated)
        isMade = true
        hasTask = true
        shim = facts.shim
        lastInitial = facts.initial
        context.faults.pass(.startAfterTask)
        await connectStreams()
        guard let initial = facts.initial else {
            throw EngineError(.internal, "start container \(id): the shim did not say which process it made")
        }
        try await connectNetworks(initial)
        return initial
    }

    private func imageMounts() async throws(EngineError) -> [Int: [SnapshotMount]] {
        var result: [Int: [SnapshotMount]] = [:]
        for (number, mount) in definition.spec.mounts.enumerated() where mount.kind == .image {
            let root = MountedImage.root(of: id, number)
            result[number] = try await context.images.rootMounts(containerID: root, isDisposable: false)
        }
        return result
    }

    func mark(_ step: LaunchStep.Name, at time: Timestamp = .now()) { launch.append(LaunchStep(step, at: time)) }

    /// After a start that failed half way: nothing of the task stays.
    private func abandonTask() async {
        hasTask = false
        shim = nil
        do throws(EngineError) { try await clearTask() } catch {
            context.note("container \(id): clean up after a failed start: \(error)")
        }
    }

    /// Ends and deletes what there may be of a task. One that cannot go now is in the way of the next start, and of the
    /// removal: these try it again.
    private func clearTask() async throws(EngineError) {
        try await context.tasks.killAll(id, traces)
        try await context.tasks.delete(id, traces)
        hasRemains = false
    }

    /// A process that has ended meanwhile has what the signal was for.
    private func signal(_ number: Int32) async -> EngineError? {
        do throws(EngineError) {
            try await context.tasks.kill(id, execID: nil, signal: number)
        } catch {
            if error.kind == .conflict || error.kind == .notFound { return nil }
            return error
        }
        context.faults.pass(.stopAfterSignal)
        await record([event("kill", ["signal": String(number)])])
        return nil
    }

    private func killAll() async -> EngineError? {
        // Asked before: the end that this makes is told of at once.
        let endsRun = machine.run != nil
        do throws(EngineError) {
            try await context.tasks.killAll(id, traces)
        } catch { return error }
        context.faults.pass(.stopAfterKill)
        if endsRun { await record([event("kill", ["signal": "9"])]) }
        return nil
    }

    private func freezer(
        _ success: LifecycleMachine.Input, _ failure: LifecycleMachine.Input,
        _ body: (any TaskService, String) async throws(EngineError) -> Void
    ) async -> EngineError? {
        do throws(EngineError) {
            try await body(context.tasks, id)
        } catch {
            _ = await settle(failure)
            return error
        }
        return await settle(success)
    }

    private func deleteTask() async {
        hasTask = false
        shim = nil
        if debt.isOwed { debt.holdsTask = true } else { await endTask() }
        await tellOfDetachment()
        await releaseNetworks()
        await context.volumes.release(definition.spec.mounts, of: id)
        await endExecs()
        context.faults.pass(.endAfterTask)
        _ = await settle(.settled)
    }

    /// Once its end is committed: the shim, and what it was started from.
    func endTask() async {
        debt.holdsTask = false
        do throws(EngineError) {
            try await context.tasks.delete(id, traces)
            hasRemains = false
        } catch {
            hasRemains = true
            context.note("container \(id): \(error)")
        }
        await removeTree(context.roots.bundle(id))
    }

    private func deleteContents() async -> EngineError? {
        context.faults.pass(.removeAfterMark)
        // Where there is no space for it, what is removed now makes some.
        try? await payDebt()
        do throws(EngineError) {
            // One that is held is all that knows of its end, and goes with the root.
            if hasRemains, !debt.holdsTask { try await clearTask() }
            try await context.images.removeRoot(containerID: id)
            context.faults.pass(.removeAfterRoot)
            // Its mount keeps on the disk what was removed; and without the root nobody asks how it ended.
            if debt.holdsTask { await endTask() }
            if hasRemains { try await clearTask() }
            await removeTree(context.roots.bundle(id))
            await removeTree(context.roots.files(id))
            context.faults.pass(.removeAfterFiles)
            if isNetworked { try await context.networks.leave(id) }
            // While its row still names them.
            if removesVolumes || definition.spec.autoRemove { await removeAnonymousVolumes() }
            context.faults.pass(.removeAfterVolumes)
            try await deleteRow()
        } catch {
            let failure = EngineError(
                error.kind, "driver failed to remove root filesystem: \(error.message)", object: id)
            _ = await settle(.removeFailed(failure.message))
            return failure
        }
        context.faults.pass(.removeAfterRow)
        context.index.remove(id)
        endStreams()
        return await settle(.removed)
    }

    private func removeAnonymousVolumes() async {
        do throws(EngineError) {
            let removed = try await context.volumes.removeAnonymous(definition.spec.mounts, of: id)
            await context.tell("destroy", volumes: removed)
        } catch {
            context.note("container \(id): \(error)")
        }
    }

    private func deleteRow() async throws(EngineError) {
        let events = pendingEvents + [event("destroy")]
        do {
            let numbers = try await context.store.commit(.delete(id: id), events.map(EventRow.init))
            context.events.publish(events, numbers: numbers)
        } catch {
            throw EngineError(error, object: id)
        }
        pendingEvents = []
        debt.isOwed = false
        debt.collector?.cancel()
    }

    /// What cannot be removed is found again when the container's id is; it is not worth failing for.
    private func removeTree(_ path: String) async {
        do {
            try await BlockingPool.shared.run { () throws(KernelError) in try Directory.removeTree(path) }
        } catch {
            context.note("container \(id): remove `\(path)`: \(error)")
        }
    }
}

extension EngineError {
    /// The exit code that docker gives a container whose start failed so.
    var startExitCode: Int32 {
        switch kind {
        case .commandNotFound: 127
        case .commandNotExecutable: 126
        default: 128
        }
    }
}

extension TaskNetwork {
    fileprivate init(_ lease: NetworkLease) {
        self.init(
            configurationPath: lease.configurationPath, servesNames: lease.servesNames, sockets: lease.sockets,
            socketIsStream: lease.socketIsStream)
    }
}
