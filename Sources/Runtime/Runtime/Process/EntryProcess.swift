import CLinux
import Glibc
import Linux
import OCI

/// The two processes of a `ContainerEntry` on their way in: the helper, which nobody inside can see, and the process
/// that it makes there.
struct EntryProcess {
    let entry: ContainerEntry
    let channel: SyncChannel

    private var place: EntryPlace { entry.place }
    private var setup: ProcessSetup { entry.setup }

    /// Never returns.
    func run() -> Never {
        gantry_fault_singly()
        do throws(RuntimeError) {
            try attempt("error adding pid \(getpid()) to cgroups") { () throws(KernelError) in
                try place.cgroups.enter()
            }
            // By the runtime's own procfs: in the container's this process has no number.
            try setup.applyLabels()
            try attempt { () throws(KernelError) in try replaceNullStreams() }
            try joiningKeyring { () throws(RuntimeError) in try attempt { () throws(KernelError) in try enter() } }
            if entry.leavesHelper { try attempt { () throws(KernelError) in try channel.send(.ready) } }
            // A process that has a filter may be kept from making another.
            let image = entry.settlesFirst ? try settleFirst() : nil
            if entry.isHeldInside, let hold = entry.hold {
                let isReleased = try attempt { () throws(KernelError) in try hold.isReleased() }
                // Whoever let it go is told nothing.
                if !isReleased { _exit(0) }
                if entry.leavesHelper { try finish(image, hold) }
                hold.socket.close()
            }
            try attempt { () throws(KernelError) in
                try channel.send(.made(try makeProcess(image)))
                // At once, not at the end of all that this process has: the runtime waits for the channel's end.
                channel.socket.close()
            }
        } catch {
            end(error)
        }
        _exit(0)
    }

    /// The process and what it is to become.
    private struct Successor {
        let process: EntryProcess
        let image: ProgramImage?
        /// In the memory of both, while both have it.
        let hasFailed: UnsafeMutablePointer<Bool>
    }

    /// Makes the process, and tells whoever held it what the runtime would have told. Why there is none is found out by the
    /// next runtime, which does all of it again.
    private func finish(_ image: ProgramImage?, _ hold: ExecHold) throws(RuntimeError) -> Never {
        var hasFailed = false
        try attempt { () throws(KernelError) in
            let made = try makeSharing(image, &hasFailed)
            if hasFailed { return }
            do throws(KernelError) { try hold.tell(made.pid) } catch {
                // Nobody would look for it; so far as its rights, which this one has, reach.
                try? PidFD.send(SIGKILL, to: made.pidfd)
                throw error
            }
        }
        _exit(0)
    }

    /// The process's number.
    private func makeProcess(_ image: ProgramImage?) throws(KernelError) -> Int32 {
        var pidfd: Int32 = -1
        guard entry.sharesMemory else {
            let pid = try kernelCall("clone") { gantry_clone_sibling(&pidfd) }
            if pid == 0 { become(image) }
            return pid
        }
        // What it says of a failure comes by the channel.
        var hasFailed = false
        return try makeSharing(image, &hasFailed).pid
    }

    /// Nothing is copied of what the execution throws away, and what the process does until then to memory, this one can do
    /// without: it ends next.
    private func makeSharing(_ image: ProgramImage?, _ hasFailed: inout Bool) throws(KernelError) -> LaunchedProcess {
        var pidfd: Int32 = -1
        let pid = try withUnsafeMutablePointer(to: &hasFailed) { (hasFailed) throws(KernelError) in
            let made = Successor(process: self, image: image, hasFailed: hasFailed)
            return try withUnsafePointer(to: made) { (successor) throws(KernelError) in
                try kernelCall("clone") {
                    gantry_clone_sibling_sharing(
                        &pidfd,
                        { argument in
                            guard let successor = argument?.load(as: Successor.self) else { _exit(255) }
                            successor.process.become(successor.image, successor.hasFailed)
                        }, UnsafeMutableRawPointer(mutating: successor))
                }
            }
        }
        return LaunchedProcess(pid: pid, pidfd: Descriptor(rawValue: pidfd))
    }

