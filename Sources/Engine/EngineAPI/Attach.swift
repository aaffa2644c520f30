import Linux

/// A terminal's size in character cells.
public struct TerminalSize: Hashable, Sendable, Codable {
    public var columns: UInt16
    public var rows: UInt16

    public init(columns: UInt16, rows: UInt16) {
        self.columns = columns
        self.rows = rows
    }
}

/// What an attach wants of a container's stdio.
public struct AttachRequest: Hashable, Sendable {
    public var stdin = false
    public var stdout = true
    public var stderr = true
    /// Replay what the log holds first.
    public var logs = false
    /// Stay for new output.
    public var stream = true
    /// The process waits where this reader is slow, as with docker; else the reader loses the oldest output. Not for a
    /// screen that watches: whoever stops it would stop the container.
    public var holdsBack: Bool
    /// Input comes from nobody but the process that hosts the engine: where that is killed nobody gives any more.
    public var isOfHost = false

    public init(stdin: Bool = false, stdout: Bool = true, stderr: Bool = true, holdsBack: Bool = false) {
        self.holdsBack = holdsBack
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
    }
}

/// What of a container says how its stdio is to be passed on.
public struct StdioFacts: Hashable, Sendable {
    public var id: String
    public var tty: Bool
    public var openStdin: Bool
    /// The first client that gave input ends it when it goes.
    public var stdinOnce: Bool

    public init(id: String, _ spec: borrowing ContainerSpec) {
        self.id = id
        (tty, openStdin, stdinOnce) = (spec.tty, spec.openStdin, spec.stdinOnce)
    }
}

/// A piece of what a process wrote.
public enum StreamChunk: Hashable, Sendable {
    /// Also all output of a tty.
    case stdout([UInt8])
    case stderr([UInt8])
    /// This reader was too slow: so many bytes were dropped here.
    case lost(byteCount: UInt64)

    /// How much of it is here.
    public var byteCount: Int {
        switch self {
        case .stdout(let bytes), .stderr(let bytes): bytes.count
        case .lost: 0
        }
    }
}

/// What has become of input that lies in a pipe.
public enum PassedInput: Hashable, Sendable {
    /// So many bytes have gone.
    case passed(byteCount: Int)
    /// There is none now.
    case nothingThere
    case ended
    /// It is to be read, and written.
    case notByThisWay
}

/// A socket of a client's, for another than who has it to read a process's input from as it is, or to write output to.
public struct LentSocket: Sendable {
    /// A duplicate, which who calls it closes; nil where the socket is closed.
    public let duplicate: @Sendable () -> Descriptor?

    public init(duplicate: @escaping @Sendable () -> Descriptor?) {
        self.duplicate = duplicate
    }
}

/// What stands before a piece of output that goes to a client: these bytes, and behind them the piece's size as four bytes,
/// the most significant first.
public struct OutputHeads: Hashable, Sendable {
    public let stdout: [UInt8]
    public let stderr: [UInt8]
    /// Pieces come one behind the other, with nothing between.
    public static let none = OutputHeads(stdout: [], stderr: [])

    public init(stdout: [UInt8], stderr: [UInt8]) {
        (self.stdout, self.stderr) = (stdout, stderr)
    }
}

/// An open connection to a process's stdio. Pull-driven: unread output waits in the shim's bounded ring, never here.
///
/// One task reads, one writes; they may be different ones. Dropping the last reference detaches.
public protocol AttachedStream: Sendable {
    /// The next output; nil when the process's output has ended. Returns or throws soon where its task is cancelled.
    func read() async throws(EngineError) -> StreamChunk?
    /// Gives input to the process; returns when the engine has taken it.
    func write(_ bytes: [UInt8]) async throws(EngineError)
    /// As `write`, of what lies in a pipe now, and without a copy.
    func passInput(from pipe: Descriptor) async throws(EngineError) -> PassedInput
    /// Has input in quantity come from a socket itself, by which it costs nobody between a copy: all that the other side
    /// sends, and the end of it; that the other side is gone is the end of this alone. Returns when that has come, or this
    /// stream is over; the socket's owner reads nothing meanwhile, and output has to be read on. Once for a stream.
    ///
    /// - Returns: false, and nothing is done, where the stream has no such way.
    func takeInput(from socket: LentSocket) async throws(EngineError) -> Bool
    /// Has output in quantity go to a socket itself, by which it costs nobody between a copy. Asked for by who reads, between
    /// two pieces: `read` then still gives what comes before, and whoever calls it again has written all of that to the
    /// socket; later calls wait for the end of the output, and the socket's owner writes nothing meanwhile.
    ///
    /// - Returns: false, and nothing is done, where the stream has no such way, or not now; true once for a stream.
    func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool
    /// Ends the process's standard input, as ctrl-d at the start of a line does for a terminal.
    func closeInput() async throws(EngineError)
    /// Detaches; the process goes on. `read` returns nil then.
    func close() async
}

extension AttachedStream {
    public func passInput(from pipe: Descriptor) async throws(EngineError) -> PassedInput { .notByThisWay }
    public func takeInput(from socket: LentSocket) async throws(EngineError) -> Bool { false }
    public func giveOutput(to socket: LentSocket, _ heads: OutputHeads) async -> Bool { false }
}

/// A further process in a running container.
public struct ExecSpec: Hashable, Sendable, Codable {
    public var command: [String]
    public var environment: [String] = []
    public var workingDirectory: String?
    public var user: String?
    public var tty = false
    /// Of the pseudo terminal, where the start says nothing of it.
    public var consoleSize: TerminalSize?
    public var attachStdin = false
    public var attachStdout = true
    public var attachStderr = true
    public var privileged = false
    /// The keys that end an attachment, as docker writes them (`ctrl-p,ctrl-q`); nil for those.
    public var detachKeys: String?

    public init(command: [String]) { self.command = command }
}

public struct ExecDetails: Hashable, Sendable {
    public var id: String
    public var containerID: String
    public var spec: ExecSpec
    public var running: Bool
    /// Nil until it has ended.
    public var exitCode: Int32?
    /// In the host's pid namespace; 0 before the start.
    public var pid: Int32

    public init(id: String, containerID: String, spec: ExecSpec, running: Bool, exitCode: Int32?, pid: Int32) {
        self.id = id
        self.containerID = containerID
        self.spec = spec
        self.running = running
        self.exitCode = exitCode
        self.pid = pid
    }
}
