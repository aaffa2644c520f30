import CLinux
import Glibc
import Linux
import OCI

/// Makes a process and takes it into the namespaces and the cgroup of a container that runs.
///
/// ```
///   runtime                        helper                         process
///      ├── clone3 ──────────────────►│
///      │  cgroups, limits            │
///      ├── placed ──────────────────►│  setns, descriptors closed
///      │                             ├── clone3, CLONE_PARENT ─────►│  (the runtime's own child)
///      │◄─────────────── made <pid> ─┤  ends                        │  session, filter
///      ├──────────────────────────────── proceed ──────────────────►│  (where the runtime sets its scheduling)
///      │◄────────────────────── end of the channel, or failed ──────┤  the program is executed
/// ```
///
/// A process for which nobody has anything more to do is made as by vfork(2), in the helper's memory (`sharesMemory`): then
/// `made` comes last.
///
/// The process takes on its program's rights by inheriting them from the helper, wherever that can (`ProcessSetup`). A helper
/// that has done so waits there for what an `ExecHold` says; where nothing is left to be done for the process by then but to
/// make it, the runtime does not wait for that (`leavesHelper`): it ends once the helper has joined the namespaces
/// (`ready`), and helper and process are children of who takes in its orphans.
///
/// The helper stays in the runtime's pid namespace: until a process has the container's root, none of the host's
/// descriptors and no right but its program's, nobody inside has a number to reach it by, whatever capability they have
/// (CVE-2016-9962).
struct ContainerEntry {
    let place: EntryPlace
    let setup: ProcessSetup
    let console: Descriptor?
    /// What is waited for; nil for nothing.
    let hold: ExecHold?
    /// Whether the helper takes on the program's rights.
    let settlesFirst: Bool
    /// Whether it is the helper that waits, rather than this process before there is one.
    let isHeldInside: Bool
    /// Whether nothing is copied for the process of what its execution throws away. Not where programs inside may trace what
    /// conceals itself: the process has a number there, and would lead them to the helper, which has one of the host's.
    let sharesMemory: Bool
    /// Whether the helper waits, makes the process and tells its number alone. In the container's pid namespace nobody's parent
    /// is outside but the helper's; where there is none, one of the container's could be taken for it (`EntriesUnderway`).
    let leavesHelper: Bool

    /// - Parameters:
    ///   - own: the container's own process.
    ///   - mayLeave: the caller wants nothing of the process but its number, by the hold.
    init(
        place: EntryPlace, setup: ProcessSetup, console: Descriptor?, hold: ExecHold?, beside own: RuntimeProcess?,
        mayLeave: Bool
    ) {
        (self.place, self.setup, self.console, self.hold) = (place, setup, console, hold)
        settlesFirst = setup.canSettleFirst
        sharesMemory = settlesFirst && setup.isLeftAlone && !Self.hasTracers(place, setup.plan, own)
        isHeldInside = hold != nil && settlesFirst && !place.limitsProcesses
        leavesHelper =
            mayLeave && isHeldInside && sharesMemory && place.flags & LinuxNamespace.Kind.pid.cloneFlag != 0
    }

    /// Whether anybody inside may have the capability to trace in the host's user namespace: by what the container's own
    /// process has, and by this one, which is likely not to be the first of its kind.
    private static func hasTracers(_ place: EntryPlace, _ plan: ProcessPlan, _ own: RuntimeProcess?) -> Bool {
        if place.flags & LinuxNamespace.Kind.user.cloneFlag != 0 { return false }
        let names = own?.capabilities?.bounding ?? []
        return plan.capabilities.bounding.contains(.tracing) || names.contains { CapabilitySet(name: $0) == .tracing }
    }

    private var record: ContainerRecord { place.record }

    /// Returns once the program is executed, or throws what it reported instead. The place is closed.
    ///
    /// - Returns: with the process the helper, to be waited for: it ends, but whoever wants the process need not wait for that.
    ///   Nil where that is left to do the rest.
    func start() throws(RuntimeError) -> (process: LaunchedProcess, helper: LaunchedProcess)? {
        defer { place.close() }
        if let hold, !isHeldInside {
            let isReleased = try attempt { () throws(KernelError) in try hold.isReleased() }
            guard isReleased else { throw RuntimeError("nobody wants the process any more") }
        }
        let (near, far) = try attempt { () throws(KernelError) in try SyncChannel.pair() }
        let helper = try attempt { () throws(KernelError) in
            try onInitialProcessors { () throws(KernelError) in
                try clone(EntryProcess(entry: self, channel: far), near)
            }
        }
        far.socket.close()
        var process: LaunchedProcess?
        do throws(RuntimeError) {
            try admit(helper, near)
            if leavesHelper {
                try awaitEntry(near)
                return nil
            }
            let made = try awaitProcess(near)
            process = made.process
            try schedule(made.process, near)
            if let number = made.listener { try handOver(made.process, number, near) }
            try awaitExecution(made.process, near)
            return (made.process, helper)
        } catch {
            for begun in [helper, process].compactMap(\.self) {
                // The first failure is the one to be told; the process may have ended by it.
                try? PidFD.send(SIGKILL, to: begun.pidfd)
                // As above.
                _ = try? PidFD.reap(begun.pidfd)
            }
            throw error
        }
    }

    /// The process begins on the processors that the runtime runs on while it is made.
    private func onInitialProcessors<Result>(
        _ body: () throws(KernelError) -> Result
    ) throws(KernelError) -> Result {
        guard let initial = setup.plan.processors.initial else { return try body() }
        let own = try ProcessorSet.current()
        try initial.apply(to: 0)
        let result = try body()
        try own.apply(to: 0)
        return result
    }

