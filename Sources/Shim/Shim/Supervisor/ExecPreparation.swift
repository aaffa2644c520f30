import Linux
import ShimAPI

/// Runtimes that are started before an exec is asked for: one at most, for the exec that somebody has foretold, or for the
/// one that follows it.
extension ContainerSupervisor {
    /// How long an exec is awaited. The second request of docker's clients comes two milliseconds after the first; whoever
    /// runs one command after another, by hand even, mostly comes within this time.
    private static var patienceMilliseconds: Int64 { 5000 }
    /// What the client of an exec that has ended still has to do, and is not to share the processors for.
    private static var farewellMilliseconds: Int64 { 10 }

    /// Gives the exec the runtime that waits for whichever comes next, or starts one, unless one waits for another exec: who
    /// prepares many starts few of them. Whatever is in the way is met by the exec itself, too, and told there.
    func prepareExec(_ id: String, _ form: ExecForm) {
        guard mayPrepare, execs[id] == nil else { return }
        if let prepared {
            guard prepared.id == nil else { return }
            if prepared.form != form { dropPrepared() }
        }
        guard let begun = prepared ?? begin(form) else { return }
        let process = begun.launch.process
        process.become(id, foretold: form)
        execs[id] = process
        begun.expire(afterMilliseconds: Self.patienceMilliseconds) { [weak self, weak process] in
            // Who has attached is about to start it, or will leave.
            guard let self, let process, process.attachments.isEmpty else { return }
            dropExec(process)
        }
    }

    /// Starts a runtime for whichever exec comes next, which is likely to be of this form.
    func prepareNext(_ form: ExecForm) {
        loop.after(milliseconds: Self.farewellMilliseconds) { [weak self] in
            // One that is being started will be followed by another when it ends.
            guard let self, mayPrepare, prepared == nil, startingExecs.isEmpty else { return }
            begin(form)?.expire(afterMilliseconds: Self.patienceMilliseconds) { [weak self] in self?.dropPrepared() }
        }
    }

    private var mayPrepare: Bool {
        runtime.isHeldUntilWanted && status == .running && operation == nil && initial?.isReaped == false
    }

    /// Nil where no runtime can be started.
    private func begin(_ form: ExecForm) -> PreparedExec? {
        let process = makeProcess(.exec(nil))
        do throws(KernelError) {
            try begin(form, try openLaunch(of: process, form))
        } catch { process.endOutput() }
        return prepared
    }

    private func begin(_ form: ExecForm, _ launch: ExecLaunch) throws(KernelError) {
        let (near, far) = try UnixSocket.pair()
        let hold = OwnedDescriptor(near)
        defer { far.close() }
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        let document = InputQueue(loop)
        document.open(writing, isTerminal: false)
        try writing.setNonBlocking()
        let begun = try PreparedExec(form, launch, loop: loop, document: document, hold: hold.release())
        prepared = begun
        let count = launch.descriptors.count
        runtime.call(
            .heldExec(processFile: "/proc/self/fd/\(count)", hold: count + 1, consoleSocket: launch.console?.path),
            descriptors: launch.descriptors + [reading, far]
        ) { [weak self] result in
            begun.runtimeEnded(result)
            // One that an exec has is asked for, and found to be of no use.
            if let self, prepared === begun, begun.id == nil { dropPrepared() }
        }
    }

    /// What is likely to be asked for as this exec.
    func prepareProcess(of id: String, _ process: [UInt8]) {
        guard let prepared, prepared.id == id else { return }
        prepared.prepare(process)
    }

    /// The runtime that was started for this exec.
    func takePrepared(for exec: ShimExec) -> PreparedExec? {
        guard let begun = prepared, begun.id == exec.id else { return nil }
        guard begun.form == ExecForm(exec) else {
            dropExec(begun.launch.process)
            return nil
        }
        prepared = nil
        return begun
    }

    /// No exec comes.
    func dropPrepared() {
        guard let begun = prepared else { return }
        prepared = nil
        begun.giveUp()
        begun.launch.process.endOutput()
        dropExec(begun.launch.process)
    }
}
