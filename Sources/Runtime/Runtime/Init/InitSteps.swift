import CLinux
import Glibc
import Linux
import OCI

/// Remembers whether the runtime has put init into its cgroups and written its id mappings.
final class Placement {
    private let channel: SyncChannel
    private let plan: ContainerPlan
    private var isDone = false

    init(channel: SyncChannel, plan: ContainerPlan) {
        self.channel = channel
        self.plan = plan
    }

    /// Waits for it, once, as late as something needs it: until then both processes work at the same time.
    func await() throws(RuntimeError) {
        if isDone { return }
        isDone = true
        let message = try attempt { () throws(KernelError) in try channel.receive() }
        guard message == .placed else { throw RuntimeError("the runtime ended before the container was made") }
        guard plan.namespaces.new.contains(.cgroup) else { return }
        try attempt { () throws(KernelError) in
            try kernelCall("unshare the cgroup namespace") { gantry_unshare(LinuxNamespace.Kind.cgroup.cloneFlag) }
        }
    }
}

extension InitProcess {
    func nameHost() throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            if let name = plan.spec.hostname, !name.isEmpty {
                try kernelCall("sethostname", name) { gantry_sethostname(name, name.utf8.count) }
            }
            if let name = plan.spec.domainname, !name.isEmpty {
                try kernelCall("setdomainname", name) { gantry_setdomainname(name, name.utf8.count) }
            }
            if plan.namespaces.new.contains(.network) { try Loopback.bringUp() }
        }
    }

    /// The copy of the root file system, mounted where the bundle has it, in a tree that tells the host nothing.
    func mountRoot() throws(RuntimeError) -> RootedTree {
        // The runtime has attached it where there is no namespace of init's own to do it in.
        guard plan.namespaces.has(.mount) else { return RootedTree(root: sources.root) }
        try attempt("error preparing rootfs") { () throws(KernelError) in
            try Mount.setPropagation("/", plan.propagation.union(.recursive))
            if plan.propagation.contains(.shared) {
                // pivot_root refuses a new root below a shared mount.
                let above = MountTable.entry(above: plan.rootfs, in: try MountTable.current())
                try Mount.setPropagation(above?.mountPoint ?? "/", .private)
            }
            try Mount.attach(sources.root, at: plan.rootfs)
        }
        return RootedTree(root: sources.root)
    }

    /// Up to here init had the ids of the runtime, to find the bundle; from here on it makes files, which need an owner
    /// that the namespace knows.
    func becomeNamespaceRoot() throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            try kernelCall("setgid", "0") { gantry_set_group(0) }
            try kernelCall("setuid", "0") { gantry_set_user(0) }
            // With fs.suid_dumpable at 1, the change of ids has made it readable again.
            try Concealment.begin()
        }
    }

    func fill(_ rooted: RootedTree, _ placement: Placement) throws(RuntimeError) {
        let mounts = InitMounts(plan: plan, sources: sources, tree: rooted) { () throws(RuntimeError) in
            try placement.await()
        }
        try mounts.mountAll()
        try attempt("error creating device nodes") { () throws(KernelError) in
            try InitDevices(plan: plan, sources: sources, tree: rooted).make()
        }
        if let consoleSocket {
            try attempt("error setting up the terminal") { () throws(KernelError) in
                let console = try Console(in: rooted)
                try console.mountAsConsole(in: rooted)
                try console.install(
                    sendingTo: consoleSocket, size: plan.spec.process?.consoleSize, owner: plan.process.process.user.uid
                )
                try Console.takeControl()
            }
        }
        try attempt { () throws(KernelError) in
            try NullDevice.replaceStreams {
                rooted
            } or: { () throws(KernelError) in
                try Descriptor.open(null.procPath, O_RDWR)
            }
            try mounts.finishDev()
        }
    }

    func runCreateHooks() throws(RuntimeError) {
        let hooks = plan.spec.hooks
        if !(hooks.prestart.isEmpty && hooks.createRuntime.isEmpty) {
            let answer = try attempt { () throws(KernelError) in
                try channel.send(.mounted)
                return try channel.receive()
            }
            // The runtime says itself why a hook failed.
            guard answer == .proceed else { _exit(1) }
        }
        guard !hooks.createContainer.isEmpty else { return }
        let state = HookRunner.state(plan, pid: getpid(), status: "creating")
        try HookRunner.run(hooks.createContainer, "createContainer", state: state)
        let answer = try attempt { () throws(KernelError) in
            try channel.send(.hooked)
            return try channel.receive()
        }
        // As above, of a limit that cannot be set.
        guard answer == .proceed else { _exit(1) }
    }

    /// What must be written before it becomes read-only, then what makes it so.
    func finish(_ rooted: RootedTree) throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            if !plan.spec.linux.sysctl.isEmpty {
                for (name, value) in plan.spec.linux.sysctl.sorted(by: { $0.key < $1.key }) {
                    try Self.writeSysctl(name, value, rooted)
                }
            }
            // What other runtimes give a program whose configuration says nothing: the caller's mask is nobody's wish.
            _ = umask(0o022)
            // The working directory is made where the image has none; a read-only image without it fails at chdir.
            if let directory = try? rooted.createDirectories(plan.process.process.cwd) { directory.close() }
            try PathRestrictions(tree: rooted, null: null).apply(
                masked: plan.spec.linux.maskedPaths, readonly: plan.spec.linux.readonlyPaths)
            if plan.spec.root?.readonly == true {
                try Mount.setAttributes(rooted.root, set: .readOnly, named: "/")
            }
        }
    }

    /// Only on the true procfs: what an image has mounted or linked there may be anything (CVE-2019-19921).
    private static func writeSysctl(_ name: String, _ value: String, _ rooted: RootedTree) throws(KernelError) {
        let path = "sys/" + ContainerPlan.sysctlPath(name)
        let proc = try KernelTree.proc(in: rooted)
        defer { proc.close() }
        let file = OwnedDescriptor(try proc.open(path, O_WRONLY))
        do throws(KernelError) {
            try file.descriptor.writeAll(Array(value.utf8))
        } catch {
            throw KernelError("write sysctl \"\(value)\" to", "/proc/\(path)", error.errno)
        }
    }

    func changeRoot(_ root: Descriptor) throws(RuntimeError) {
        try attempt("pivot_root") { () throws(KernelError) in
            try kernelCall("chdir", plan.rootfs) { fchdir(root.rawValue) }
            if !plan.namespaces.has(.mount) {
                // The mounts are the runtime's, too: their root stays what it is.
                try kernelCall("chroot", plan.rootfs) { chroot(".") }
            } else if options.avoidsPivot {
                // For a root in the initial ramdisk, which pivot_root cannot leave: moved over it instead.
                try HostPseudoFilesystems(root: root, isShared: plan.propagation.contains(.shared)).hide()
                try Mount.mount(".", at: "/", .move)
                try kernelCall("chroot") { chroot(".") }
            } else {
                let old = OwnedDescriptor(try Descriptor.open("/", O_PATH | O_DIRECTORY))
                try kernelCall("pivot_root", plan.rootfs) { gantry_pivot_root(".", ".") }
                // The old root now lies over the new one. Made a slave first: its unmounting must not reach the host.
                try kernelCall("chdir") { fchdir(old.descriptor.rawValue) }
                try Mount.setPropagation(".", .slave.union(.recursive))
                try Mount.unmount(".", detach: true)
            }
            try kernelCall("chdir", "/") { chdir("/") }
            if plan.spec.linux.rootfsPropagation != nil { try Mount.setPropagation("/", plan.propagation) }
        }
    }

    func joinKeyring() throws(RuntimeError) {
        let labels = SecurityLabels(process: plan.process.process, facts: plan.process.facts)
        try labels.labellingKeys { () throws(RuntimeError) in
            try SessionKeyring.make(for: plan.id, hasUserNamespace: plan.namespaces.hasUser)
        }
    }
}

/// The loopback interface of a new network namespace, which the kernel makes down.
enum Loopback {
    static func bringUp() throws(KernelError) {
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = try kernelCall("socket") { Glibc.socket(AF_INET, type, 0) }
        let socket = OwnedDescriptor(Descriptor(rawValue: number))
        // struct ifreq: 16 bytes of name, then the flags. SIOCSIFFLAGS 0x8914, IFF_UP 1.
        var request = [UInt8](zeros: 40)
        request.replaceSubrange(0..<2, with: Array("lo".utf8))
        request[16] = 1
        try kernelCall("bring up the interface", "lo") {
            gantry_ioctl_pointer(socket.descriptor.rawValue, 0x8914, &request)
        }
    }
}
