import CLinux
import Glibc
import JSON
import Linux
import OCI

/// `create`: from a bundle to a process that waits to be started. Whatever fails on the way, nothing is left.
struct ContainerCreation {
    let store: ContainerStore
    let id: String
    let bundle: BundleContents
    let options: LaunchOptions
    let log: LogOutput
    var rootless = RootlessMode.auto
    /// Who asks, by the ids of the host: inside a user namespace this program has others.
    private let owner = geteuid()

    /// - Parameter console: gets the near end of the terminal; nil where the process has none.
    func run(console: Descriptor?) throws(RuntimeError) -> CreatedContainer {
        // Before the configuration is: without a path of its own the cgroup is called by it.
        try ContainerStore.check(id)
        var spec = bundle.spec
        let notify = NotifySocket(of: id, in: store)
        notify?.add(to: &spec)
        var facts = try HostFacts.current(for: spec.linux.intelRdt)
        if options.usesSystemd { facts.systemd = try SystemdHost.cgroup(facts) }
        var plan = try ContainerPlan(id: id, bundle: bundle.path, spec: spec, facts: facts)
        log.ignored(capabilities: plan.process.unknownCapabilities)
        for warning in plan.cgroup.warnings + ForeignProperties.warnings(spec) { log.warning(warning) }
        if log.isDebugging {
            for name in ForeignProperties.unknown(spec) {
                log.debug("\(name): ignored, no property of the specification")
            }
        }
        let directory = OwnedDescriptor(try store.claim(id))
        var undo = CreationUndo(store: store, id: id)
        do throws(RuntimeError) {
            try notify?.makeDirectory()
            try claim(Cgroup(path: plan.cgroup.path, layout: facts.layout), directory.descriptor, &undo)
            let refusal = CgroupRefusal(isIgnored: rootless.ignoresCgroupRefusals, layout: facts.layout)
            facts.layout = try refusal.makeOrDoWithout(&plan.cgroup, path: plan.spec.linux.cgroupsPath)
            try enterUserNamespace(&plan, isRootless: facts.isRootless)
            return try build(plan, facts, bundle.bytes, directory.descriptor, console, &undo)
        } catch {
            undo.run()
            throw error
        }
    }

    /// Remembers a cgroup that is not there yet as this container's, to be taken back or ended.
    func claim(_ cgroup: Cgroup, _ directory: Descriptor, _ undo: inout CreationUndo) throws(RuntimeError) {
        let isOwn = !cgroup.exists
        if isOwn { undo.cgroup = cgroup }
        try attempt { () throws(KernelError) in
            try ContainerStore.begin(in: directory, cgroup: isOwn ? cgroup.path : "")
        }
    }

    /// An ordinary user's runtime does the rest inside the container's user namespace, which init then shares with it.
    private func enterUserNamespace(_ plan: inout ContainerPlan, isRootless: Bool) throws(RuntimeError) {
        guard isRootless else {
            plan.namespaces.inheritsUser = RootlessMode.isInUserNamespace
            return
        }
        guard plan.namespaces.new.contains(.user) else {
            guard plan.namespaces.hasUser else { throw RuntimeError("rootless container requires user namespaces") }
            return
        }
        let linux = plan.spec.linux
        let hasGroups = !plan.process.process.user.additionalGids.isEmpty
        try RootlessNamespace(uids: linux.uidMappings, gids: linux.gidMappings, allowsGroups: hasGroups).enter()
        plan.namespaces.new.remove(.user)
        plan.namespaces.inheritsUser = true
    }

    private func build(
        _ plan: ContainerPlan, _ facts: HostFacts, _ specBytes: [UInt8], _ directory: Descriptor,
        _ console: Descriptor?,
        _ undo: inout CreationUndo
    ) throws(RuntimeError) -> CreatedContainer {
        var seccomp: SeccompFilter?
        if let profile = plan.spec.linux.seccomp { seccomp = try SeccompCache(root: store.root).filter(for: profile) }
        let placement = CgroupPlacement(plan.cgroup, layout: facts.layout)
        let cgroups = try inContainerProcess { () throws(RuntimeError) in
            try placement.prepare(isNew: undo.cgroup != nil)
            return try placement.entry()
        }
        let sources = try BindSources(plan, layout: facts.layout)
        if !plan.namespaces.has(.mount) {
            try attempt("error preparing rootfs") { () throws(KernelError) in
                try Mount.attach(sources.root, at: plan.rootfs)
            }
            undo.mountedRoot = plan.rootfs
        }
        let null = try attempt { () throws(KernelError) in try NullDevice.copy() }
        let gate = try attempt { () throws(KernelError) in
            options.startsItself ? nil : try StartGate.listen(in: directory)
        }
        let (near, far) = try attempt { () throws(KernelError) in try SyncChannel.pair() }
        let initial = InitProcess(
            plan: plan, sources: sources, null: null, cgroups: cgroups, channel: far, gate: gate, seccomp: seccomp,
            consoleSocket: console,
            joined: try openJoined(plan), options: options)
        let launch = InitLaunch(
            plan: plan, placement: placement, near: near, seccomp: seccomp, isRootless: facts.isRootless)
        return try inContainerProcess { () throws(RuntimeError) in
            let process = try launch.start(initial)
            initial.closeInRuntime()
            undo.process = process
            try options.pidfdSocket?.send(process.pidfd, .initial)
            // Before it may have children, or use a device.
            undo.resctrl = try plan.resctrl?.enter(pid: process.pid)
            undo.devices = try NetworkDeviceMove.all(of: plan, pid: process.pid)
            try launch.attend(process)
            let record = try record(plan, process, specBytes, directory, undo.resctrl, filter: seccomp?.file)
            try attempt { () throws(KernelError) in try near.send(.recorded) }
            if options.startsItself { return CreatedContainer(record: record, channel: near) }
            near.socket.close()
            return CreatedContainer(record: record, channel: nil)
        }
    }

