import CLinux
import Glibc
import JSON
import Linux
import OCI

/// `exec`: a further process in a container that runs.
extension Invocation {
    private static let execOptions: CommandArguments.Options = """
        console-socket= cwd= env|e= tty|t user|u= additional-gids|g= process|p= detach|d pid-file= process-label= \
        apparmor= no-new-privs cap|c= preserve-fds= ignore-paused cgroup= pidfd-socket= hold= \
        leave-helper
        """

    func exec() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, Self.execOptions, operandsEndOptions: true)
        try arguments.expectOperands("exec", atLeast: 1)
        try SealedExecutable.ensure(sealingFailure)
        do throws(RuntimeError) {
            return try exec(arguments)
        } catch {
            // As runc: a code that a program's own is unlikely to be.
            throw RuntimeError("exec failed: \(error)", exitCode: 255)
        }
    }

    private func exec(_ arguments: CommandArguments) throws(RuntimeError) -> Int32 {
        let (record, spec) = try store.container(arguments.operands[0])
        let facts = try HostFacts.current()
        let hold = try ExecHold(try arguments.integer("hold"))
        if hold == nil { try checkRunning(record, facts, arguments) }
        var seccomp: SeccompFilter?
        if let profile = spec.linux.seccomp {
            seccomp = try SeccompCache(root: store.root).filter(for: profile, noted: record.filter)
        }
        let sub = try SubCgroups(arguments.all("cgroup"))
        // An ordinary user has no right to the container's namespaces yet.
        var place: EntryPlace?
        if !facts.isRootless { place = try Self.openPlace(record, facts.layout, sub) }
        // After all else: who starts this program may give a pipe, and say only then what process it is to be.
        let process = try ExecProcess.make(arguments, spec)
        if hold != nil { try checkRunning(record, facts, arguments) }
        let plan = try ProcessPlan(process, facts: facts)
        log.ignored(capabilities: plan.unknownCapabilities)
        let detaches = try arguments.flag("detach")
        let socket = arguments.path("console-socket")
        if detaches, process.terminal, socket == nil {
            throw RuntimeError("cannot allocate tty if \(Self.program) will detach without setting console socket")
        }
        if socket != nil, !(detaches && process.terminal) {
            throw RuntimeError("cannot use console socket if \(Self.program) will not detach or allocate tty")
        }
        let foreground = try ForegroundProcess(terminal: process.terminal, socket)
        let preserved = try PreservedDescriptors.count(try arguments.integer("preserve-fds") ?? 0)
        let setup = ProcessSetup(
            plan: plan, seccomp: seccomp, profile: spec.linux.seccomp, personality: spec.linux.personality,
            memoryPolicy: try MemoryPolicyPlan(spec.linux.memoryPolicy), preservedDescriptors: preserved)
        let pidfdSocket = try PidfdSocket.connect(arguments["pidfd-socket"])
        if facts.isRootless { try Self.joinUserNamespace(of: record) }
        let entered = if let place { place } else { try Self.openPlace(record, facts.layout, sub) }
        let entry = ContainerEntry(
            place: entered, setup: setup, console: foreground.consoleForProcess, hold: hold, beside: spec.process,
            mayLeave: try arguments.flag("leave-helper") && detaches && pidfdSocket == nil
                && arguments.path("pid-file") == nil)
        let begun = try step("unable to start container process") { () throws(RuntimeError) in try entry.start() }
        guard let (started, helper) = begun else { return 0 }
        do throws(RuntimeError) {
            try pidfdSocket?.send(started.pidfd, .further)
            if let path = arguments.path("pid-file") {
                try attempt { () throws(KernelError) in try PidFile.write(started.pid, to: path) }
            }
            try attempt { () throws(KernelError) in try hold?.tell(started.pid) }
            if !detaches { try foreground.takeTerminal() }
        } catch {
            // A caller that is told of a failure looks for no process. The first failure is the one to be told.
            try? PidFD.send(SIGKILL, to: started.pidfd)
            // As above.
            _ = try? PidFD.reap(started.pidfd)
            throw error
        }
        try attempt { () throws(KernelError) in _ = try PidFD.reap(helper.pidfd) }
        helper.pidfd.close()
        if detaches { return 0 }
        return try foreground.wait(pid: started.pid)
    }
}

