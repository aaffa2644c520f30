import CLinux
import Glibc
import Linux

/// A container's process that the runtime waits for: signals are passed on to it, and its terminal, if it has one, is
/// joined with the runtime's own.
final class ForegroundProcess {
    /// What the process's side sends the terminal's near end to; nil where it has none.
    let consoleForProcess: Descriptor?
    /// Who is to be told that the process is ready, and where it says so.
    var notify: (manager: NotifySocket, socket: Descriptor?)?
    private let arrival: Descriptor?
    /// From the beginning: what comes while the process is made is passed on once it runs.
    private let signals: SignalFD
    private var proxy: TerminalProxy?

    /// - Parameter socket: the path of a console socket, to which the terminal is given away instead.
    init(terminal: Bool, _ socket: String?) throws(RuntimeError) {
        if let socket {
            guard terminal else {
                throw RuntimeError("cannot use console socket if \(Invocation.program) will not detach or allocate tty")
            }
            (consoleForProcess, arrival) = (try ConsoleSocket.connect(socket), nil)
        } else if terminal {
            let (near, far) = try ConsoleSocket.pair()
            (consoleForProcess, arrival) = (far, near)
        } else {
            (consoleForProcess, arrival) = (nil, nil)
        }
        signals = try attempt { () throws(KernelError) in try SignalFD(blockingAllBut: Self.own) }
    }

    /// Takes the near end, which the process has sent by now.
    func takeTerminal() throws(RuntimeError) {
        consoleForProcess?.close()
        guard let arrival else { return }
        proxy = try attempt("unable to take the terminal") { () throws(KernelError) in
            TerminalProxy(master: try UnixSocket.receiveDescriptor(arrival))
        }
        arrival.close()
    }

    /// Waits for a child of this process; its exit code, or 128 + signal.
    func wait(pid: Int32) throws(RuntimeError) -> Int32 {
        try attempt { () throws(KernelError) in
            let process = OwnedDescriptor(try PidFD.open(pid: pid))
            try proxy?.begin()
            defer { proxy?.end() }
            while true {
                let ended = try turn(process.descriptor)
                if ended { break }
            }
            return try PidFD.reap(process.descriptor)
        }
    }

    /// Those that are not passed on: that cannot be caught, those of this process's own faults, and what its children, its
    /// terminal and its readers tell it.
    private static let own: [Int32] = [
        SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGCHLD, SIGTTIN, SIGTTOU,
        SIGPIPE, SIGURG,
    ]

    /// One wait for whatever comes first; whether the process has ended.
    private func turn(_ process: Descriptor) throws(KernelError) -> Bool {
        let hasEnded = proxy == nil && notify == nil ? try waitForSignal(or: process) : try waitForAny(process)
        while let signal = signals.next() {
            if signal == SIGWINCH { proxy?.resize() } else { forward(signal, to: process) }
        }
        proxy?.transfer()
        passReadiness(of: process)
        return hasEnded
    }

    /// Of most processes there is nothing else to wait for. A list of entries is a type that Swift's runtime would make.
    private func waitForSignal(or process: Descriptor) throws(KernelError) -> Bool {
        var entries = (Self.entry(process), Self.entry(signals.descriptor))
        try kernelCall("poll") {
            withUnsafeMutableBytes(of: &entries) { bytes in
                poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, -1)
            }
        }
        return entries.0.revents != 0
    }

    private func waitForAny(_ process: Descriptor) throws(KernelError) -> Bool {
        var entries = [Self.entry(process), Self.entry(signals.descriptor)] + (proxy?.waitList() ?? [])
        if let socket = notify?.socket { entries.append(Self.entry(socket)) }
        try kernelCall("poll") { poll(&entries, nfds_t(entries.count), -1) }
        return entries[0].revents != 0
    }

    private static func entry(_ descriptor: Descriptor) -> pollfd {
        pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    }

    /// This program is the service's main process: it ends when the container does, with its code.
    private func passReadiness(of process: Descriptor) {
        guard let (manager, socket) = notify, let socket else { return }
        do throws(KernelError) {
            // This runtime stays, so it need not wait until the manager has read.
            guard let barrier = try manager.takeReady(from: socket, of: process, mainPID: getpid()) else { return }
            barrier.close()
        } catch {
            // A manager that cannot be told will say so itself; the container runs on.
        }
        socket.close()
        notify = nil
    }

    private func forward(_ signal: Int32, to process: Descriptor) {
        // A process that has just ended takes no signal, which the next turn notices.
        try? PidFD.send(signal, to: process)
    }
}

