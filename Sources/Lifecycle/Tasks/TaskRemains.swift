import AsyncIO
import EngineAPI
import Glibc
import Linux
import ShimAPI

/// What a task leaves on the machine besides its shim, and how it is ended and removed without one.
struct TaskRemains: Sendable {
    private static let patience = Duration.seconds(30)

    let id: String
    let directory: ShimDirectory
    let runtimeRoot: String
    var traces = TaskTraces()
    /// The shim, where this service has started it just now.
    var launchedShim: ProcessIdentity?
    /// What the runtime may take for a call.
    var runtimePatience = ShimTaskService.runtimePatience

    /// Ends all processes of the task's cgroups, and its init process, and returns when none is left.
    func killAll() async throws(EngineError) {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let (alive, failure) = await BlockingPool.shared.run { strike() }
            defer { for process in alive { process.close() } }
            if let failure { throw EngineError(failure, task: id) }
            if alive.isEmpty { return }
            for process in alive {
                guard await ChildProcess.ends(process, before: deadline) else {
                    throw EngineError(
                        .unavailable, "cannot kill \(id): its processes do not end within 30 seconds", object: id)
                }
            }
        }
    }

    /// Kills, and gives descriptors for those that were to be killed, as far as there are descriptors to be had.
    private func strike() -> (alive: [Descriptor], failure: KernelError?) {
        var pids: Set<Int32> = []
        var alive: [Descriptor] = []
        var failure: KernelError?
        let cgroups: [String]
        let record: InitRecord?
        do throws(KernelError) {
            record = try directory.records().initial
            cgroups = try self.cgroups
            for cgroup in cgroups { pids.formUnion(try CgroupMembers.pids(below: cgroup)) }
        } catch { return ([], error) }
        pids = pids.filter { $0 > 1 && $0 != getpid() }
        for pid in pids {
            do throws(KernelError) { alive.append(try PidFD.open(pid: pid)) } catch {
                // A process that has gone meanwhile needs no waiting for.
                if error.errno != .noSuchProcess { failure = error }
            }
        }
        let initial = record.map { ProcessIdentity($0.process) } ?? traces.initial
        // Gone, or its number is another's: not to be waited for.
        if let initial, initial.startTicks > 0, pids.insert(initial.pid).inserted,
            let process = try? PidFD.open(pid: initial.pid, startTicks: initial.startTicks)
        {
            // As above; a zombie that its parent has not reaped yet counts as ended.
            if (try? ProcessStat.read(pid: initial.pid).isEnded) == false {
                try? PidFD.send(SIGKILL, to: process)  // It may end by itself first.
                alive.append(process)
            } else {
                process.close()
            }
        }
        CgroupMembers.kill(cgroups)
        return (alive, failure)
    }

    /// The directories of the container's own cgroups: as the shim found them, else as the bundle named them, or the caller.
    private var cgroups: [String] {
        get throws(KernelError) {
            if let record = try directory.records().initial { return record.cgroups }
            guard let path = directory.task?.cgroupsPath ?? traces.cgroupsPath, path.hasPrefix("/"), path.count > 1,
                !path.contains("/.."), !path.utf8.contains(0)
            else { return [] }
            let root = "/sys/fs/cgroup"
            // In each v1 hierarchy and `unified`, which are directories here, or in v2 alone.
            let hierarchies = try Directory.list(root).filter { !$0.hasPrefix(".") }
            return (["\(root)\(path)"] + hierarchies.map { "\(root)/\($0)\(path)" }).filter {
                access("\($0)/cgroup.procs", F_OK) == 0
            }
        }
    }

    /// Removes what is left of a task whose shim is dead.
    func remove() async throws(EngineError) {
        await endShim()
        try await killAll()
        let cgroups: [String]
        do throws(KernelError) {
            cgroups = try await BlockingPool.shared.run { () throws(KernelError) in try self.cgroups }
        } catch { throw EngineError(error, task: id) }
        if let runtime = directory.task?.runtime ?? traces.runtime { try await deleteFromRuntime(runtime) }
        await BlockingPool.shared.run {
            for cgroup in cgroups { CgroupMembers.remove(cgroup) }
            directory.remove()
        }
    }

    /// A shim that does not answer any more may still be there.
    func endShim() async {
        // Another process, or none: nothing to end.
        guard let shim = directory.initRecord.map({ ProcessIdentity($0.shim) }) ?? launchedShim,
            let process = try? PidFD.open(pid: shim.pid, startTicks: shim.startTicks)
        else { return }
        defer { process.close() }
        try? PidFD.send(SIGKILL, to: process)  // It may end by itself first.
        _ = await ChildProcess.ends(process, before: .now + Self.patience)
    }

    private func deleteFromRuntime(_ runtime: String) async throws(EngineError) {
        guard access("\(runtimeRoot)/\(id)", F_OK) == 0 else { return }
        var spawn = Spawn(
            program: runtime, arguments: [runtime, "--root", runtimeRoot, "delete", "--force", id])
        spawn.environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        let code: Int32?
        do {
            let pid = try spawn.start()
            code = try await ChildProcess.reap(pid, within: runtimePatience)
        } catch { throw EngineError(error, task: id) }
        // What a runtime that refuses leaves is removed without it; one that was killed may have left more.
        if code == nil {
            let seconds = runtimePatience.components.seconds
            throw EngineError(
                .unavailable, "runtime delete of `\(id)`: gave up after \(seconds) seconds", object: id)
        }
    }
}
