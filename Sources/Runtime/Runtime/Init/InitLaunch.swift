import CLinux
import Glibc
import Linux
import OCI

/// A process that was just made, by number and by descriptor.
struct LaunchedProcess {
    var pid: Int32
    var pidfd: Descriptor
}

/// The runtime's side of making init: the clone, what only the runtime may do for it, the hooks in the runtime's
/// namespaces.
struct InitLaunch {
    let plan: ContainerPlan
    let placement: CgroupPlacement
    let near: SyncChannel
    let seccomp: SeccompFilter?
    /// Whether the runtime is an ordinary user's.
    let isRootless: Bool

    /// clone3(2) with the new namespaces; in the child, `initial` runs and never returns.
    func start(_ initial: InitProcess) throws(RuntimeError) -> LaunchedProcess {
        try attempt { () throws(KernelError) in
            let own = try joinPidNamespace(initial)
            defer { own?.close() }
            let process = try clone(initial)
            // Hooks must run among the runtime's processes, not the container's.
            if let own { try kernelCall("setns") { gantry_setns(own.rawValue, LinuxNamespace.Kind.pid.cloneFlag) } }
            return process
        }
    }

    /// Does for the new process what it waits for, and follows it until it waits for `start`.
    func attend(_ process: LaunchedProcess) throws(RuntimeError) {
        try mapIDs(process.pid)
        if plan.cgroup.scope != nil {
            try placement.attach(pid: process.pid)
        } else if plan.namespaces.joinsUser {
            try placement.attachUnified(pid: process.pid)
        }
        try ProcessLimits.applyScore(plan.process, pid: process.pid)
        // A hook in the container's namespaces is the caller's program, not the container's.
        if plan.spec.hooks.createContainer.isEmpty { try ProcessLimits.apply(plan.process, pid: process.pid) }
        do throws(KernelError) {
            try near.send(.placed)
        } catch  where error.errno == .brokenPipe || error.errno == Errno(rawValue: ECONNRESET) {
            // It failed early; its message is still there to be read.
        } catch {
            throw RuntimeError(error)
        }
        while true {
            let message = try attempt { () throws(KernelError) in try near.receive() }
            switch message {
            case .ready: return
            case .mounted: try runHooks(process)
            case .hooked:
                try ProcessLimits.apply(plan.process, pid: process.pid)
                try attempt { () throws(KernelError) in try near.send(.proceed) }
            case .listener(let number): try handOver(process, number)
            case .failed(let message):
                // What a user's own configuration caused is said in the words alone.
                throw RuntimeError(message.hasPrefix("exec: ") ? message : "error during container init: \(message)")
            default: try throwEnd(process)
            }
        }
    }

    private func handOver(_ process: LaunchedProcess, _ number: Int32) throws(RuntimeError) {
        let state = HookRunner.state(plan, pid: process.pid, status: "creating")
        try seccomp?.listener?.handOver(process, number, state: state)
        try attempt { () throws(KernelError) in try near.send(.proceed) }
    }

    private func runHooks(_ process: LaunchedProcess) throws(RuntimeError) {
        let state = HookRunner.state(plan, pid: process.pid, status: "creating")
        try HookRunner.run(plan.spec.hooks.prestart, "prestart", state: state)
        try HookRunner.run(plan.spec.hooks.createRuntime, "createRuntime", state: state)
        try attempt { () throws(KernelError) in try near.send(.proceed) }
    }

    /// The process ended without a word: killed, as by the memory limit of its own cgroup.
    private func throwEnd(_ process: LaunchedProcess) throws(RuntimeError) -> Never {
        let code = try attempt { () throws(KernelError) in try PidFD.reap(process.pidfd) }
        let how = code > 128 ? "killed by \(Signal.name(code - 128))" : "exit status \(code)"
        let hint = code == 128 + SIGKILL ? " (container init was OOM-killed, maybe the memory limit is too low)" : ""
        throw RuntimeError("container init ended early: \(how)\(hint)")
    }
}

// MARK: - The clone

extension InitLaunch {
    /// setns(2) to a pid namespace moves only the children: so the runtime does it for init. Returns the own one, to go
    /// back to.
    private func joinPidNamespace(_ initial: InitProcess) throws(KernelError) -> Descriptor? {
        let flag = LinuxNamespace.Kind.pid.cloneFlag
        guard !plan.namespaces.joinsUser, let wanted = initial.joined.first(where: { $0.flag == flag }) else {
            return nil
        }
        let own = try Descriptor.open("/proc/self/ns/pid", O_RDONLY)
        try kernelCall("join the pid namespace") { gantry_setns(wanted.descriptor.rawValue, flag) }
        return own
    }

