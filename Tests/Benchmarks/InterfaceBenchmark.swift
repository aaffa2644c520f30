import Foundation

/// The front end on 50 running containers: CPU while nobody types, time from key to paint, time to the first paint.
func benchmarkInterface(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let names = (0..<50).map { "bench\($0)" }
    for name in names {
        try gantry.contender.run(
            gantry.command("run", "-d", "--name", name, "--network", "none", "gantry/starter:latest", "sleep", "3600"))
    }
    defer { for name in names { _ = try? gantry.contender.run(gantry.command("rm", "-f", name)) } }
    var firstPaints: [Double] = []
    for _ in 0..<max(3, rounds / 4) {
        let terminal = try PseudoTerminal(gantry.command())
        firstPaints.append(try terminal.millisecondsUntilOutput(atLeast: 200))
        try terminal.quit()
    }
    let terminal = try PseudoTerminal(gantry.command())
    _ = try terminal.millisecondsUntilOutput(atLeast: 200)
    terminal.settle(seconds: 5)
    let cpuBefore = terminal.cpuMilliseconds
    terminal.settle(seconds: 20)
    let idlePercent = (terminal.cpuMilliseconds - cpuBefore) / 20_000 * 100
    var paints: [Double] = []
    for round in 0..<max(20, rounds) {
        terminal.settle(seconds: 0.3)
        paints.append(try terminal.millisecondsToPaint(after: round % 2 == 0 ? "j" : "k"))
    }
    let engine = proportionalKiB(pid: Int(terminal.pid))
    try terminal.quit()
    print("\nfront end, 200x50, \(names.count) running containers")
    print(String(format: "  idle %.2f %% of a core, memory %.1f MiB PSS", idlePercent, engine / 1024))
    print("  first paint ms \(Spread(values: firstPaints))")
    print("  key to paint ms \(Spread(values: paints))")
}

/// A program on a pseudo terminal of its own.
final class PseudoTerminal {
    let pid: pid_t
    private let controller: Int32
    private let begin = DispatchTime.now()

    init(_ arguments: [String]) throws {
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var number: UInt32 = 0
        var locked: Int32 = 0
        // TIOCSPTLCK and TIOCGPTN of ioctl_tty(2), whose numbers are macros that Swift does not see.
        guard controller >= 0, ioctl(controller, 0x4004_5431, &locked) == 0,
            ioctl(controller, 0x8004_5430, &number) == 0
        else {
            throw BenchmarkError("no pseudo terminal: \(String(cString: strerror(errno)))")
        }
        let name = "/dev/pts/\(number)"
        var size = winsize(ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        for stream in Int32(0)...2 { posix_spawn_file_actions_addopen(&actions, stream, name, O_RDWR, 0) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // POSIX_SPAWN_SETSID, hidden behind _GNU_SOURCE.
        posix_spawnattr_setflags(&attributes, 0x80)
        var words = arguments.map { strdup($0) } + [nil]
        let settings = ["TERM=xterm-256color", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/bin"]
        var environment = settings.map { strdup($0) } + [nil]
        var child: pid_t = 0
        let result = posix_spawn(&child, arguments[0], &actions, &attributes, &words, &environment)
        guard result == 0 else { throw BenchmarkError("\(arguments[0]): \(String(cString: strerror(result)))") }
        pid = child
    }

    /// From the start to the moment at which so many bytes have come.
    func millisecondsUntilOutput(atLeast count: Int) throws -> Double {
        var total = 0
        while total < count {
            guard wait(milliseconds: 5000) else { throw BenchmarkError("nothing was painted") }
            total += drain()
        }
        return Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e6
    }

    func millisecondsToPaint(after keys: String) throws -> Double {
        _ = drain()
        let sent = DispatchTime.now()
        _ = keys.withCString { write(controller, $0, strlen($0)) }
        guard wait(milliseconds: 2000) else { throw BenchmarkError("the key `\(keys)` painted nothing") }
        return Double(DispatchTime.now().uptimeNanoseconds - sent.uptimeNanoseconds) / 1e6
    }

    /// Takes what comes for that long.
    func settle(seconds: Double) {
        let end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9)
        while DispatchTime.now().uptimeNanoseconds < end { if wait(milliseconds: 50) { _ = drain() } }
    }

    var cpuMilliseconds: Double {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) * 1000 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    func quit() throws {
        _ = "q".withCString { write(controller, $0, 1) }
        settle(seconds: 0.2)
        // A second key answers the notice that containers go on running.
        _ = "q".withCString { write(controller, $0, 1) }
        var status: Int32 = 0
        for _ in 0..<300 {
            _ = drain()
            if waitpid(pid, &status, WNOHANG) == pid {
                close(controller)
                return
            }
            usleep(10_000)
        }
        kill(pid, SIGKILL)
        waitpid(pid, &status, 0)
        close(controller)
        throw BenchmarkError("the front end did not quit")
    }

    private func wait(milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, milliseconds) > 0
    }

    private func drain() -> Int {
        var total = 0
        var buffer = [UInt8](repeating: 0, count: 65536)
        while wait(milliseconds: 0) {
            let count = read(controller, &buffer, buffer.count)
            if count <= 0 { break }
            total += count
        }
        return total
    }
}
