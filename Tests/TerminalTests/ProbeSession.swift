import Emulator
import Glibc
import Terminal

/// `terminal-probe` on a pseudo-terminal of its own, seen through the emulator: what a person at a terminal would see.
final class ProbeSession {
    let emulator: GridEmulator
    /// All bytes that the probe wrote.
    private(set) var output: [UInt8] = []
    let settingsBefore: termios
    private var master: Int32
    /// TIOCGPTN and TIOCSPTLCK, which Swift does not see.
    private static let getNumber: UInt = 0x8004_5430
    private static let setLock: UInt = 0x4004_5431
    private let slaveName: String
    private(set) var pid: pid_t = 0
    private(set) var exitStatus: Int32?
    /// Whether the terminal answers what it is asked; what it has not answered is kept.
    var answers = true
    private var openAnswers: [UInt8] = []

    /// - Parameter script: for a shell to run in place of the probe, whose path stands for `PROBE`.
    init(
        size: Size = Size(columns: 80, rows: 24), environment: [String: String], script: String? = nil
    ) throws {
        emulator = GridEmulator(size: size)
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var number: Int32 = 0
        var isLocked: Int32 = 0
        guard master >= 0, ioctl(master, Self.getNumber, &number) == 0, ioctl(master, Self.setLock, &isLocked) == 0
        else {
            throw ProbeFailure(what: "open a pseudo-terminal")
        }
        slaveName = "/dev/pts/\(number)"
        // Held open while the settings are read: a slave that nobody has open forgets them.
        let slave = open(slaveName, O_RDWR | O_NOCTTY)
        defer { close(slave) }
        var settings = termios()
        tcgetattr(slave, &settings)
        settingsBefore = settings
        setSize(size)
        let probe = try Self.executable()
        let command = script.map { ["/bin/sh", "-c", $0.replacing("PROBE", with: probe)] } ?? [probe]
        pid = try Self.spawn(command, on: slaveName, environment)
    }

    deinit {
        if exitStatus == nil {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        if master >= 0 { close(master) }
    }

    private static func spawn(
        _ command: [String], on slave: String, _ environment: [String: String]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Opened by the leader of a new session, it becomes that session's terminal.
        for descriptor: Int32 in 0...2 { posix_spawn_file_actions_addopen(&actions, descriptor, slave, O_RDWR, 0) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which Swift does not see.
        let flags = newSession | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var pid: pid_t = 0
        let variables = ["PATH=/usr/bin:/bin", "SWIFT_BACKTRACE=enable=no"] + environment.map { "\($0)=\($1)" }
        var pointers: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for pointer in pointers + arguments { free(pointer) } }
        let status = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &pointers)
        guard status == 0 else { throw ProbeFailure(what: "start the probe: \(String(cString: strerror(status)))") }
        return pid
    }

    /// Beside the test's own executable, where the build puts both.
    private static func executable() throws -> String {
        var path = [CChar](repeating: 0, count: 4096)
        for link in ["/proc/self/exe"] + (CommandLine.arguments.first.map { [$0] } ?? []) {
            let count = readlink(link, &path, 4095)
            let own =
                count > 0 ? String(decoding: path.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : link
            guard let slash = own.lastIndex(of: "/") else { continue }
            let probe = own[...slash] + "terminal-probe"
            if access(String(probe), X_OK) == 0 { return String(probe) }
        }
        // Where the test runs inside a tool of the toolchain, the bundle's path is among the arguments.
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            guard let slash = argument.lastIndex(of: "/") else { continue }
            let probe = argument[...slash] + "terminal-probe"
            if access(String(probe), X_OK) == 0 { return String(probe) }
        }
        throw ProbeFailure(what: "find `terminal-probe` beside the tests")
    }

    func setSize(_ size: Size) {
        var window = winsize()
        window.ws_col = UInt16(size.columns)
        window.ws_row = UInt16(size.rows)
        _ = ioctl(master, UInt(TIOCSWINSZ), &window)
        emulator.resize(to: size)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The rows of the screen as text.
    var rows: [String] { (0..<emulator.size.rows).map { emulator.text(ofLine: emulator.liveStart + $0) } }

    func shows(_ text: String) -> Bool { rows.contains { $0.contains(text) } }

    /// Reads what the probe writes until `isTrue` or ten seconds have gone.
    func wait(_ isTrue: () -> Bool) -> Bool {
        var silent = 0
        while !isTrue() {
            guard silent < 100 else { return false }
            if !pump(milliseconds: 100) { silent += 1 }
            if exitStatus == nil {
                var status: Int32 = 0
                if waitpid(pid, &status, WNOHANG | WUNTRACED) == pid, status & 0xFF != 0x7F { exitStatus = status }
            }
        }
        return true
    }

    /// Reads once; false where nothing came.
    @discardableResult
    func pump(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, milliseconds) > 0, entry.revents & Int16(POLLIN) != 0 else {
            // Hung up: nothing to wait for, so that the time is not spent spinning.
            if entry.revents != 0 { _ = poll(nil, 0, milliseconds) }
            return false
        }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = read(master, &bytes, bytes.count)
        guard count > 0 else { return false }
        output += bytes[..<count]
        emulator.feed(bytes[..<count])
        openAnswers += emulator.takeOutput()
        if answers { sendAnswers() }
        return true
    }

    /// As a terminal that comes to the end of what was written to it.
    func sendAnswers() {
        let bytes = openAnswers
        openAnswers = []
        if !bytes.isEmpty { send(bytes) }
    }

    func hasEnded() -> Bool { wait { exitStatus != nil } }

    /// Whether the terminal's settings are what they were before.
    func hasSettingsBack() -> Bool {
        var now = termios()
        guard tcgetattr(master, &now) == 0 else { return false }
        return now.c_lflag == settingsBefore.c_lflag && now.c_iflag == settingsBefore.c_iflag
            && now.c_oflag == settingsBefore.c_oflag
    }

    /// Closes our end: what a terminal's window does when it is closed.
    func hangUp() {
        close(master)
        master = -1
    }

    /// Waits for the end of the probe by the pid alone.
    func endsWithinTenSeconds() -> Bool {
        for _ in 0..<1000 {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid {
                exitStatus = status
                return true
            }
            _ = poll(nil, 0, 10)
        }
        return false
    }

    func kill(_ signal: Int32) { _ = Glibc.kill(pid, signal) }

    /// How often the probe wrote `text`.
    func count(of text: String) -> Int {
        let wanted = Array(text.utf8)
        guard output.count >= wanted.count else { return 0 }
        return (0...(output.count - wanted.count)).count {
            output[$0] == wanted[0] && output[$0...].starts(with: wanted)
        }
    }
}

struct ProbeFailure: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}
