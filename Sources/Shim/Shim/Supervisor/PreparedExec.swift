import Linux
import ShimAPI

/// A runtime that was started for an exec before that was asked for. It reads all that it needs to know of the container,
/// and, as soon as somebody knows what is likely to be run, it takes on that process's rights and waits; nothing is left
/// then but to make the process.
///
/// ```
///   engine                shim                          runtime
///     ├── prepareExec ─────►├── started ─────────────────►│  state, configuration, filter are read
///     ├── prepareProcess ──►├── document, its end ───────►│  the container is entered
///     ├── exec ────────────►├── a byte ──────────────────►│  the process is made
///     │◄────── process ─────┤◄──────────────────── pid ───┤
/// ```
///
/// What is prepared is never heard of: where it fails, or turns out to be for another process than is asked for, the runtime
/// is started anew. Where no exec comes the socket ends without a word, and the runtime with it.
final class PreparedExec {
    enum End {
        case started(pid: Int32)
        /// To be done anew, with the same stdio.
        case useless
    }

    let id: String
    let launch: ExecLaunch
    private let terminal: Bool
    private let input: ShimInput
    private let loop: EventLoop
    private let document: InputQueue
    private let hold: Descriptor
    private var watch: EventLoop.Watch?
    private var process: [UInt8]?
    private var answer: [UInt8] = []
    private var isOver = false
    private var completion: ((End) -> Void)?

    /// - Parameters:
    ///   - document: to the pipe at whose other end the runtime reads.
    ///   - hold: the near end of the socket at which it waits.
    init(
        _ id: String, _ launch: ExecLaunch, terminal: Bool, input: ShimInput, loop: EventLoop, document: InputQueue,
        hold: Descriptor
    ) throws(KernelError) {
        self.id = id
        self.launch = launch
        self.terminal = terminal
        self.input = input
        self.loop = loop
        self.document = document
        self.hold = hold
        try hold.setNonBlocking()
        watch = try loop.watch(hold, .readable) { [unowned self] _ in hear() }
    }

    deinit { giveUp() }

    /// Whether what was opened is what the exec wants.
    func fits(_ exec: ShimExec) -> Bool { exec.terminal == terminal && exec.input == input }

    /// Lets the runtime go on up to the last step of this process.
    func prepare(_ process: [UInt8]) {
        guard self.process == nil else { return }
        self.process = process
        document.write(process)
        document.end()
    }

    /// Has the process made; `completion` is called once.
    func run(_ process: [UInt8], _ completion: @escaping (End) -> Void) {
        prepare(process)
        guard !isOver, self.process == process, release() else {
            giveUp()
            return completion(.useless)
        }
        self.completion = completion
    }

    private func release() -> Bool {
        // Whoever waited there may be gone.
        (try? UnixSocket.send(hold, [UInt8(ascii: "1")], from: 0)) == 1
    }

    private func hear() {
        var buffer = [UInt8](repeating: 0, count: 64)
        // An end without a word: the runtime's own comes next.
        guard let count = try? hold.read(into: &buffer), count > 0 else { return stopWatching() }
        answer += buffer[..<count]
        guard answer.last == UInt8(ascii: "\n"), let pid = Int32(String(decoding: answer.dropLast(), as: UTF8.self)),
            pid > 0
        else { return }
        settle(.started(pid: pid))
    }

    /// The runtime has ended, if need be before anybody wanted it. What it has said before may not have been heard yet.
    func ended() {
        if !isOver { hear() }
        settle(.useless)
    }

    private func settle(_ end: End) {
        guard !isOver else { return }
        giveUp()
        completion?(end)
        completion = nil
    }

    func giveUp() {
        guard !isOver else { return }
        isOver = true
        stopWatching()
        document.close()
        hold.close()
    }

    private func stopWatching() {
        if let watch { loop.forget(watch) }
        watch = nil
    }
}

extension ContainerSupervisor {
    /// How long an exec is awaited. The next request of docker's clients comes after two milliseconds.
    private static var preparedMilliseconds: Int64 { 5000 }

    /// Starts the runtime for an exec, unless one waits already: who prepares many starts few of them. Whatever is in the
    /// way is met by the exec itself, too, and told there.
    func prepareExec(_ id: String, terminal: Bool, input: ShimInput) {
        guard runtime.isHeldUntilWanted, status == .running, operation == nil, prepared == nil, execs[id] == nil else {
            return
        }
        let process = makeProcess(execID: id)
        execs[id] = process
        do {
            let launch = try openLaunch(of: process, terminal: terminal, input: input)
            let begun = try begin(id, launch, terminal: terminal, input: input)
            prepared = begun
            loop.after(milliseconds: Self.preparedMilliseconds) { [weak self, weak begun] in
                // Who has attached is about to start it, or will leave.
                guard let self, let begun, prepared === begun, process.attachments.isEmpty else { return }
                dropExec(process)
            }
        } catch { dropExec(process) }
    }

    private func begin(
        _ id: String, _ launch: ExecLaunch, terminal: Bool, input: ShimInput
    ) throws(KernelError) -> PreparedExec {
        let (near, far) = try UnixSocket.pair()
        let hold = OwnedDescriptor(near)
        defer { far.close() }
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        let document = InputQueue(loop)
        document.open(writing, isTerminal: false)
        try writing.setNonBlocking()
        let begun = try PreparedExec(
            id, launch, terminal: terminal, input: input, loop: loop, document: document, hold: hold.release())
        let count = launch.descriptors.count
        run(
            .heldExec(
                processFile: "/proc/self/fd/\(count)", hold: count + 1, consoleSocket: launch.console?.path),
            launch.descriptors + [reading, far]
        ) { _ in begun.ended() }
        return begun
    }

    /// What is likely to be asked for as this exec.
    func prepareProcess(of id: String, _ process: [UInt8]) {
        guard let prepared, prepared.id == id else { return }
        prepared.prepare(process)
    }

    /// The runtime that was started for this exec.
    func takePrepared(for exec: ShimExec) -> PreparedExec? {
        guard let begun = prepared, begun.id == exec.id else { return nil }
        guard begun.fits(exec) else {
            dropExec(begun.launch.process)
            return nil
        }
        prepared = nil
        return begun
    }

    /// No exec comes.
    func endPrepared() {
        prepared?.giveUp()
        prepared = nil
    }
}
