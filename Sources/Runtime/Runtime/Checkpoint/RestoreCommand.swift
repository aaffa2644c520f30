import CLinux
import Glibc
import Linux
import OCI

/// `restore`: a container as `checkpoint` saved it.
extension Invocation {
    func restore() throws(RuntimeError) -> Int32 {
        let own: CommandArguments.Options = "detach|d no-subreaper"
        let arguments = try CommandArguments(words, Self.createOptions + own + CriuOptions.ofRestore)
        try arguments.expectOperands("restore", exactly: 1)
        let criuOptions = try CriuOptions(arguments)
        var options = try launchOptions(arguments)
        options.detaches = try arguments.flag("detach")
        let bundle = try BundleContents(options.bundle)
        let isTerminal = bundle.hasTerminal
        if options.detaches, isTerminal, options.consoleSocket == nil {
            throw RuntimeError("cannot allocate tty if \(Self.program) will detach without setting console socket")
        }
        if options.consoleSocket != nil, !(options.detaches && isTerminal) {
            throw RuntimeError("cannot use console socket if \(Self.program) will not detach or allocate tty")
        }
        let foreground = try ForegroundProcess(terminal: isTerminal, options.consoleSocket)
        let restoration = ContainerRestoration(
            creation: ContainerCreation(
                store: store, id: arguments.operands[0], bundle: bundle, options: options, log: log),
            options: criuOptions, session: CriuSession(program: criu, log: log),
            console: foreground.consoleForProcess)
        let record: ContainerRecord
        do throws(RuntimeError) {
            record = try restoration.run()
        } catch {
            CriuLog(folder: criuOptions.workPath ?? criuOptions.imagePath, name: ContainerRestoration.logName)
                .quote(in: log)
            throw error
        }
        if options.detaches { return 0 }
        try foreground.takeTerminal()
        let code = try foreground.wait(pid: record.pid)
        try deleteContainer(record, force: true)
        return code
    }
}

/// The making of one container from its images. Whatever fails on the way, nothing is left.
struct ContainerRestoration {
    static let logName = "restore.log"

    let creation: ContainerCreation
    let options: CriuOptions
    let session: CriuSession
    /// Gets the near end of the terminal; nil where the process has none.
    let console: Descriptor?

    private var spec: RuntimeSpec { creation.bundle.spec }

    func run() throws(RuntimeError) -> ContainerRecord {
        var facts = try HostFacts.current(for: spec.linux.intelRdt)
        if creation.options.usesSystemd { facts.systemd = try SystemdHost.cgroup(facts) }
        let plan = try ContainerPlan(id: creation.id, bundle: creation.bundle.path, spec: spec, facts: facts)
        let streams = try openFolders { (images, _) throws(RuntimeError) in
            try StandardStreams(in: images, called: options.imagePath)
        }
        try checkVersion()
        for warning in ForeignProperties.warnings(spec) { creation.log.warning(warning) }
        let directory = OwnedDescriptor(try creation.store.claim(creation.id))
        var undo = CreationUndo(store: creation.store, id: creation.id)
        do throws(RuntimeError) {
            let placement = CgroupPlacement(plan.cgroup, layout: facts.layout)
            try creation.claim(placement.cgroup, directory.descriptor, &undo)
            try placement.prepare(isNew: undo.cgroup != nil)
            // The images have none, and what CRIU restores has CRIU's.
            if !creation.options.keepsKeyring {
                try SessionKeyring.make(for: creation.id, hasUserNamespace: plan.namespaces.hasUser)
            }
            return try ScaffoldNamespace.run { () throws(RuntimeError) in
                let root = try prepareRoot(plan)
                // Anew: CRIU mounts in the folder of its log, which it can only where that is of its own namespace.
                return try openFolders { (images, work) throws(RuntimeError) in
                    var request = request(plan, facts, images: images, work: work, streams, root: root)
                    let inherited = try addNamespaces(to: &request)
                    defer { for descriptor in inherited { descriptor.close() } }
                    return try converse(request, inherited, plan, placement, directory.descriptor, &undo)
                }
            }
        } catch {
            undo.run()
            throw error
        }
    }

    private func openFolders<Result>(
        _ body: (_ images: Descriptor, _ work: Descriptor) throws(RuntimeError) -> Result
    ) throws(RuntimeError) -> Result {
        let images = try CriuFolder.images(options.imagePath)
        let work = try CriuFolder.work(
            options.workPath ?? options.imagePath, replacing: [Self.logName, "stats-restore"])
        return try body(images.descriptor, work.descriptor)
    }

