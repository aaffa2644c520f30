import CLinux
import Glibc
import Linux

/// Where a created container waits for `start`: its init process listens on a socket in the container's directory.
///
/// ```
///   start                               init
///     ├── connect ─────────────────────►│  accept
///     ├── 's' ─────────────────────────►│  (a connection without it only asked whether anybody waits)
///     │◄───────────────────────── 'r' ──┤  running: hooks done, the program is executed next
///     │◄──────────────────── 'e' text ──┤  or: why it will not be
///     │◄───────────────── end of file ──┤  the program was executed, which closed the socket
/// ```
///
/// gantry-shim says it by itself where a container has no hooks for `start` to run: what is said here is a protocol between
/// programs.
///
/// A frozen process does not hear. Who asked gives up then by closing the connection, and is not obeyed later.
///
/// Whoever may trace init, in a pid namespace that is shared, can take copies of its sockets (pidfd_getfd(2)): then the end of
/// file does not come when init lets go of its own. So where nothing is heard, the kernel is asked what init does.
///
/// The process of a `run` has no gate: the runtime that made it says start over their own channel.
///
/// A process that has ended listens no more, so `start` can never wait for one; and whether a container is created or
/// running is told by the kernel, not by a file that somebody forgot to remove.
enum StartGate {
    static func listen(in directory: Descriptor) throws(KernelError) -> Descriptor {
        try UnixSocket.listen(in: directory, name: StartGateWords.socketName, mode: 0o600)
    }

    // MARK: The side of init

    /// Returns the connection of who said start.
    static func awaitStart(_ listener: Descriptor) throws(KernelError) -> Descriptor {
        while true {
            try waitReadable(listener)
            let connection: Descriptor
            do throws(KernelError) {
                connection = try UnixSocket.accept(listener)
            } catch  where error.errno == .wouldBlock || error.errno == Errno(rawValue: ECONNABORTED) {
                continue
            }
            if try readByte(connection) == StartGateWords.start, !hasHungUp(connection) { return connection }
            connection.close()
        }
    }

    static func tellRunning(_ connection: Descriptor) {
        // Who asked may be gone; the container starts all the same.
        say([StartGateWords.running], to: connection)
    }

    static func tellFailure(_ connection: Descriptor, _ message: String) {
        say([StartGateWords.failed] + message.utf8.prefix(8000), to: connection)
    }

    private static func say(_ bytes: [UInt8], to connection: Descriptor) {
        bytes.withUnsafeBytes { _ = SyncChannel.write($0, to: connection) }
    }

    // MARK: The side of the runtime

    /// Whether a process waits to be started.
    static func isWaiting(in directory: String) -> Bool {
        guard let connection = connect(in: directory) else { return false }
        connection.close()
        return true
    }

