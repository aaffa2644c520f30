import CLinux
import Glibc
import Linux
import ShimAPI

/// One container under this shim: takes requests, and tells what happened.
///
///     empty ──create──► created ──start──► running ◄──pause, resume──► paused
///       │                  │                  │                          │
///       │ (fails: ends)    └────── the init process ends ───────────────┘
///       │                                     ▼
///       └──────────────delete──────────► (gone) ◄──delete── stopped
final class ContainerSupervisor {
    let task: ShimTask
    let directory: RunDirectory
    let loop: EventLoop
    let reaper: ChildReaper
    let runtime: RuntimeCaller
    let shim: ShimProcess
    let network: ContainerNetwork?
    /// What clients' frames, and input, are read into.
    let readScratch: ScratchMemory
    let outputScratch: ScratchMemory
    let logScratch: ScratchMemory

    var status = ShimFacts.Status.empty
    /// The operation of the container that is being done; they exclude each other.
    var operation: String?
    var initial: SupervisedProcess?
    /// While the process is told to start.
    var gate: StartGate?
    var exit: ShimExit?
    /// The init process ended while `start` was still being done.
    var endedWhileStarting: ChildStatus?
    var execs: [String: SupervisedProcess] = [:]
    /// Those that the runtime is just starting.
    var startingExecs: Set<String> = []
    /// For the exec that is likely to be asked for next.
    var prepared: PreparedExec?
    var execCount = 0
    var execEnds = ExecEnds()
    var cgroups = ProcessCgroups()
    var oomWatch: OutOfMemoryWatch?
    var clients: [Client] = []
    /// The shim is to end once the last answers are out.
    var isLeaving = false

    init(
        task: ShimTask, directory: RunDirectory, loop: EventLoop, reaper: ChildReaper
    ) throws(KernelError) {
        self.task = task
        self.directory = directory
        self.loop = loop
        self.reaper = reaper
        runtime = RuntimeCaller(task: task, directory: directory.path, loop: loop, reaper: reaper)
        shim = ShimProcess(pid: getpid(), startTicks: try ProcessStat.read(pid: getpid()).startTicks)
        network = try task.network.map { network throws(KernelError) in
            try ContainerNetwork(task: network, loop: loop)
        }
        readScratch = ScratchMemory(byteCount: 64 << 10)
        outputScratch = ScratchMemory(byteCount: 256 << 10)
        logScratch = ScratchMemory(byteCount: 256 << 10)
        loop.onIdle = { [unowned self] in
            readScratch.release()
            outputScratch.release()
            logScratch.release()
            gantry_trim_heap()
        }
    }

    var facts: ShimFacts {
        let running = execs.compactMapValues { $0.hasEnded ? nil : $0.process }
        return ShimFacts(status: status, initial: initial?.process, exit: exit, execs: running)
    }

    /// Tells all who subscribed.
    func report(_ report: ShimReport) {
        for client in clients {
            if let tag = client.subscriptionTag { client.send(.report(report), tag: tag) }
        }
    }

    /// The init process, or an exec's, that runs.
    func runningProcess(_ execID: String?) throws(ShimFailure) -> SupervisedProcess {
        guard let execID else {
            guard let initial, status != .stopped, status != .empty else {
                throw ShimFailure(.conflict, "container \(task.id) is not running")
            }
            return initial
        }
        guard let exec = execs[execID] else { throw ShimFailure(.notFound, "No such exec instance: \(execID)") }
        guard exec.process != nil, !exec.hasEnded else {
            throw ShimFailure(.conflict, "exec \(execID) is not running")
        }
        return exec
    }

    /// Claims the container for an operation that only one may do at a time.
    func begin(_ name: String, from allowed: [ShimFacts.Status]) throws(ShimFailure) {
        if let operation {
            throw ShimFailure(.conflict, "cannot \(name) container \(task.id): \(operation) is in progress")
        }
        guard allowed.contains(status) else {
            throw ShimFailure(.conflict, "cannot \(name) container \(task.id): it is \(statusWord)")
        }
        operation = name
    }

    private var statusWord: String {
        switch status {
        case .empty: "not created"
        case .created: "created"
        case .running: "running"
        case .paused: "paused"
        case .stopped: "stopped"
        }
    }

    func makeProcess(_ role: SupervisedProcess.Role) -> SupervisedProcess {
        SupervisedProcess(role, stdio: ProcessStdio(loop, scratch: outputScratch), input: InputQueue(loop))
    }
}
