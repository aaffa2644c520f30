import Linux
import ShimAPI

/// What a runtime is given for an exec besides the process's document.
struct ExecLaunch {
    let process: SupervisedProcess
    /// Of its files in the shim's directory.
    let name: String
    let pidFile: String
    let console: ConsoleSocket?
    /// What becomes descriptor 0, 1 and 2.
    let descriptors: [Descriptor?]
}

/// A runtime that was started for an exec before that was asked for: by then it has read all that it needs to know of the
/// container, and waits for the process's document.
///
/// ```
///   engine               shim                         runtime
///     ├── prepareExec ────►├── started ────────────────►│  state, configuration, filter are read
///     ├── exec ───────────►├── document, its end ──────►│  the process is made
///     │◄───── process ─────┤◄────────────────── ended ──┤
/// ```
///
/// Nothing of it is in the container. Where no exec comes the document ends without a word, and the runtime with it.
final class PreparedExec {
    let id: String
    let launch: ExecLaunch
    private let terminal: Bool
    private let input: ShimInput
    private let document: InputQueue
    private var result: Result<Void, ShimFailure>?
    private var completion: RuntimeCaller.Completion?

    /// - Parameter document: to the pipe at whose other end the runtime reads.
    init(_ id: String, _ launch: ExecLaunch, terminal: Bool, input: ShimInput, document: InputQueue) {
        self.id = id
        self.launch = launch
        self.terminal = terminal
        self.input = input
        self.document = document
    }

    /// Whether what was opened is what the exec wants.
    func fits(_ exec: ShimExec) -> Bool { exec.terminal == terminal && exec.input == input }

    /// Lets the runtime go on; `completion` is called once it has ended.
    func run(_ process: [UInt8], _ completion: @escaping RuntimeCaller.Completion) {
        if let result { return completion(result) }
        self.completion = completion
        document.write(process)
        document.end()
    }

    /// The runtime has ended, if need be before anybody wanted it.
    func ended(_ result: Result<Void, ShimFailure>) {
        if let completion { completion(result) } else { self.result = result }
    }

    func giveUp() { document.close() }
}

extension ContainerSupervisor {
    /// How long an exec is awaited. The next request of docker's clients comes after two milliseconds.
    private static var preparedMilliseconds: Int64 { 5000 }

    /// Starts the runtime for an exec, unless one waits already: who prepares many starts few of them. Whatever is in the
    /// way is met by the exec itself, too, and told there.
    func prepareExec(_ id: String, terminal: Bool, input: ShimInput) {
        guard runtime.readsProcessLast, status == .running, operation == nil, prepared == nil, execs[id] == nil else {
            return
        }
        let process = makeProcess(execID: id)
        execs[id] = process
        do {
            let launch = try openLaunch(of: process, terminal: terminal, input: input)
            let (reading, writing) = try Descriptor.pipe()
            defer { reading.close() }
            let document = InputQueue(loop)
            try writing.setNonBlocking()
            document.open(writing, isTerminal: false)
            let begun = PreparedExec(id, launch, terminal: terminal, input: input, document: document)
            prepared = begun
            run(launch, processFile: "/proc/self/fd/\(launch.descriptors.count)", launch.descriptors + [reading]) {
                begun.ended($0)
            }
            loop.after(milliseconds: Self.preparedMilliseconds) { [weak self, weak begun] in
                // Who has attached is about to start it, or will leave.
                guard let self, let begun, prepared === begun, process.attachments.isEmpty else { return }
                dropExec(process)
            }
        } catch { dropExec(process) }
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
