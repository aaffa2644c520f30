import CLinux
import Glibc
import Linux
import OCI

/// The first process of a container, from its birth in the new namespaces to the execution of the container's program.
struct InitProcess {
    let plan: ContainerPlan
    let sources: BindSources
    let null: Descriptor
    let cgroups: CgroupEntry
    let channel: SyncChannel
    /// Where `start` will come; nil where the runtime that makes this process starts it, over the channel.
    let gate: Descriptor?
    let seccomp: SeccompFilter?
    /// Gets the near end of the terminal.
    let consoleSocket: Descriptor?
    /// The namespaces to be joined, opened by the runtime, in their order.
    let joined: [(flag: Int32, descriptor: Descriptor)]
    let options: LaunchOptions

    /// In the runtime, once init was made: closes what is init's. An open gate would make a container look as if it still
    /// waited for `start`.
    func closeInRuntime() {
        sources.close()
        null.close()
        cgroups.close()
        gate?.close()
        channel.socket.close()
        for namespace in joined { namespace.descriptor.close() }
    }

    /// Never returns: the process becomes the program, or ends with the reason told to whoever can still hear it.
    func run() -> Never {
        gantry_fault_singly()
        let setup = ProcessSetup(
            plan: plan.process, seccomp: seccomp, personality: plan.spec.linux.personality,
            memoryPolicy: plan.memoryPolicy,
            preservedDescriptors: options.preservedDescriptors, activation: options.activation)
        let image: ProgramImage
        do throws(RuntimeError) {
            // First of all: nothing of the host's cgroups may be open in what goes inside.
            try attempt("unable to apply cgroup configuration") { () throws(KernelError) in try cgroups.enter() }
            try build()
            try attempt { () throws(KernelError) in
                try InheritedDescriptors.closeAll(
                    from: 3 + options.preservedDescriptors, keeping: channel.socket, gate)
            }
            image = try setup.apply(channel)
            try announceReady()
        } catch {
            // The runtime may be gone: then there is nobody to tell.
            try? channel.send(.failed(error.message))
            _exit(1)
        }
        do throws(RuntimeError) {
            try startProgram(setup, image)
        } catch {
            // The last words of a process whose program could not be executed go where its output goes.
            try? Descriptor.standardError.writeAll(Array("\(error)\n".utf8))
            _exit(error.exitCode)
        }
    }

    /// Everything up to the point where only `start` is missing. The order is the specification's: namespaces, mounts,
    /// the hooks of `create`, the change of root, then the process's own properties.
    private func build() throws(RuntimeError) {
        let placement = Placement(channel: channel, plan: plan)
        // An ordinary user's runtime could not write the mappings then.
        let isMappedFirst = plan.namespaces.new.contains(.user)
        if !isMappedFirst { try attempt { () throws(KernelError) in try Concealment.begin() } }
        for namespace in joined where !isBornIn(namespace.flag) {
            try attempt("error joining a namespace") { () throws(KernelError) in
                try kernelCall("setns") { gantry_setns(namespace.descriptor.rawValue, namespace.flag) }
            }
        }
        for namespace in joined { namespace.descriptor.close() }
        if isMappedFirst {
            try placement.await()
            try attempt { () throws(KernelError) in try Concealment.begin() }
        }
        _ = setsid()
        try nameHost()
        let rooted = try mountRoot()
        // Closed before the working directory is entered: no way out of the container may be open by then.
        defer { rooted.root.close() }
        if plan.namespaces.hasUser { try becomeNamespaceRoot() }
        try fill(rooted, placement)
        try placement.await()
        try runCreateHooks()
        try finish(rooted)
        try changeRoot(rooted.root)
        if !options.keepsKeyring { try joinKeyring() }
    }

    /// A pid namespace takes only children, and new namespaces must belong to the user namespace: both were joined by
    /// the process that made this one.
    private func isBornIn(_ flag: Int32) -> Bool {
        flag == LinuxNamespace.Kind.pid.cloneFlag || flag == LinuxNamespace.Kind.user.cloneFlag
    }

    private func announceReady() throws(RuntimeError) {
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2] { gantry_exit_on_signal(signal) }
        let answer = try attempt { () throws(KernelError) in
            try channel.send(.ready)
            return try channel.receive()
        }
        guard answer == .recorded else { _exit(1) }
        if gate != nil { channel.socket.close() }
    }

    private func awaitStart() throws(KernelError) -> StartCaller {
        if let gate { return .command(try StartGate.awaitStart(gate)) }
        // Else the runtime is gone, and with it whoever would wait for the program.
        guard try channel.receive() == .proceed else { _exit(1) }
        return .maker(channel)
    }

    private func startProgram(_ setup: ProcessSetup, _ image: ProgramImage) throws(RuntimeError) -> Never {
        let caller = try attempt { () throws(KernelError) in try awaitStart() }
        let hooks = plan.spec.hooks.startContainer
        if !hooks.isEmpty {
            do throws(RuntimeError) {
                try HookRunner.run(
                    hooks, "startContainer", state: HookRunner.state(plan, pid: getpid(), status: "created"))
            } catch {
                caller.tellFailure(error.message)
                throw error
            }
        }
        caller.tellRunning()
        try setup.execute(image)
    }
}