    /// Before the namespaces are joined, while the host's `/dev/null` is there to be copied.
    private func replaceNullStreams() throws(KernelError) {
        // A terminal will take the streams' place.
        if entry.console != nil { return }
        try NullDevice.replaceStreams { () throws(KernelError) in
            let root = try Descriptor.open("/proc/\(place.record.pid)/root", O_PATH | O_DIRECTORY)
            // The number was that process's while it was looked up.
            try PidFD.send(0, to: place.initial)
            return RootedTree(root: root)
        } or: { () throws(KernelError) in
            do throws(KernelError) {
                let copy = OwnedDescriptor(try NullDevice.copy())
                return try Descriptor.open(copy.descriptor.procPath, O_RDWR)
            } catch  where error.errno == .notPermitted {
                // An ordinary user's runtime: nobody inside has a right to the host's device.
                return nil
            }
        }
    }

    /// The caller's keys are not the program's (a container that was made to keep them excepted).
    private func joiningKeyring(_ enter: () throws(RuntimeError) -> Void) throws(RuntimeError) {
        if place.record.keepsKeyring { return try enter() }
        // In the container's procfs this process has no number. The execution of the program resets the label.
        try SecurityLabels(process: setup.plan.process, facts: setup.plan.facts).labelKeys()
        try enter()
        try SessionKeyring.join(of: place.record.id)
    }

    private func enter() throws(KernelError) {
        try Concealment.begin()
        guard try channel.receive() == .placed else { throw KernelError("enter", place.record.id, .noSuchProcess) }
        // To a pid namespace, setns(2) moves the children only.
        if place.flags != 0 { try kernelCall("setns") { gantry_setns(place.initial.rawValue, place.flags) } }
        if let root = place.root {
            try kernelCall("chdir", "/") { fchdir(root.rawValue) }
            try kernelCall("chroot") { chroot(".") }
        }
        if place.flags & LinuxNamespace.Kind.user.cloneFlag != 0 {
            try kernelCall("setgid", "0") { gantry_set_group(0) }
            try kernelCall("setuid", "0") { gantry_set_user(0) }
            // A change of ids may have made it readable again.
            try Concealment.begin()
        }
        try InheritedDescriptors.closeAll(
            from: 3 + setup.preservedDescriptors, keeping: channel.socket, entry.console,
            entry.isHeldInside ? entry.hold?.socket : nil)
        // What is set for a group of processes is not for the caller's.
        setpgid(0, 0)
    }

    /// Takes on the rights of the program for the process to come; returns the program, found.
    private func settleFirst() throws(RuntimeError) -> ProgramImage {
        try openConsole()
        let image = try setup.settle(channel, schedules: false)
        try attempt { () throws(KernelError) in try Concealment.begin() }
        return image
    }

    private func openConsole() throws(RuntimeError) {
        guard let socket = entry.console else { return }
        try attempt("error setting up the terminal") { () throws(KernelError) in
            let root = try RootedTree.ofProcess()
            // Closed before the working directory is entered.
            defer { root.root.close() }
            let process = setup.plan.process
            try Console(in: root).install(sendingTo: socket, size: process.consoleSize, owner: process.user.uid)
            socket.close()
        }
    }

    /// The process itself: never returns.
    ///
    /// - Parameters:
    ///   - image: nil where the helper has left the rights to it.
    ///   - hasFailed: set where the program cannot be executed.
    private func become(_ image: ProgramImage?, _ hasFailed: UnsafeMutablePointer<Bool>? = nil) -> Never {
        do throws(RuntimeError) {
            if image == nil { try openConsole() }
            try attempt { () throws(KernelError) in
                // Only a session's leader gets a terminal, and keeps it as long as it lives.
                _ = setsid()
                if entry.console != nil { try Console.takeControl() }
                try InheritedDescriptors.closeAll(from: 3 + setup.preservedDescriptors, keeping: channel.socket)
                if setup.plan.process.scheduler != nil {
                    guard try channel.receive() == .proceed else { throw KernelError("schedule", "", .noSuchProcess) }
                }
            }
            let found: ProgramImage
            if let image { found = image } else { found = try setup.settle(channel, schedules: false) }
            try setup.askAgent(channel)
            try setup.execute(found)
        } catch {
            hasFailed?.pointee = true
            end(error)
        }
    }

    private func end(_ error: RuntimeError) -> Never {
        // The runtime may be gone: then there is nobody to tell.
        try? channel.send(.failed(error.message))
        _exit(error.exitCode)
    }
}