    private func clone(_ helper: EntryProcess, _ near: SyncChannel) throws(KernelError) -> LaunchedProcess {
        let cgroup = try openUnified()
        do throws(KernelError) {
            return try clone(helper, near, into: cgroup)
        } catch  where error.errno == .busy && place.sub.paths.isEmpty {
            guard let other = try openUnified(of: place.initial) else { throw error }
            return try clone(helper, near, into: other)
        }
    }

    private func clone(
        _ helper: EntryProcess, _ near: SyncChannel, into cgroup: Descriptor?
    ) throws(KernelError) -> LaunchedProcess {
        defer { cgroup?.close() }
        var pidfd: Int32 = -1
        gantry_hand_down_functions()
        let pid = try kernelCall("clone") { gantry_clone3_fork(0, &pidfd, cgroup?.rawValue ?? -1) }
        if pid == 0 {
            InheritedState.resetSignals()
            near.socket.close()
            // No directory of the host may be open in what goes inside.
            cgroup?.close()
            helper.run()
        }
        return LaunchedProcess(pid: pid, pidfd: Descriptor(rawValue: pidfd))
    }

    private func openUnified() throws(KernelError) -> Descriptor? {
        guard let directory = place.sub.unifiedDirectory(of: place.cgroup) else { return nil }
        return try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
    }

    /// Where the container's first process is by now: a container that has divided its cgroup of version 2 has none in that
    /// itself (the rule of no internal processes), as those with a service manager or an engine inside. Nil where that is
    /// not below the container's own.
    private func openUnified(of initial: Descriptor) throws(KernelError) -> Descriptor? {
        let text = try FileContents.read("/proc/\(record.pid)/cgroup")
        // The number was that process's while it was read.
        try PidFD.send(0, to: initial)
        let line = text.split(separator: 10).first { $0.starts(with: Array("0::".utf8)) }
        let path = String(decoding: line?.dropFirst(3) ?? [], as: UTF8.self)
        guard path.hasPrefix(place.cgroup.path + "/"), let directory = place.layout.unifiedDirectory(of: path) else {
            return nil
        }
        return try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
    }

    private func admit(_ process: LaunchedProcess, _ near: SyncChannel) throws(RuntimeError) {
        try record.resctrl?.add(pid: process.pid)
        try ProcessLimits.applyScore(setup.plan, pid: process.pid)
        try ProcessLimits.apply(setup.plan, pid: process.pid)
        if let final = setup.plan.processors.final {
            try attempt("process.execCPUAffinity.final") { () throws(KernelError) in
                try final.apply(to: process.pid)
            }
        }
        try attempt { () throws(KernelError) in try near.send(.placed) }
    }

    /// Until the helper is left to itself, it is known by its maker; from then on by the namespaces that it has entered.
    private func awaitEntry(_ near: SyncChannel) throws(RuntimeError) {
        let message = try attempt { () throws(KernelError) in try near.receive() }
        switch message {
        case .ready: return
        case .failed(let text): throw RuntimeError(text)
        default: throw RuntimeError("the process ended before it was inside the container")
        }
    }

    private func awaitProcess(
        _ near: SyncChannel
    ) throws(RuntimeError) -> (process: LaunchedProcess, listener: Int32?) {
        var failure: String?
        var listener: Int32?
        while true {
            let message = try attempt { () throws(KernelError) in try near.receive() }
            switch message {
            case .made(let pid):
                // Nobody but this process can reap its child, so the number is that child's. A program inside that may
                // trace the process can say another one in its name: the maker's own word comes as well.
                guard let pidfd = try? PidFD.open(child: pid) else { continue }
                let process = LaunchedProcess(pid: pid, pidfd: pidfd)
                guard let failure else { return (process, listener) }
                try attempt { () throws(KernelError) in _ = try PidFD.reap(process.pidfd) }
                throw RuntimeError(failure)
            // A process that fails at once, or has its filter, may be heard before its maker.
            case .failed(let text): failure = text
            case .listener(let number): listener = number
            default: throw RuntimeError(failure ?? "the process ended before it was inside the container")
            }
        }
    }

    /// The process itself has the right to no longer, and a deadline's could not have made it.
    private func schedule(_ process: LaunchedProcess, _ near: SyncChannel) throws(RuntimeError) {
        guard let scheduler = setup.plan.process.scheduler else { return }
        try Scheduling.apply(scheduler, to: process.pid)
        try attempt { () throws(KernelError) in try near.send(.proceed) }
    }

    private func handOver(_ process: LaunchedProcess, _ number: Int32, _ near: SyncChannel) throws(RuntimeError) {
        let state = HookRunner.state(record, status: "running")
        try setup.seccomp?.listener?.handOver(process, number, state: state)
        try attempt { () throws(KernelError) in try near.send(.proceed) }
    }

    private func awaitExecution(_ process: LaunchedProcess, _ near: SyncChannel) throws(RuntimeError) {
        let message = try attempt { () throws(KernelError) in try near.receive() }
        switch message {
        case nil: return
        case .listener(let number):
            try handOver(process, number, near)
            try awaitExecution(process, near)
        case .failed(let text): throw RuntimeError(text)
        default: throw RuntimeError("the process said what it should not")
        }
    }
}

extension CapabilitySet {
    /// `CAP_SYS_PTRACE`.
    fileprivate static let tracing = CapabilitySet(number: 19)
}
