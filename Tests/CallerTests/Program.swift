import Glibc
import Linux
import Testing

/// A program of the machine that a test drives.
enum Program {
    static let variables = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]

    struct Result {
        var code: Int32
        var output: String
        var errors: String
        /// Lines of output, without the empty one at the end.
        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    /// Where the program is; nil where it is not installed.
    static func find(_ name: String) -> String? {
        ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Those of `names` that are not installed.
    static func missing(_ names: [String]) -> [String] { names.filter { find($0) == nil } }

    /// Runs to the end, for a minute at most. Output goes to files, so that a daemon which keeps it open holds nobody up.
    static func run(
        _ name: String, _ words: [String], environment: [String] = [], extra: [Descriptor] = []
    ) throws -> Result {
        let output = OwnedDescriptor(try Descriptor.open("/tmp", 0o20200000 | O_RDWR, mode: 0o600))
        let errors = OwnedDescriptor(try Descriptor.open("/tmp", 0o20200000 | O_RDWR, mode: 0o600))
        let path = name.hasPrefix("/") ? name : try #require(find(name), "\(name) is not installed")
        var spawn = Spawn(program: path, arguments: [name] + words)
        spawn.environment = variables + environment
        spawn.descriptors = [nil, output.descriptor, errors.descriptor] + extra
        let process = OwnedDescriptor(try PidFD.open(pid: try spawn.start()))
        if try !PidFD.waitForEnd(process.descriptor, timeoutMilliseconds: 60_000) {
            Issue.record("\(name) \(words.joined(separator: " ")) does not end")
            try PidFD.send(SIGKILL, to: process.descriptor)
        }
        let code = try PidFD.reap(process.descriptor)
        return Result(code: code, output: try text(output.descriptor), errors: try text(errors.descriptor))
    }

    private static func text(_ file: Descriptor) throws -> String {
        lseek(file.rawValue, 0, SEEK_SET)
        return String(decoding: try file.readAll(), as: UTF8.self)
    }
}

/// A process that runs beside a test and ends with it.
final class Daemon {
    let pid: Int32
    let process: Descriptor
    private var isReaped = false

    init(_ name: String, _ words: [String], environment: [String] = [], log: String) throws {
        let file = OwnedDescriptor(try Descriptor.open(log, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600))
        let path = try #require(Program.find(name), "\(name) is not installed")
        var spawn = Spawn(program: path, arguments: [name] + words)
        spawn.environment = Program.variables + environment
        spawn.descriptors = [nil, file.descriptor, file.descriptor]
        spawn.newSession = true
        pid = try spawn.start()
        process = try PidFD.open(pid: pid)
    }

    /// Asks again until the answer is yes; no once the daemon has ended or half a minute is over.
    func answers(_ isReady: () throws -> Bool) throws -> Bool {
        for _ in 0..<600 {
            if try isReady() { return true }
            if try PidFD.waitForEnd(process, timeoutMilliseconds: 50) { return false }
        }
        return false
    }

    /// Before what it works on is taken away.
    func end() {
        if isReaped { return }
        isReaped = true
        // It may have ended by itself; what remains is its status.
        try? PidFD.send(SIGTERM, to: process)
        if (try? PidFD.waitForEnd(process, timeoutMilliseconds: 30_000)) != true {
            try? PidFD.send(SIGKILL, to: process)
        }
        _ = try? PidFD.reap(process)
        process.close()
    }

    deinit { end() }
}
