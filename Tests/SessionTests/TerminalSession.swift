import Emulator
import Glibc
import Linux
import Terminal

/// A program on a pseudo terminal of its own, seen through the emulator: what a person at a terminal sees.
final class TerminalSession {
    let program: RunningProgram
    private let emulator: GridEmulator
    private let master: Descriptor
    private let before: termios
    /// Whether the terminal answers what it is asked; what it has not answered waits until it does again.
    var answers = true
    private var openAnswers: [UInt8] = []
    private(set) var receivedBytes = 0

    /// TIOCGPTN and TIOCSPTLCK, which the importer does not see.
    private static let getNumber: UInt = 0x8004_5430
    private static let setLock: UInt = 0x4004_5431

    init(_ command: [String], columns: Int, rows: Int, environment: [String]) throws {
        emulator = GridEmulator(size: Size(columns: columns, rows: rows))
        master = try Descriptor.open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var number: Int32 = 0
        var isLocked: Int32 = 0
        let descriptor = master.rawValue
        try kernelCall("name the terminal") { ioctl(descriptor, Self.getNumber, &number) }
        try kernelCall("unlock the terminal") { ioctl(descriptor, Self.setLock, &isLocked) }
        let name = "/dev/pts/\(number)"
        // Held open until the program has it: a terminal that nobody has open forgets its settings.
        let slave = OwnedDescriptor(try Descriptor.open(name, O_RDWR | O_NOCTTY))
        var settings = termios()
        tcgetattr(slave.descriptor.rawValue, &settings)
        before = settings
        try PseudoTerminal.setSize(master, columns: UInt16(columns), rows: UInt16(rows))
        program = RunningProgram(pid: try Self.spawn(command, on: name, environment), base: nil)
    }

    deinit {
        program.kill(SIGKILL)
        master.close()
    }

    /// By the shell's `exec`, after setsid(1) has made the terminal that of a new session.
    private static func spawn(_ command: [String], on terminal: String, _ environment: [String]) throws -> Int32 {
        var spawn = Spawn(
            program: "/bin/sh", arguments: ["sh", "-c", "exec \"$@\" <\(terminal) >\(terminal) 2>&1", "sh"] + command)
        spawn.environment = environment
        spawn.newSession = true
        return try spawn.start()
    }

    var rows: [String] { (0..<emulator.size.rows).map { emulator.text(ofLine: emulator.liveStart + $0) } }

    func shows(_ text: String) -> Bool { rows.contains { $0.contains(text) } }

    func type(_ text: String) { type(Array(text.utf8)) }

    func type(_ bytes: [UInt8]) {
        // The program has ended: the test's next look says so.
        try? master.writeAll(bytes)
    }

    func resize(columns: Int, rows: Int) throws {
        try PseudoTerminal.setSize(master, columns: UInt16(columns), rows: UInt16(rows))
        emulator.resize(to: Size(columns: columns, rows: rows))
    }

    /// Reads what the program writes until the screen shows `text`.
    func wait(for text: String, seconds: Int = 20) -> Bool { wait(seconds: seconds) { shows(text) } }

    func wait(seconds: Int = 20, until isTrue: () -> Bool) -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        while !isTrue() {
            guard clock.now < end else { return false }
            pump()
        }
        return true
    }

    /// Reads what comes within a moment.
    func pump(milliseconds: Int32 = 50) {
        sendAnswers()
        var entry = pollfd(fd: master.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, milliseconds) > 0 else { return }
        guard entry.revents & Int16(POLLIN) != 0 else {
            // Hung up: nothing more will come, so do not spin.
            _ = poll(nil, 0, milliseconds)
            return
        }
        var chunk = [UInt8](repeating: 0, count: 65536)
        // EIO: the last process has closed the terminal.
        guard let count = try? master.read(into: &chunk), count > 0 else { return }
        receivedBytes += count
        emulator.feed(chunk[..<count])
        openAnswers += emulator.takeOutput()
        sendAnswers()
    }

    private func sendAnswers() {
        guard answers, !openAnswers.isEmpty else { return }
        type(openAnswers)
        openAnswers = []
    }

    /// The program's exit code; nil where it does not end in time. What it writes is read meanwhile.
    func ended(withinSeconds seconds: Int = 20) -> Int32? {
        var code: Int32?
        _ = wait(seconds: seconds) {
            code = program.ended(withinSeconds: 0)
            return code != nil
        }
        for _ in 0..<3 { pump() }
        return code
    }

    /// Whether the terminal's settings are what they were before the program began.
    var isRestored: Bool {
        var now = termios()
        guard tcgetattr(master.rawValue, &now) == 0 else { return false }
        return now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag
    }
}
