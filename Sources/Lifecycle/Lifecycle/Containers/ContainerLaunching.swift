import EngineAPI
import Images
import Networking
import Snapshots
import Tasks

/// Starting the process of a container, in its chain.
extension Container {
    /// Makes the task and starts its process.
    func launch() async -> EngineError? {
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
        (writer.name, writer.createdAt) = (name, createdAt)
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
        for lender in writer.joined.lenders + [writer.network?.lender].compactMap(\.self) { try lender.check() }
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
    func clearTask() async throws(EngineError) {
        try await context.tasks.killAll(id, traces, reporting: false)
        try await context.tasks.delete(id, traces)
        hasRemains = false
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