    /// Lets the container's program run; returns once it does.
    ///
    /// - Parameters:
    ///   - isPaused: asked where init takes its time.
    ///   - isOver: asked as well: whether init has executed the program, or ended.
    static func start(
        in directory: String, unless isPaused: () -> Bool, until isOver: () -> Bool
    ) throws(RuntimeError) {
        guard let connection = connect(in: directory) else {
            throw RuntimeError("cannot start an already running container")
        }
        defer { connection.close() }
        var byte = StartGateWords.start
        _ = send(connection.rawValue, &byte, 1, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var chunk = [UInt8](zeros: 4096)
        while answer.count < StartGateWords.answerLimitBytes {
            let count = try attempt { () throws(KernelError) in try hear(connection, &chunk) }
            if let count {
                if count == 0 { break }
                answer += chunk[..<count]
            } else if isOver() {
                break
            } else if isUnread(connection), isPaused() {
                // Once init has taken the word it will obey it, also where it is paused just then.
                throw RuntimeError("cannot start a container in the paused state")
            }
        }
        switch answer.first {
        case StartGateWords.running: return
        case StartGateWords.failed: throw RuntimeError(String(decoding: answer.dropFirst(), as: UTF8.self))
        default: throw RuntimeError("cannot start an already running container")
        }
    }

    /// What was said within a moment, up to the end, 0; nil where nothing was.
    private static func hear(_ connection: Descriptor, _ chunk: inout [UInt8]) throws(KernelError) -> Int? {
        guard try waitReadable(connection, timeoutMilliseconds: momentMilliseconds) else { return nil }
        do throws(KernelError) {
            return try connection.read(into: &chunk)
        } catch  where error.errno == Errno(rawValue: ECONNRESET) {
            // The process has ended with the word unread.
            return 0
        }
    }

    /// The same for the process that waits at the channel of the runtime that made it.
    static func start(over channel: SyncChannel, until isOver: () -> Bool) throws(RuntimeError) {
        defer { channel.socket.close() }
        var answer: SyncMessage?
        do throws(KernelError) {
            try channel.send(.proceed)
            // To the end: then the program is executed. The first word alone counts: after it, whoever inside may look into
            // the process could speak in its name.
            while true {
                guard try waitReadable(channel.socket, timeoutMilliseconds: momentMilliseconds) else {
                    if isOver() { break }
                    continue
                }
                guard let message = try channel.receive() else { break }
                answer = answer ?? message
            }
        } catch {
            // A process that has ended has left what was sent to it unread.
            let isEnd = error.errno == .brokenPipe || error.errno == Errno(rawValue: ECONNRESET)
            guard isEnd else { throw RuntimeError(error) }
        }
        switch answer {
        case .ready: return
        case .failed(let reason): throw RuntimeError(reason)
        default: throw RuntimeError("cannot start a container that has stopped")
        }
    }

    /// How long an answer is waited for before the kernel is asked.
    private static let momentMilliseconds: Int32 = 200

    private static func connect(in path: String) -> Descriptor? {
        do throws(KernelError) {
            let directory = OwnedDescriptor(try Descriptor.open(path, O_PATH | O_DIRECTORY))
            return try UnixSocket.connect(in: directory.descriptor, name: StartGateWords.socketName)
        } catch {
            // Nobody listens: no such socket, or nobody behind it.
            return nil
        }
    }

    /// Whether it is so within the time; -1 waits without end.
    @discardableResult
    private static func waitReadable(
        _ socket: Descriptor, timeoutMilliseconds: Int32 = -1
    ) throws(KernelError) -> Bool {
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        return try kernelCall("poll") { poll(&entry, 1, timeoutMilliseconds) } > 0
    }

    /// Whether the other end was closed.
    private static func hasHungUp(_ connection: Descriptor) -> Bool {
        var entry = pollfd(fd: connection.rawValue, events: 0, revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Whether what was sent lies unread at the other end.
    private static func isUnread(_ connection: Descriptor) -> Bool {
        var count: Int32 = 0
        return gantry_ioctl_pointer(connection.rawValue, UInt(TIOCOUTQ), &count) == 0 && count > 0
    }

    private static func readByte(_ connection: Descriptor) throws(KernelError) -> UInt8? {
        try waitReadable(connection)
        var byte: UInt8 = 0
        do throws(KernelError) {
            return try kernelCall("read") { read(connection.rawValue, &byte, 1) } == 1 ? byte : nil
        } catch {
            return nil
        }
    }
}

/// Who says start to a process that waits for it, and is told what came of it.
enum StartCaller {
    /// `start`, by its connection to the gate.
    case command(Descriptor)
    /// `run`, which made the process.
    case maker(SyncChannel)

    func tellRunning() {
        switch self {
        case .command(let connection): StartGate.tellRunning(connection)
        // As there: who asked may be gone.
        case .maker(let channel): try? channel.send(.ready)
        }
    }

    func tellFailure(_ message: String) {
        switch self {
        case .command(let connection): StartGate.tellFailure(connection, message)
        // As above.
        case .maker(let channel): try? channel.send(.failed(message))
        }
    }
}