    private func checkVersion() throws(RuntimeError) {
        let version = try session.version()
        if options.lsmProfile?.isEmpty == false, version < 31600 {
            throw RuntimeError("--lsm-profile requires at least CRIU 3.16")
        }
        if options.lsmMountContext?.isEmpty == false, version < 31600 {
            throw RuntimeError("--lsm-mount-context requires at least CRIU 3.16")
        }
    }

    private func request(
        _ plan: ContainerPlan, _ facts: HostFacts, images: Descriptor, work: Descriptor, _ streams: StandardStreams,
        root: String
    ) -> CriuRequest {
        var request = CriuRequest(.restore)
        request.setFolders(images: images.rawValue, work: work.rawValue, logFile: Self.logName)
        request.setCommon(root: root, cgroups: options.cgroupMode)
        request.set(options.switches)
        request.setRestore(lsmProfile: options.lsmProfile, lsmMountContext: options.lsmMountContext)
        CriuConfiguration.apply(spec.annotations, to: &request)
        for mount in CriuMounts(plan, layout: facts.layout, isDump: false).mounts {
            request.addMount(mount.place, mount.source)
        }
        if !spec.linux.maskedPaths.isEmpty { request.addMount("/dev/null", "/dev/null") }
        // Pipes that were the standard streams become this program's own.
        for pipe in streams.pipes { request.addInherited(pipe.name, descriptor: pipe.number) }
        return request
    }

    private func converse(
        _ request: CriuRequest, _ inherited: [Descriptor], _ plan: ContainerPlan, _ placement: CgroupPlacement,
        _ directory: Descriptor, _ undo: inout CreationUndo
    ) throws(RuntimeError) -> ContainerRecord {
        var restored: LaunchedProcess?
        var record: ContainerRecord?
        var groups: ResctrlGroups?
        var devices: NetworkDeviceMove?
        do throws(RuntimeError) {
            // The images hold no policy: CRIU hands on its own to the processes that it makes.
            try plan.memoryPolicy?.apply()
            try session.converse(
                request, inheriting: inherited,
                prepare: { (pid, request) throws(RuntimeError) in
                    if plan.memoryPolicy != nil { try MemoryPolicyPlan.reset() }
                    groups = try plan.resctrl?.enter(pid: pid)
                    try place(pid, placement, &request)
                },
                notified: { (response, descriptor) throws(RuntimeError) in
                    defer { descriptor?.close() }
                    switch response.script {
                    case "setup-namespaces":
                        let pid = response.pid ?? 0
                        devices = try NetworkDeviceMove.all(of: plan, pid: pid, keepingMoved: true)
                        try runHooks(plan, pid: pid)
                    case "orphan-pts-master": try hand(over: descriptor)
                    case "post-restore":
                        let process = try launched(response.pid ?? 0)
                        restored = process
                        record = try creation.record(plan, process, creation.bundle.bytes, directory, groups)
                    default: break
                    }
                })
        } catch {
            undo.process = restored
            (undo.resctrl, undo.devices) = (groups, devices)
            throw error
        }
        (undo.resctrl, undo.devices) = (groups, devices)
        guard let record, let restored else { throw RuntimeError("criu failed: it restored no process") }
        undo.process = restored
        try creation.options.pidfdSocket?.send(restored.pidfd, .initial)
        return record
    }

    /// CRIU itself goes into the container's cgroups, and what it restores is born there; it is told which they are, so
    /// that the paths in the images are taken for these.
    private func place(
        _ pid: Int32, _ placement: CgroupPlacement, _ request: inout CriuRequest
    ) throws(RuntimeError) {
        try placement.attach(pid: pid)
        let text = try attempt { () throws(KernelError) in try FileContents.read("/proc/\(pid)/cgroup") }
        for line in text.split(separator: 10) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            request.addCgroupRoot(
                controllers: String(decoding: parts[1], as: UTF8.self), path: String(decoding: parts[2], as: UTF8.self))
        }
    }

    private func launched(_ pid: Int32) throws(RuntimeError) -> LaunchedProcess {
        try attempt { () throws(KernelError) in LaunchedProcess(pid: pid, pidfd: try PidFD.open(pid: pid)) }
    }

    private func runHooks(_ plan: ContainerPlan, pid: Int32) throws(RuntimeError) {
        let state = HookRunner.state(plan, pid: pid, status: "creating")
        try HookRunner.run(plan.spec.hooks.prestart, "prestart", state: state)
        try HookRunner.run(plan.spec.hooks.createRuntime, "createRuntime", state: state)
    }

    private func hand(over terminal: Descriptor?) throws(RuntimeError) {
        guard let terminal, let console else { return }
        try attempt("unable to hand over the terminal") { () throws(KernelError) in
            try UnixSocket.send(console, descriptor: terminal)
        }
    }
}

