import AsyncIO
import EngineAPI
import Images
import Linux
import Networking
import OCI
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
            // Nobody waits for the answer of a start that the policy wanted.
            if machine.restarts.pending != nil { context.note("container \(name): start it again: \(error.message)") }
            let failure = LifecycleMachine.StartFailure(exitCode: error.startExitCode, message: error.message)
            _ = await settle(.launchFailed(failure))
            return error
        }
    }

    private func createTask(_ isMade: inout Bool) async throws(EngineError) -> ProcessIdentity {
        let mounts = try await context.images.rootMounts(
            containerID: id, isDisposable: definition.spec.autoRemove)
        let lease = try await networkLease()
        defer { lease?.closeSockets() }
        var writer = BundleWriter(
            id: id, definition: definition, mounts: mounts, context: context)
        writer.joined = try await joinedNamespaces()
        writer.name = name
        writer.network = try await sharedNetwork()
        writer.volumes = try await context.volumes.sources(definition.spec.mounts, for: id)
        let (written, specBuiltAt) = try await writer.write(size: initialSize)
        var task = written
        mark(.specBuilt, at: specBuiltAt)
        mark(.bundleWritten)
        task.network = lease.map(TaskNetwork.init)
        if isNetworked { task.shimNamespace = try await context.networks.namespace }
        context.faults.pass(.startAfterBundle)
        let facts = try await context.tasks.create(task)
        if let time = facts.shimStartedAt { mark(.shimStarted, at: time) }
        mark(.runtimeCreated)
        isMade = true
        hasTask = true
        shim = facts.shim
        context.faults.pass(.startAfterTask)
        await connectStreams()
        guard let initial = facts.initial else {
            throw EngineError(.internal, "start container \(id): the shim did not say which process it made")
        }
        try await connectNetworks(initial)
        return initial
    }

    func mark(_ step: LaunchStep.Name, at time: Timestamp = .now()) { launch.append(LaunchStep(step, at: time)) }

    /// After a start that failed half way: nothing of the task stays.
    private func abandonTask() async {
        hasTask = false
        shim = nil
        do throws(EngineError) {
            try await context.tasks.killAll(id)
            try await context.tasks.delete(id)
        } catch {
            context.note("container \(id): clean up after a failed start: \(error)")
        }
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
        do throws(EngineError) {
            try await context.tasks.killAll(id)
        } catch { return error }
        context.faults.pass(.stopAfterKill)
        if machine.run != nil { await record([event("kill", ["signal": "9"])]) }
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

    /// Commits the row as it is now and the events, then publishes these, then lets those go on who wait for an end.
    ///
    /// Where the disk is full the container goes on with what memory knows; the next engine finds out from the shim.
    private func record(_ happenings: [LifecycleMachine.Happening]) async {
        let isEnd = happenings.contains(.die)
        if isEnd { context.faults.pass(.endBeforeRow) }
        let events = pendingEvents + happenings.map(event)
        pendingEvents = []
        if happenings.contains(.start) { forgetHealth() }
        let row = row
        do {
            let numbers = try await context.store.commit(.state(id: id, row), events.map(EventRow.init))
            context.events.publish(events, numbers: numbers)
        } catch {
            context.note("container \(id): \(error)")
        }
        guard isEnd else { return }
        context.faults.pass(.endAfterRow)
        lastEnd = machine.rest ?? lastEnd
        endCount += 1
        changed.notify()
    }

    private func event(_ happening: LifecycleMachine.Happening) -> EngineEvent {
        switch happening {
        case .start: return event("start")
        case .pause: return event("pause")
        case .unpause: return event("unpause")
        case .outOfMemory: return event("oom")
        case .die:
            let rest = machine.rest ?? LifecycleMachine.Rest()
            var more = ["exitCode": String(rest.exitCode)]
            if let from = rest.startedAt, let to = rest.finishedAt {
                more["execDuration"] = String(max(0, to.secondsSinceEpoch - from.secondsSinceEpoch))
            }
            return event("die", more, at: rest.finishedAt ?? .now())
        }
    }

    private func deleteTask() async {
        hasTask = false
        shim = nil
        let bundle = context.roots.bundle(id)
        do throws(EngineError) {
            try await context.tasks.delete(id)
        } catch {
            context.note("container \(id): \(error)")
        }
        await tellOfDetachment()
        await releaseNetworks()
        await context.volumes.release(definition.spec.mounts, of: id)
        await removeTree(bundle)
        await endExecs()
        context.faults.pass(.endAfterTask)
        _ = await settle(.settled)
    }

    private func deleteContents() async -> EngineError? {
        context.faults.pass(.removeAfterMark)
        do throws(EngineError) {
            try await context.images.removeRoot(containerID: id)
            context.faults.pass(.removeAfterRoot)
            await removeTree(context.roots.files(id))
            context.faults.pass(.removeAfterFiles)
            if isNetworked { try await context.networks.leave(id) }
            try await deleteRow()
        } catch {
            let failure = EngineError(
                error.kind, "driver failed to remove root filesystem: \(error.message)", object: id)
            _ = await settle(.removeFailed(failure.message))
            return failure
        }
        context.faults.pass(.removeAfterRow)
        context.index.remove(id)
        if removesVolumes || definition.spec.autoRemove { await removeAnonymousVolumes() }
        endStreams()
        return await settle(.removed)
    }

    private func removeAnonymousVolumes() async {
        do throws(EngineError) {
            let removed = try await context.volumes.removeAnonymous(definition.spec.mounts)
            await context.tell("destroy", volumes: removed)
        } catch {
            context.note("container \(id): \(error)")
        }
    }

    private func deleteRow() async throws(EngineError) {
        let events = [event("destroy")]
        do {
            let numbers = try await context.store.commit(.delete(id: id), events.map(EventRow.init))
            context.events.publish(events, numbers: numbers)
        } catch {
            throw EngineError(error, object: id)
        }
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
