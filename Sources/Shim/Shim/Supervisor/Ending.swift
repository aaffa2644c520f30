import Linux
import ShimAPI

/// The end of processes, and of the container.
extension ContainerSupervisor {
    /// How long somebody outside the container may hold a pipe open after a process ended.
    private static var lingerMilliseconds: Int64 { 1000 }

    /// The init process was reaped: what it wrote is taken in, the record written, and only then is it told.
    func initialEnded(_ status: ChildStatus) {
        guard let initial else { return }
        // It has the container's mounts open as the shim has.
        dropPrepared()
        // Where the container has no pid namespace of its own, others may live on and hold its pipes.
        CgroupMembers.kill(cgroups.directories.map(\.path))
        settleOutput(of: initial) { [unowned self] in recordEnd(initial, status) }
    }

    /// Reads what a process that has ended has left in its pipes, to their end or for a bounded time; then `body`.
    func settleOutput(of process: SupervisedProcess, _ body: @escaping () -> Void) {
        process.stdio.releaseTerminal()
        process.drainOutput()
        guard !process.stdio.hasEnded else { return body() }
        var isSettled = false
        let finish = {
            guard !isSettled else { return }
            isSettled = true
            body()
        }
        let alarm = loop.after(milliseconds: Self.lingerMilliseconds, finish)
        process.stdio.onEnd = { [unowned self] in
            loop.cancel(alarm)
            finish()
        }
    }

    private func recordEnd(_ process: SupervisedProcess, _ ended: ChildStatus) {
        oomWatch?.look()
        let exit = ShimExit(
            code: ended.code, nanosecondsSinceEpoch: ended.time.nanosecondsSinceEpoch,
            oomKilled: oomWatch?.hasKilled ?? false)
        process.closeLog()
        network?.close()
        do {
            // A fact of this boot: nobody asks for it after a power cut, so it need not be on the disk.
            try directory.write(ExitRecord.fileName, ExitRecord(exit).json)
        } catch {
            // The report still goes out: an engine that is there can write it down itself.
            Diagnostics.note("write the exit record: \(error)")
        }
        oomWatch = nil
        self.exit = exit
        status = .stopped
        report(.exited(exit))
        process.endOutput()
        endIfUnreachable()
    }

    func delete(_ answer: @escaping Answer) throws(ShimFailure) {
        if status == .empty, operation == nil { return leave(answer, .success(.done)) }
        try begin("remove", from: [.stopped])
        runtime.call(.delete) { [unowned self] result in
            operation = nil
            guard case .success = result else { return answer(result.map { .done }) }
            for cgroup in cgroups.directories { CgroupMembers.remove(cgroup.path) }
            leave(answer, .success(.done))
        }
    }

    /// Ends the shim of a container that has ended, where its directory is gone: nobody can come any more to ask or to say
    /// that it shall go. What else is left is for the engine to remove, which may have made the container anew by now.
    func endIfUnreachable() {
        guard status == .stopped, operation == nil, clients.isEmpty, !directory.isInPlace else { return }
        Diagnostics.note("the directory is gone: ending")
        loop.end()
    }

    /// Removes the shim's directory, answers, and ends the shim as soon as the answer is out and all output is with those
    /// who are attached, however slowly they read. The mounts go with its namespace.
    func leave(_ answer: Answer, _ result: Result<ShimAnswer, ShimFailure>) {
        isLeaving = true
        directory.removeAll()
        // The container may be made anew, on the same root, before the last reader is through.
        if clients.contains(where: { $0.attachment != nil }) { RootMounts.detach(task.rootMounts) }
        answer(result)
        for client in clients {
            client.closeWhenFlushed()
            client.pump()
        }
        // A client that does not read its answer must not keep the shim.
        loop.after(milliseconds: clients.isEmpty ? 0 : 2000) { [unowned self] in
            for client in clients where client.attachment == nil { client.close() }
            if clients.isEmpty { loop.end() }
        }
    }
}