// MARK: - What the images leave to the runtime

extension ContainerRestoration {
    /// CRIU wants the root to be a mount whose parent is not covered, and the places of the container's mounts in it; a
    /// tmpfs of the container brings its own. Where it is: CRIU has another working directory.
    private func prepareRoot(_ plan: ContainerPlan) throws(RuntimeError) -> String {
        let root = try CriuOptions.absolute("\(creation.store.directory(of: plan.id))/criu-root")
        try attempt("error preparing rootfs") { () throws(KernelError) in
            try kernelCall("mkdir", root) { mkdir(root, 0o755) }
            let tree = try Mount.cloneTree(plan.rootfs, recursive: true)
            // Not private: CRIU takes over from here which mounts of the host an image's are slaves of, as those of other
            // runtimes' containers are.
            try Mount.setAttributes(tree, propagation: .slave, recursive: true, named: plan.rootfs)
            try Mount.attach(tree, at: root)
            let rooted = RootedTree(root: tree)
            for mount in plan.mounts where !Self.isOnTmpfs(mount.destination, plan) {
                switch mount.source {
                case .cgroup: continue
                case .filesystem: try rooted.createDirectories(mount.destination).close()
                case .bind(let path):
                    var facts = stat()
                    try kernelCall("stat", path) { stat(path, &facts) }
                    let isDirectory = facts.st_mode & S_IFMT == S_IFDIR
                    (isDirectory
                        ? try rooted.createDirectories(mount.destination) : try rooted.createFile(mount.destination))
                        .close()
                }
            }
            tree.close()
        }
        return root
    }

    private static func isOnTmpfs(_ path: String, _ plan: ContainerPlan) -> Bool {
        plan.mounts.contains { mount in
            guard case .filesystem("tmpfs", _) = mount.source else { return false }
            return path.hasPrefix(mount.destination + "/")
        }
    }

    /// Namespaces that the configuration joins by a path: handed over open, or named.
    private func addNamespaces(to request: inout CriuRequest) throws(RuntimeError) -> [Descriptor] {
        var inherited: [Descriptor] = []
        for namespace in spec.linux.namespaces {
            guard let path = namespace.path else { continue }
            if let key = CriuConfiguration.key(of: namespace.kind) {
                // CRIU's descriptors 0 to 2 are the standard ones, 3 is this conversation.
                request.addInherited(key, descriptor: Int32(4 + inherited.count))
                inherited.append(
                    try attempt { () throws(KernelError) in try Descriptor.open(path, O_RDONLY) })
            } else if namespace.kind == .cgroup {
                throw RuntimeError("Do not know how to handle namespace cgroup")
            } else {
                request.addJoined(namespace.kind.procName, path: path)
            }
        }
        return inherited
    }
}

/// A mount namespace in which the runtime can mount what only CRIU is to see.
enum ScaffoldNamespace {
    /// The namespace, and with it all mounts of the body, is gone when this process has left it and CRIU has ended.
    static func run<Result>(_ body: () throws(RuntimeError) -> Result) throws(RuntimeError) -> Result {
        let own = try attempt { () throws(KernelError) in
            OwnedDescriptor(try Descriptor.open("/proc/self/ns/mnt", O_RDONLY))
        }
        let directory = try attempt { () throws(KernelError) in
            OwnedDescriptor(try Descriptor.open(".", O_PATH | O_DIRECTORY))
        }
        let flag = LinuxNamespace.Kind.mount.cloneFlag
        try attempt { () throws(KernelError) in
            try kernelCall("unshare the mount namespace") { gantry_unshare(flag) }
            try Mount.setPropagation("/", [.slave, .recursive])
        }
        let result: Result
        do throws(RuntimeError) {
            result = try body()
        } catch {
            // The first failure is the one to be told; hooks and files after it are few.
            try? leave(to: own.descriptor, directory.descriptor)
            throw error
        }
        try attempt { () throws(KernelError) in try leave(to: own.descriptor, directory.descriptor) }
        return result
    }

    private static func leave(to own: Descriptor, _ directory: Descriptor) throws(KernelError) {
        try kernelCall("setns") { gantry_setns(own.rawValue, LinuxNamespace.Kind.mount.cloneFlag) }
        // Joining a mount namespace moves the working directory to its root.
        try kernelCall("chdir") { fchdir(directory.rawValue) }
    }
}