/// Copies between the runtime's own terminal (raw meanwhile) and the near end of the process's.
final class TerminalProxy {
    private let master: Descriptor
    private var saved = termios()
    private var isRaw = false
    private var isInputOpen = true
    private var isOutputOpen = true
    private var chunk = [UInt8](repeating: 0, count: 16384)
    /// Input that the terminal has not taken yet: nothing more is read until it has. A program that answers what it reads
    /// is kept from that while nobody reads its answers, so this process must never wait to write.
    private var pending: [UInt8] = []

    init(master: Descriptor) { self.master = master }

    func begin() throws(KernelError) {
        try master.setNonBlocking()
        resize()
        guard tcgetattr(0, &saved) == 0 else { return }
        var raw = saved
        cfmakeraw(&raw)
        isRaw = tcsetattr(0, TCSANOW, &raw) == 0
    }

    /// Takes what is left of the output and gives the terminal back as it was.
    func end() {
        var entry = pollfd(fd: master.rawValue, events: Int16(POLLIN), revents: 0)
        while isOutputOpen, poll(&entry, 1, 0) > 0 { copyOutput() }
        if isRaw { tcsetattr(0, TCSANOW, &saved) }
    }

    func resize() {
        // Without a terminal of our own the process's keeps its size.
        guard let size = try? PseudoTerminal.size(.standardInput) else { return }
        // As above.
        try? PseudoTerminal.setSize(master, columns: size.columns, rows: size.rows)
    }

    func waitList() -> [pollfd] {
        guard isOutputOpen else { return [] }
        let events = Int16(POLLIN) | (pending.isEmpty ? 0 : Int16(POLLOUT))
        var entries = [pollfd(fd: master.rawValue, events: events, revents: 0)]
        if isInputOpen, pending.isEmpty { entries.append(pollfd(fd: 0, events: Int16(POLLIN), revents: 0)) }
        return entries
    }

    func transfer() {
        var entries = waitList()
        guard poll(&entries, nfds_t(entries.count), 0) > 0 else { return }
        for entry in entries where entry.revents != 0 {
            guard entry.fd == master.rawValue else {
                takeInput()
                continue
            }
            if entry.revents & Int16(POLLOUT) != 0 { passInput() }
            if entry.revents & ~Int16(POLLOUT) != 0 { copyOutput() }
        }
    }

    private func copyOutput() {
        let count: Int
        do throws(KernelError) {
            count = try master.read(into: &chunk)
        } catch  where error.errno == .wouldBlock {
            return
        } catch {
            // EIO: the last process closed its end.
            count = 0
        }
        guard count > 0 else { return isOutputOpen = false }
        // A reader that went away must not keep the process from writing on.
        try? Descriptor.standardOutput.writeAll(Array(chunk[..<count]))
    }

    private func takeInput() {
        // A terminal that is gone has nothing more to say.
        if let count = try? Descriptor.standardInput.read(into: &chunk), count > 0 {
            pending = Array(chunk[..<count])
        } else {
            isInputOpen = false
            // The program reads the end of a file (VEOF, ctrl-D) where ours has ended.
            pending = [4]
        }
        passInput()
    }

    private func passInput() {
        do throws(KernelError) {
            let count = try master.write(pending, from: 0)
            pending.removeFirst(count)
        } catch  where error.errno == .wouldBlock {
            return
        } catch {
            // The other end may be closed: its end is noticed by the process's.
            pending = []
        }
    }
}
