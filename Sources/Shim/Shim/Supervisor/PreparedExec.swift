import Linux
import ShimAPI

/// A runtime that was started for an exec before that was asked for. It reads all that it needs to know of the container,
/// and, as soon as somebody knows what is likely to be run, it takes on that process's rights and waits; nothing is left
/// then but to make the process.
///
/// ```
///   engine                shim                          runtime
///     │                     ├── started ─────────────────►│  state, configuration, filter are read
///     ├── prepareExec ─────►│  which exec it is for       │
///     ├── prepareProcess ──►├── document, its end ───────►│  the container is entered
///     ├── exec ────────────►├── a byte ──────────────────►│  the process is made
///     │◄────── process ─────┤◄──────────────────── pid ───┤
/// ```
///
/// The runtime itself may have ended by then, and what waits be a process that it has left in the container: which of the two
/// says the pid is all the same, and where neither does the socket ends.
///
/// It is started when the exec is foretold or, since one exec is often followed by another, behind the end of the one
/// before; until it has a document, nothing of it is in the container.
///
/// What is prepared is never heard of: where it fails, or turns out to be for another process than is asked for, the runtime
/// is started anew. Where no exec comes the socket ends without a word, and the runtime with it.
final class PreparedExec {
    enum End {
        case started(pid: Int32)
        /// To be done anew, with the same stdio.
        case useless
    }

    /// What is left then is no more than an execution, which a file system that does not answer may hold up.
    private static let makingMilliseconds: Int64 = 120_000

    let form: ExecForm
    let launch: ExecLaunch
    private let loop: EventLoop
    private let document: InputQueue
    private let hold: Descriptor
    private var watch: EventLoop.Watch?
    private var alarm: EventLoop.Alarm?
    private var process: [UInt8]?
    private var answer: [UInt8] = []
    private var isOver = false
    private var hasRuntimeEnded = false
    private var completion: ((End) -> Void)?

    /// - Parameters:
    ///   - document: to the pipe at whose other end the runtime reads.
    ///   - hold: the near end of the socket at which it waits.
    init(
        _ form: ExecForm, _ launch: ExecLaunch, loop: EventLoop, document: InputQueue, hold: Descriptor
    ) throws(KernelError) {
        self.form = form
        self.launch = launch
        self.loop = loop
        self.document = document
        self.hold = hold
        try hold.setNonBlocking()
        watch = try loop.watch(hold, .readable) { [unowned self] _ in hear() }
    }

    deinit { giveUp() }

    /// The exec that it is for; nil as long as that is whichever comes next.
    var id: String? { launch.process.execID }

    /// Calls `body` unless the process is asked for, or given up, before; a time that was set before counts no more.
    func expire(afterMilliseconds milliseconds: Int64, _ body: @escaping () -> Void) {
        loop.cancel(alarm)
        alarm = loop.after(milliseconds: milliseconds, body)
    }

    /// Lets the runtime go on up to the last step of this process.
    func prepare(_ process: [UInt8]) {
        guard self.process == nil else { return }
        self.process = process
        document.write(process)
        document.end()
    }

    /// Has the process made; `completion` is called once.
    func run(_ process: [UInt8], _ completion: @escaping (End) -> Void) {
        loop.cancel(alarm)
        prepare(process)
        guard !isOver, self.process == process, release() else {
            stop()
            return completion(.useless)
        }
        self.completion = completion
        expire(afterMilliseconds: Self.makingMilliseconds) { [unowned self] in settle(.useless) }
    }

    private func release() -> Bool {
        // Whoever waited there may be gone.
        (try? UnixSocket.send(hold, [UInt8(ascii: "1")], from: 0)) == 1
    }

    private func hear() {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count: Int
        do throws(KernelError) { count = try hold.read(into: &buffer) } catch {
            if error.errno == .wouldBlock { return }
            count = 0
        }
        guard count > 0 else {
            stopWatching()
            // An end without a word. The runtime's own comes next, if it is yet to come.
            if hasRuntimeEnded { settle(.useless) }
            return
        }
        answer += buffer[..<count]
        guard answer.last == UInt8(ascii: "\n"), let pid = Int32(String(decoding: answer.dropLast(), as: UTF8.self)),
            pid > 0
        else { return }
        settle(.started(pid: pid))
    }

    /// The runtime has ended, if need be before anybody wanted it. What it has said before may not have been heard yet.
    /// Where it has failed, it has left nothing that waits.
    func runtimeEnded(_ result: Result<Void, ShimFailure>) {
        hasRuntimeEnded = true
        if watch != nil { hear() }
        if case .success = result, watch != nil { return }
        settle(.useless)
    }

    private func settle(_ end: End) {
        guard !isOver else { return }
        stop()
        completion?(end)
        completion = nil
    }

    /// Nobody wants it, whatever has become of it.
    func giveUp() { stop() }

    private func stop() {
        guard !isOver else { return }
        isOver = true
        loop.cancel(alarm)
        stopWatching()
        document.close()
        hold.close()
    }

    private func stopWatching() {
        if let watch { loop.forget(watch) }
        watch = nil
    }
}
