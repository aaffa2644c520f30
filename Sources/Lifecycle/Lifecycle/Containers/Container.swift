import EngineAPI
import Images
import Linux
import Storage
import Synchronization
import Tasks

/// A container: its machine, and the hand that performs what the machine says.
///
/// A command *claims* at once, by the machine's change of phase; what follows is performed in a chain of its own, one
/// claim after another, so that rows are committed and events published in the order of the claims. Nobody holds
/// anything while waiting, and containers never wait for one another.
package actor Container {
    package nonisolated let id: String
    /// What it is made from. Only `update` changes it, and of it only limits and the restart policy.
    package nonisolated var definition: ContainerDefinition { heldDefinition.withLock { $0 } }
    private nonisolated let heldDefinition: Mutex<ContainerDefinition>
    package nonisolated let createdAt: Timestamp
    nonisolated let context: LifecycleContext
    /// Tells of every change of phase, of recorded ends, and of streams that wait.
    nonisolated let changed = ChangeSignal()
    /// Of all that is told of it.
    nonisolated let revision = Revision()
    nonisolated let lastSummary = Mutex<KeptSummary?>(nil)

    package internal(set) var name: String { didSet { raiseRevision() } }
    var machine: LifecycleMachine { didSet { raiseRevision() } }
    /// How many ends were recorded, and the last of them.
    var endCount = 0
    /// Volumes without a name go with the container (`rm -v`): as the last removal that was begun says.
    var removesVolumes: Bool
    var lastEnd = LifecycleMachine.Rest()
    /// The shim has the task: streams connect to it at once.
    var hasTask: Bool
    /// A task was made, and not yet deleted for certain.
    var hasRemains = false
    /// The first process of the last start, as far as it is known.
    var lastInitial: ProcessIdentity?
    /// The shim, while there is one; for showing.
    package internal(set) var shim: ProcessIdentity?
    var waitingStreams: [DeferredStream] = []
    var initialSize: TerminalSize?
    var execs = ExecTable() { didSet { raiseRevision() } }
    /// Who was looked up last.
    var knownUser: KnownUser?
    /// When execs are looked for next that ended long ago.
    var nextForgetting = ContinuousClock.now
    /// Lets the pause before a restart go by.
    var restartTimer: Task<Void, Never>?
    var isRetired = false
    /// How it was made, and started the last time.
    package var launch: [LaunchStep] { didSet { raiseRevision() } }
    /// What is known of its health; nil where nothing is checked.
    var health: HealthMachine? { didSet { raiseRevision() } }
    var healthTask: Task<Void, Never>?
    /// To be journalled with the next record of the phase.
    var pendingEvents: [EngineEvent] = []
    var debt = RecordDebt()
    private var chain: Task<EngineError?, Never>?

    package init(
        id: String, name: String, definition: ContainerDefinition, createdAt: Timestamp,
        phase: LifecycleMachine.Phase, restarts: RestartPlan? = nil, shim: ProcessIdentity? = nil,
        launch: [LaunchStep] = [], removesVolumes: Bool = false, initial: ProcessIdentity? = nil,
        context: LifecycleContext
    ) {
        self.id = id
        self.name = name
        heldDefinition = Mutex(definition)
        self.createdAt = createdAt
        self.shim = shim
        self.launch = launch
        self.removesVolumes = removesVolumes
        self.context = context
        machine = LifecycleMachine(
            phase, removesItself: definition.spec.autoRemove,
            restarts: restarts ?? RestartPlan(definition.spec.restartPolicy))
        hasTask = machine.run != nil
        lastInitial = machine.run?.initial ?? initial
        lastEnd = machine.rest ?? LifecycleMachine.Rest()
    }

    package var state: ContainerState {
        var state = machine.state
        state.health = health?.state
        return state
    }
    /// The process, where one runs.
    package var run: LifecycleMachine.Run? { machine.run }
    package var phase: LifecycleMachine.Phase { machine.phase }
    /// How often the restart policy started it since somebody did.
    package var restartCount: Int { machine.restarts.count }

    nonisolated func set(definition: ContainerDefinition) {
        heldDefinition.withLock { $0 = definition }
        raiseRevision()
    }

    /// What a part of the definition says, without a copy of the whole.
    package nonisolated func defined<Value: Sendable>(_ part: (borrowing ContainerDefinition) -> Value) -> Value {
        heldDefinition.withLock { part($0) }
    }

    /// Where the log is; nil where none is kept.
    package nonisolated var logPath: String? {
        definition.spec.log.keepsFiles ? context.roots.log(id) : nil
    }

    /// What the log takes on the disk; nil where none is kept. Blocking.
    package nonisolated var logBytes: Int64? { logPath.map { LogFiles.totalBytes(path: $0) } }

    /// Below each hierarchy's root.
    package nonisolated var cgroupPath: String {
        context.roots.cgroup(id, below: defined { $0.spec.cgroupParent })
    }

    /// Gives the machine an input; tells of a change of phase.
    func receive(_ input: LifecycleMachine.Input) -> LifecycleMachine.Output {
        let before = machine.phase
        let output = machine.receive(input)
        if machine.phase != before {
            if case .waiting = before { restartTimer?.cancel() }
            watchHealth()
            changed.notify()
        }
        return output
    }

    /// Gives a command until it is decided, and waits until what follows from it is done.
    ///
    /// - Parameters:
    ///   - action: docker's word for it, for refusals.
    ///   - begun: called where it is obeyed, before anything of it is performed.
    /// - Returns: false where it is as asked already.
    func command(
        _ input: LifecycleMachine.Input, _ action: String, _ reference: String, begun: () -> Void = {}
    ) async throws(EngineError) -> Bool {
        while true {
            let generation = changed.generation
            switch receive(input) {
            case .perform(let actions):
                begun()
                if let failure = await enqueue(actions).value { throw failure }
                return true
            case .done: return false
            case .refuse(let refusal):
                throw refusal.error(action, id: id, name: name, reference: reference)
            case .join:
                await changed.wait(after: generation)
                if Task.isCancelled { throw EngineError(.cancelled, "\(action) \(reference): cancelled") }
            }
        }
    }

    /// Something happened to the task.
    package func report(_ input: LifecycleMachine.Input) {
        if case .perform(let actions) = receive(input) { enqueue(actions) }
    }

    /// Performs what a recovery found necessary.
    package func recover(_ actions: [LifecycleMachine.Action]) async {
        if !actions.isEmpty { _ = await enqueue(actions).value }
    }

    /// Starts nothing more by itself: the next engine does. For an engine that is about to go.
    package func retire() {
        isRetired = true
        restartTimer?.cancel()
        healthTask?.cancel()
        debt.collector?.cancel()
    }

    /// By what its processes are found where the run root has lost them.
    var traces: TaskTraces {
        var traces = TaskTraces()
        traces.initial = lastInitial
        traces.cgroupsPath = cgroupPath
        // Another runtime than there is now cannot be asked.
        traces.runtime = try? context.runtimes.path(definition.spec.runtime)
        return traces
    }

    /// The row as it is to be now.
    var row: ContainerRow.State {
        var row = machine.row(bootID: context.bootID)
        row.removesVolumes = removesVolumes
        row.health = healthText
        row.launch = LaunchText.text(launch)
        return row
    }

    /// Returns once nothing is being done for this container: what an end began, its removal for one, is done then.
    package func settled() async {
        while let chain {
            _ = await chain.value
            if chain == self.chain { return }
        }
    }

    /// Appends actions to the chain; the task ends with the first failure that concerns who asked.
    @discardableResult
    func enqueue(_ actions: [LifecycleMachine.Action]) -> Task<EngineError?, Never> {
        inChain { container in await container.perform(actions) }
    }

    /// Runs `body` once all that was claimed before is done.
    @discardableResult
    func inChain(
        _ body: @escaping @Sendable (isolated Container) async -> EngineError?
    ) -> Task<EngineError?, Never> {
        let previous = chain
        let task = Task {
            _ = await previous?.value
            return await body(self)
        }
        chain = task
        return task
    }

    /// Waits until an end later than the `count`th is recorded; false when `limit` is over first.
    func ended(after count: Int, within limit: Duration?) async -> Bool {
        guard let limit else {
            await waitForEnd(after: count)
            return endCount > count
        }
        let clock = context.clock
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForEnd(after: count) }
            group.addTask { try? await clock.sleep(for: limit) }  // Ends early only when cancelled.
            await group.next()
            group.cancelAll()
        }
        return endCount > count
    }

    private func waitForEnd(after count: Int) async {
        while endCount <= count, !Task.isCancelled {
            let generation = changed.generation
            await changed.wait(after: generation)
        }
    }

    /// What docker writes beside every event of a container.
    func event(_ action: String, _ more: [String: String] = [:], at time: Timestamp = .now()) -> EngineEvent {
        var attributes = definition.labels.merging(more) { _, new in new }
        attributes["name"] = name
        attributes["image"] = definition.spec.image
        return EngineEvent(kind: .container, action: action, actorID: id, attributes: attributes, time: time)
    }

    /// Journals and publishes an event that changes no row, after all that was claimed before.
    func tell(_ action: String, _ more: [String: String] = [:]) async {
        _ = await enqueue(event(action, more)).value
    }

    /// Tells at once of what somebody does with a container that stays as it is; see `EventLog.tell`. Where something
    /// could not be recorded yet it comes behind that.
    func tellAtOnce(_ action: String, _ more: [String: String] = [:]) {
        let event = event(action, more)
        if debt.isOwed { enqueue(event) } else { context.events.tell(event) }
    }

    @discardableResult
    private func enqueue(_ event: EngineEvent) -> Task<EngineError?, Never> {
        inChain { container in
            await container.record([event])
            return nil
        }
    }
}