    private func inContainerProcess<Result: ~Copyable>(
        _ body: () throws(RuntimeError) -> Result
    ) throws(RuntimeError) -> Result {
        try step("unable to start container process", body)
    }

    private func openJoined(_ plan: ContainerPlan) throws(RuntimeError) -> [(flag: Int32, descriptor: Descriptor)] {
        var opened: [(flag: Int32, descriptor: Descriptor)] = []
        for namespace in plan.namespaces.joined {
            let descriptor = try attempt("invalid namespace") { () throws(KernelError) in
                try Descriptor.open(namespace.path, O_RDONLY)
            }
            opened.append((namespace.kind.cloneFlag, descriptor))
            guard namespace.kind == .network,
                let name = plan.spec.linux.sysctl.keys.first(where: {
                    ContainerPlan.sysctlName($0).hasPrefix("net.")
                })
            else { continue }
            // A path may lead to the runtime's own namespace, whose settings are not the container's.
            let isOwn = try attempt { () throws(KernelError) in try Self.isOwn(descriptor, namespace.kind) }
            if isOwn {
                throw RuntimeError("sysctl \"\(name)\" not allowed in host network namespace")
            }
        }
        return opened
    }

    private static func isOwn(_ opened: Descriptor, _ kind: LinuxNamespace.Kind) throws(KernelError) -> Bool {
        let own = OwnedDescriptor(try Descriptor.open("/proc/self/ns/\(kind.procName)", O_RDONLY))
        let (theirs, mine) = (try opened.status(), try own.descriptor.status())
        return theirs.st_ino == mine.st_ino && theirs.st_dev == mine.st_dev
    }

    /// Writes down that the container exists.
    func record(
        _ plan: ContainerPlan, _ process: LaunchedProcess, _ specBytes: [UInt8], _ directory: Descriptor,
        _ resctrl: ResctrlGroups? = nil, filter: FilterFile? = nil
    ) throws(RuntimeError) -> ContainerRecord {
        try attempt { () throws(KernelError) in
            let stat = try ProcessStat.read(pid: process.pid)
            var record = ContainerRecord(plan, pid: process.pid, startTicks: stat.startTicks, owner: owner)
            record.resctrl = resctrl
            record.filter = filter
            record.keepsKeyring = options.keepsKeyring
            if let path = options.pidFile { try PidFile.write(process.pid, to: path) }
            // Last: a record is a container that exists.
            try ContainerStore.complete(with: record, specBytes, in: directory)
            return record
        }
    }
}

/// A container whose process waits to be started.
struct CreatedContainer {
    let record: ContainerRecord
    /// Where the process waits for the word of a `run`; nil where it waits at the gate, for another command's.
    let channel: SyncChannel?
}

/// What has come into being so far, to be taken back.
struct CreationUndo {
    let store: ContainerStore
    let id: String
    /// Nil where the cgroup was there before.
    var cgroup: Cgroup?
    var process: LaunchedProcess?
    /// Where the container's mounts are among the runtime's.
    var mountedRoot: String?
    var devices: NetworkDeviceMove?
    var resctrl: ResctrlGroups?

    init(store: ContainerStore, id: String) {
        self.store = store
        self.id = id
    }

    /// The failure that led here is what the caller is told; another one on the way back would hide it.
    func run() {
        // While the namespace is still there.
        devices?.undo()
        if let process {
            // As above.
            try? PidFD.send(SIGKILL, to: process.pidfd)
            // As above.
            _ = try? PidFD.reap(process.pidfd)
        }
        // As above.
        try? cgroup?.kill()
        // As above.
        try? cgroup?.remove(timeoutMilliseconds: 2000)
        // As above.
        if let mountedRoot { try? Mount.unmount(mountedRoot, detach: true) }
        // As above.
        try? resctrl?.remove(withShared: true)
        // As above.
        try? store.release(id)
    }
}

enum PidFile {
    /// Whole or not at all: the caller reads it as soon as it is there.
    static func write(_ pid: Int32, to path: String) throws(KernelError) {
        try FileContents.replace(path, with: Array(String(pid).utf8), mode: 0o644, durable: false)
    }
}
