import Glibc
import Linux
import NetworkRemains

/// What a finished program left: its exit code (128 + signal where one ended it) and what it wrote.
struct Outcome: Sendable {
    let code: Int32
    let output: [UInt8]
    let errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
}

struct SessionFailure: Error, CustomStringConvertible {
    let description: String
}

/// A root of its own in /tmp, and the built program run on it as a person or a script would.
///
/// `close` takes everything away again, also what a failed test left: containers, processes, cgroups, files.
final class SessionBench {
    let root: String
    private var running: [RunningProgram] = []
    private var fileCount = 0

    init() throws {
        if let missing = Self.missing { throw SessionFailure(description: "the tests need \(missing)") }
        var template = Array("/tmp/gantry-session-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw SessionFailure(description: "cannot make a folder in /tmp") }
        root = String(cString: path)
    }

    /// What these tests need and this machine has not; nil where they can run.
    static var missing: String? {
        if geteuid() != 0 { return "root" }
        for name in ["gantry", "gantry-shim", "gantry-runtime"] where access(program(name), X_OK) != 0 {
            return "\(program(name)): run `swift build` before the tests"
        }
        if access("/bin/busybox", X_OK) != 0 { return "/bin/busybox of Debian's busybox-static" }
        return nil
    }

    /// A program of this package, beside the tests' own executable, where the build puts both.
    static func program(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, 4095)
        let own = String(decoding: buffer[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? own
        for path in [own, bundle] {
            let folder = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
            if access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        }
        return name
    }

    /// Runs a command to its end.
    ///
    /// - Parameter input: given by a file; without it standard input is empty.
    func gantry(_ words: String..., input: [UInt8]? = nil) throws -> Outcome {
        try start(words, input: input).outcome()
    }

    /// Runs a command that must succeed, and gives what it printed without the line end.
    @discardableResult
    func succeed(_ words: String...) throws -> String {
        let outcome = try start(words).outcome()
        guard outcome.code == 0 else {
            throw SessionFailure(
                description: "gantry \(words.joined(separator: " ")): exit code \(outcome.code): \(outcome.errors)")
        }
        return outcome.text.hasSuffix("\n") ? String(outcome.text.dropLast()) : outcome.text
    }

    /// Starts a command and does not wait.
    ///
    /// - Parameters:
    ///   - inputPipe: what the program reads, instead of `input`.
    ///   - outputPipe: what it writes to, instead of a file.
    ///   - environment: before the usual one, of which it replaces what it names.
    ///   - cgroup: a directory of version 2 in which it is born.
    func start(
        _ words: [String], input: [UInt8]? = nil, inputPipe: Descriptor? = nil, outputPipe: Descriptor? = nil,
        environment: [String] = [], cgroup: Descriptor? = nil
    ) throws -> RunningProgram {
        fileCount += 1
        let base = "\(root)/io-\(fileCount)"
        var spawn = Spawn(program: Self.program("gantry"), arguments: ["gantry", "--root", root] + words)
        spawn.environment = Self.environment(replacing: environment)
        let output = OwnedDescriptor(try Descriptor.open(base + ".out", O_RDWR | O_CREAT, mode: 0o600))
        let errors = OwnedDescriptor(try Descriptor.open(base + ".err", O_RDWR | O_CREAT, mode: 0o600))
        var source: Descriptor?
        if let input {
            let file = try Descriptor.open(base + ".in", O_RDWR | O_CREAT, mode: 0o600)
            source = file
            try file.writeAll(input)
            lseek(file.rawValue, 0, SEEK_SET)
        }
        defer { source?.close() }
        spawn.descriptors = [inputPipe ?? source, outputPipe ?? output.descriptor, errors.descriptor]
        spawn.cgroup = cgroup
        let program = RunningProgram(pid: try spawn.start(), base: base)
        running.append(program)
        return program
    }

    static let environment = [
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=xterm-256color", "LC_ALL=C.UTF-8",
        "SWIFT_BACKTRACE=enable=no",
    ]

    private static func environment(replacing own: [String]) -> [String] {
        let names = own.map { $0.prefix { $0 != "=" } + "=" }
        return own + environment.filter { variable in !names.contains { variable.hasPrefix($0) } }
    }

    /// A terminal on which the program runs.
    ///
    /// - Parameter environment: before the usual one, of which it replaces what it names.
    func terminal(
        _ words: String..., columns: Int = 80, rows: Int = 24, environment: [String] = []
    ) throws -> TerminalSession {
        let terminal = try TerminalSession(
            [Self.program("gantry"), "--root", root] + words, columns: columns, rows: rows,
            environment: Self.environment(replacing: environment))
        running.append(terminal.program)
        return terminal
    }

    /// The engine in a process of its own, answering when this returns.
    func daemon() throws -> RunningProgram {
        let program = try start(["daemon"])
        guard eventually({ access("\(root)/run/gantry.sock", F_OK) == 0 }) else {
            throw SessionFailure(description: "the daemon does not answer: \(program.errors)")
        }
        return program
    }

    /// Takes everything away that was made here.
    func close() {
        for program in running { program.kill(SIGKILL) }
        // Where listing fails there is no engine to ask, and what it left is ended below.
        let ids = (try? gantry("ps", "-aq").lines) ?? []
        if !ids.isEmpty { _ = try? start(["rm", "-f"] + ids).outcome() }
        for program in running { program.kill(SIGKILL) }
        Remains.endProcesses(naming: root)
        Remains.removeCgroups(of: root)
        NetworkRemains.remove(root: root)
        // What cannot be removed is found by the test of leftovers.
        try? Directory.removeTree(root)
    }
}

/// Looks again and again, for at most so long; true as soon as the condition holds.
func eventually(seconds: Int = 20, _ condition: () throws -> Bool) rethrows -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    repeat {
        if try condition() { return true }
        _ = poll(nil, 0, 20)
    } while clock.now < end
    return try condition()
}