extension Invocation {
    private func checkRunning(
        _ record: ContainerRecord, _ facts: HostFacts, _ arguments: CommandArguments
    ) throws(RuntimeError) {
        switch ContainerStatus.of(record, in: store, facts.layout) {
        case .stopped: throw RuntimeError("cannot exec in a stopped container")
        case .paused:
            guard try arguments.flag("ignore-paused") else {
                throw RuntimeError("cannot exec in a paused container (use --ignore-paused to override)")
            }
        case .created, .running: break
        }
    }

    private static func openPlace(
        _ record: ContainerRecord, _ layout: CgroupLayout, _ sub: SubCgroups
    ) throws(RuntimeError) -> EntryPlace {
        try step("unable to start container process") { () throws(RuntimeError) in
            try EntryPlace(record, layout, sub)
        }
    }

    /// An ordinary user has the right to the container's other namespaces only inside its user namespace.
    private static func joinUserNamespace(of record: ContainerRecord) throws(RuntimeError) {
        let initial = try attempt { () throws(KernelError) in
            OwnedDescriptor(try PidFD.open(pid: record.pid, startTicks: record.startTicks))
        }
        try RootlessNamespace.join(initial.descriptor)
    }
}

/// The process of an `exec`, from `--process` or from the words of the command line over the container's own.
enum ExecProcess {
    static func make(_ arguments: CommandArguments, _ spec: RuntimeSpec) throws(RuntimeError) -> RuntimeProcess {
        if let path = arguments.path("process") { return completed(try read(path), spec.process) }
        guard arguments.operands.count > 1 else { throw RuntimeError("process args cannot be empty") }
        guard var process = spec.process else { throw RuntimeError("process property must not be empty") }
        process.args = Array(arguments.operands.dropFirst())
        process.terminal = try arguments.flag("tty")
        process.consoleSize = nil
        if let directory = arguments["cwd"] { process.cwd = directory }
        if let label = arguments["process-label"] { process.selinuxLabel = label }
        if let profile = arguments["apparmor"] { process.apparmorProfile = profile }
        process.env += arguments.all("env")
        for name in arguments.all("cap") {
            process.capabilities = process.capabilities ?? RuntimeCapabilities()
            process.capabilities?.bounding.append(name)
            process.capabilities?.effective.append(name)
            process.capabilities?.permitted.append(name)
            process.capabilities?.ambient.append(name)
        }
        if try arguments.flag("no-new-privs") { process.noNewPrivileges = true }
        if let user = arguments["user"] { try setUser(user, &process) }
        for text in arguments.all("additional-gids") {
            guard let gid = UInt32(text) else { throw RuntimeError("parsing \(text) as int for gid failed") }
            process.user.additionalGids.append(gid)
        }
        return process
    }

    /// What a document leaves out is as it is for the container's own program: less would be lost rights for one, and more
    /// rights for another, as without the profile that confines the container.
    private static func completed(_ given: RuntimeProcess, _ own: RuntimeProcess?) -> RuntimeProcess {
        guard let own else { return given }
        var process = given
        process.capabilities = given.capabilities ?? own.capabilities
        if given.rlimits.isEmpty { process.rlimits = own.rlimits }
        if given.apparmorProfile ?? "" == "" { process.apparmorProfile = own.apparmorProfile }
        if given.selinuxLabel ?? "" == "" { process.selinuxLabel = own.selinuxLabel }
        process.oomScoreAdj = given.oomScoreAdj ?? own.oomScoreAdj
        process.scheduler = given.scheduler ?? own.scheduler
        process.ioPriority = given.ioPriority ?? own.ioPriority
        process.execCPUAffinity = given.execCPUAffinity ?? own.execCPUAffinity
        return process
    }

    private static func setUser(_ text: String, _ process: inout RuntimeProcess) throws(RuntimeError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let uid = UInt32(parts[0]) else { throw RuntimeError("parsing \(parts[0]) as int for uid failed") }
        process.user.uid = uid
        guard parts.count > 1 else { return }
        guard let gid = UInt32(parts[1]) else { throw RuntimeError("parsing \(parts[1]) as int for gid failed") }
        process.user.gid = gid
    }

    private static func read(_ path: String) throws(RuntimeError) -> RuntimeProcess {
        let bytes = try attempt { () throws(KernelError) in try FileContents.read(path) }
        let json: JSONValue
        do throws(JSONError) { json = try JSONValue(parsing: bytes) } catch { throw RuntimeError(error) }
        do throws(RuntimeSpecError) {
            return try RuntimeProcess(RuntimeProperty(json, name: "process"))
        } catch {
            throw RuntimeError(error)
        }
    }
}
