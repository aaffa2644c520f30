import Glibc
import JSON
import Linux
import OCI

/// `kill`, `delete`, `pause`, `resume`.
extension Invocation {
    func kill() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "all|a")
        try arguments.expectOperands("kill", atLeast: 1)
        guard arguments.operands.count <= 2 else {
            throw RuntimeError("\(Self.program): \"kill\" requires a maximum of 2 argument(s)")
        }
        let record = try store.record(of: arguments.operands[0])
        let text = arguments.operands.count > 1 ? arguments.operands[1] : "TERM"
        guard let signal = Signal.number(text) else { throw RuntimeError("unknown signal \"\(text)\"") }
        let layout = try HostFacts.layout()
        if try arguments.flag("all"), record.hasCgroup {
            let cgroup = record.cgroup(in: layout)
            try attempt { () throws(KernelError) in try cgroup.signalAll(signal) }
            return 0
        }
        guard ContainerStatus.of(record, in: store, layout) != .stopped else {
            throw RuntimeError("container not running")
        }
        try signalInitial(record, signal)
        // A process that version 1 has frozen gets even SIGKILL only when it is thawed; from version 2 it goes by itself.
        if signal == SIGKILL, layout.mode != .unified { try thaw(record.cgroup(in: layout)) }
        return 0
    }

    private func signalInitial(_ record: ContainerRecord, _ signal: Int32) throws(RuntimeError) {
        do throws(KernelError) {
            let process = OwnedDescriptor(try PidFD.open(pid: record.pid, startTicks: record.startTicks))
            try PidFD.send(signal, to: process.descriptor)
        } catch {
            if error.errno == .noSuchProcess { throw RuntimeError("container not running") }
            throw RuntimeError(error)
        }
    }

    private func thaw(_ cgroup: Cgroup) throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            do throws(KernelError) {
                try cgroup.thawLegacy()
            } catch  where error.errno == .noSuchFile || error.errno == .noDevice {
                // It ended meanwhile, and its cgroup with it.
            }
        }
    }

    func delete() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "force|f")
        try arguments.expectOperands("delete", exactly: 1)
        let force = try arguments.flag("force")
        let id = arguments.operands[0]
        let record: ContainerRecord
        do throws(RuntimeError) {
            record = try store.record(of: id)
        } catch {
            guard error == .doesNotExist, force else { throw error }
            // What a runtime that was killed in `create` left behind.
            try ContainerStore.check(id)
            if let path = try store.unrecordedCgroup(of: id) {
                let cgroup = Cgroup(path: path, layout: try HostFacts.layout())
                try attempt { () throws(KernelError) in try cgroup.end() }
            }
            try store.release(id)
            return 0
        }
        try deleteContainer(record, force: force)
        return 0
    }

    func deleteContainer(_ record: ContainerRecord, force: Bool) throws(RuntimeError) {
        let layout = try HostFacts.layout()
        let cgroup = record.cgroup(in: layout)
        switch ContainerStatus.of(record, in: store, layout) {
        case .stopped: break
        case .created: try end(record)
        case .running, .paused:
            guard force else {
                throw RuntimeError(
                    "cannot delete container \(record.id) that is not stopped: "
                        + ContainerStatus.of(record, in: store, layout).rawValue)
            }
            try end(record)
        }
        if let scope = record.scope { try SystemdUnit(scope: scope).stop() }
        try attempt("unable to destroy container") { () throws(KernelError) in
            // Without a pid namespace of its own, processes may have outlived the first one.
            try cgroup.end()
            try record.resctrl?.remove()
            if record.sharesMounts { try Self.unmountRoot(record.rootfs) }
        }
        try store.release(record.id)
        // The specification: a failure is logged, and the container counts as deleted.
        HookRunner.runAll(
            record.hooks.poststop, "poststop", state: HookRunner.state(record, status: "stopped"), log: log)
    }

    /// All mounts of the container with it. One that is gone was unmounted by somebody else, or went with the machine.
    private static func unmountRoot(_ path: String) throws(KernelError) {
        do throws(KernelError) {
            try Mount.unmount(path, detach: true)
        } catch  where error.errno == .invalidArgument || error.errno == .noSuchFile {
            return
        }
    }

    /// Kills everything and waits until the first process is gone.
    private func end(_ record: ContainerRecord) throws(RuntimeError) {
        let cgroup = record.cgroup(in: try HostFacts.layout())
        try attempt { () throws(KernelError) in
            let process: Descriptor
            do throws(KernelError) {
                process = try PidFD.open(pid: record.pid, startTicks: record.startTicks)
                try PidFD.send(SIGKILL, to: process)
            } catch  where error.errno == .noSuchProcess {
                return
            }
            defer { process.close() }
            try cgroup.kill()
            guard try PidFD.waitForEnd(process, timeoutMilliseconds: 10_000) else {
                throw KernelError("kill", record.id, Errno(rawValue: ETIMEDOUT))
            }
        }
    }

    func pause() throws(RuntimeError) -> Int32 {
        let (record, cgroup) = try controlled("pause")
        switch ContainerStatus.of(record, in: store, cgroup.layout) {
        case .running, .created: break
        case .paused, .stopped: throw RuntimeError("container not running")
        }
        try attempt { () throws(KernelError) in try cgroup.setFrozen(true) }
        return 0
    }

    func resume() throws(RuntimeError) -> Int32 {
        let (record, cgroup) = try controlled("resume")
        guard ContainerStatus.of(record, in: store, cgroup.layout) == .paused else {
            throw RuntimeError("container not paused")
        }
        try attempt { () throws(KernelError) in try cgroup.setFrozen(false) }
        return 0
    }

    private func controlled(_ command: String) throws(RuntimeError) -> (ContainerRecord, Cgroup) {
        let arguments = try CommandArguments(words, "")
        try arguments.expectOperands(command, exactly: 1)
        let record = try store.record(of: arguments.operands[0])
        return (record, record.cgroup(in: try HostFacts.layout()))
    }
}