    private func clone(_ initial: InitProcess) throws(KernelError) -> LaunchedProcess {
        let ownTime = try unshareTime()
        defer { ownTime?.close() }
        // Inherited: whoever shares a namespace with init has no moment in which it is init and can be looked into. An
        // ordinary user could not write what init needs then; there init does it itself.
        if !isRootless { try Concealment.begin() }
        gantry_hand_down_functions()
        let process = try plan.namespaces.joinsUser ? cloneInUserNamespace(initial) : cloneHere(initial)
        if !isRootless { try Concealment.end() }
        // Hooks must read the runtime's clocks, not the container's.
        if let ownTime {
            try kernelCall("go back to the own time namespace") {
                gantry_setns(ownTime.rawValue, LinuxNamespace.Kind.time.cloneFlag)
            }
        }
        return process
    }

    private func cloneHere(_ initial: InitProcess) throws(KernelError) -> LaunchedProcess {
        var pidfd: Int32 = -1
        let cgroup = try openUnified()
        defer { cgroup?.close() }
        let pid = try kernelCall("clone") {
            gantry_clone3_fork(plan.namespaces.cloneFlags, &pidfd, cgroup?.rawValue ?? -1)
        }
        if pid == 0 {
            InheritedState.resetSignals()
            near.socket.close()
            // No directory of the host may be open in what goes inside.
            cgroup?.close()
            initial.run()
        }
        return LaunchedProcess(pid: pid, pidfd: Descriptor(rawValue: pidfd))
    }

    private func openUnified() throws(KernelError) -> Descriptor? {
        // systemd makes the directory later.
        guard plan.cgroup.scope == nil,
            let directory = placement.layout.unifiedDirectory(of: placement.cgroup.path)
        else { return nil }
        return try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
    }

    /// New namespaces must belong to the user namespace that is joined: a process that has joined it makes init, as a
    /// sibling (CLONE_PARENT), so that init is the runtime's own child, and ends.
    private func cloneInUserNamespace(_ initial: InitProcess) throws(KernelError) -> LaunchedProcess {
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        var pidfd: Int32 = -1
        let helper = try kernelCall("clone") { gantry_clone3_fork(0, &pidfd, -1) }
        if helper == 0 {
            InheritedState.resetSignals()
            near.socket.close()
            runHelper(initial, writing)
        }
        writing.close()
        let helperProcess = OwnedDescriptor(Descriptor(rawValue: pidfd))
        let bytes = try reading.readAll(limitBytes: 64)
        _ = try PidFD.reap(helperProcess.descriptor)
        guard let pid = Int32(String(decoding: bytes, as: UTF8.self)) else {
            throw KernelError("clone in the joined user namespace", "", .notPermitted)
        }
        return LaunchedProcess(pid: pid, pidfd: try PidFD.open(child: pid))
    }

    private func runHelper(_ initial: InitProcess, _ writing: Descriptor) -> Never {
        let first: Set = [LinuxNamespace.Kind.user.cloneFlag, LinuxNamespace.Kind.pid.cloneFlag]
        for namespace in initial.joined where first.contains(namespace.flag) {
            guard gantry_setns(namespace.descriptor.rawValue, namespace.flag) == 0 else { _exit(1) }
        }
        var pidfd: Int32 = -1
        let pid = gantry_clone3_sibling(plan.namespaces.cloneFlags, &pidfd)
        if pid == 0 {
            writing.close()
            initial.run()
        }
        // Without a number the runtime knows that it failed.
        if pid > 0 { try? writing.writeAll(Array(String(pid).utf8)) }
        _exit(pid > 0 ? 0 : 1)
    }

    private func mapIDs(_ pid: Int32) throws(RuntimeError) {
        guard plan.namespaces.new.contains(.user) else { return }
        try attempt { () throws(KernelError) in
            // An ordinary user may map its group only after giving up setgroups.
            if geteuid() != 0 { try FileContents.write("deny", to: "/proc/\(pid)/setgroups") }
            try FileContents.write(plan.spec.linux.uidMappings.mapText, to: "/proc/\(pid)/uid_map")
            try FileContents.write(plan.spec.linux.gidMappings.mapText, to: "/proc/\(pid)/gid_map")
        }
    }
}
