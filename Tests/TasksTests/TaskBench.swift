import EngineAPI
import Glibc
import JSON
import Linux
import Testing

@testable import Tasks

/// A runtime that the contract is tried with.
struct TestRuntime: Sendable, CustomTestStringConvertible {
    let path: String
    var testDescription: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Those that this machine has. crun refuses machines that have both kinds of cgroups.
    static let available: [TestRuntime] = {
        let places = [TaskBench.products + "/gantry-runtime", "/usr/sbin/runc", "/usr/bin/runc"]
        var found = places.filter { access($0, X_OK) == 0 && isRuntime($0) }
        if found.contains("/usr/sbin/runc") { found.removeAll { $0 == "/usr/bin/runc" } }
        return found.map(TestRuntime.init)
    }()

    /// Whether it says which version of the runtime specification it keeps to, as every runtime does.
    private static func isRuntime(_ path: String) -> Bool {
        var spawn = Spawn(program: path, arguments: [path, "--version"])
        spawn.environment = ["PATH=/usr/bin:/bin"]
        guard let (reading, writing) = try? Descriptor.pipe() else { return false }
        spawn.descriptors = [nil, writing, writing]
        guard let pid = try? spawn.start() else { return false }
        writing.close()
        let text = String(decoding: (try? reading.readAll()) ?? [], as: UTF8.self)
        reading.close()
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return text.contains("spec:")
    }
}

/// A run root, a busybox root file system and a service, all under one directory of /tmp that is removed at the end.
final class TaskBench: Sendable {
    /// Where the programs of this package are built, beside the tests.
    static let products: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, 4095)
        let path = String(decoding: buffer[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }()
    static let shimPath = products + "/gantry-shim"
    static let busybox = "/bin/busybox"

    /// What must be there, or the reason why these tests cannot run.
    static var missing: String? {
        if geteuid() != 0 { return "root" }
        for file in [busybox, shimPath] where access(file, X_OK) != 0 { return file }
        return nil
    }

    let root: String
    let name: String
    let runtime: String
    let service: ShimTaskService

    init(_ runtime: TestRuntime) throws {
        if let missing = Self.missing { throw KernelError("find what the tests need", missing, .noSuchFile) }
        var template = Array("/tmp/gantry-tasks-XXXXXX".utf8CString)
        root = String(cString: try #require(mkdtemp(&template)))
        name = String(root.split(separator: "/").last ?? "")
        self.runtime = runtime.path
        service = ShimTaskService(runRoot: root + "/run", shimPath: Self.shimPath)
    }

    /// Runs a test on a bench that is taken away in any case.
    static func with(_ runtime: TestRuntime, _ body: (TaskBench) async throws -> Void) async throws {
        let bench = try TaskBench(runtime)
        do { try await body(bench) } catch {
            await bench.close()
            throw error
        }
        await bench.close()
    }

    /// The same with the first runtime of the machine.
    static func with(_ body: (TaskBench) async throws -> Void) async throws {
        try await with(try #require(TestRuntime.available.first), body)
    }

    /// Ends what a failed test may have left, and removes the directory.
    func close() async {
        for facts in (try? await service.survey()) ?? [] {
            try? await service.killAll(facts.id)
            if facts.exit == nil, facts.status != .lost { _ = try? await exit(of: facts.id) }
            try? await service.delete(facts.id)
        }
        var spawn = Spawn(program: "/bin/rm", arguments: ["rm", "-rf", root])
        spawn.environment = []
        if let pid = try? spawn.start() { waitpid(pid, nil, 0) }
    }

    /// Makes a bundle that runs `arguments` of busybox's shell, and how to make a task of it.
    func spec(_ id: String, _ arguments: [String], terminal: Bool = false, pidNamespace: Bool = true) throws -> TaskSpec
    {
        let bundle = "\(root)/bundles/\(id)"
        for directory in ["\(root)/bundles", bundle, "\(bundle)/rootfs"] { mkdir(directory, 0o755) }
        for directory in ["bin", "proc", "dev", "tmp", "sys"] { mkdir("\(bundle)/rootfs/\(directory)", 0o755) }
        let busybox = try FileContents.read(Self.busybox)
        try FileContents.replace("\(bundle)/rootfs/bin/busybox", with: busybox, mode: 0o755, durable: false)
        for applet in ["sh", "cat", "echo", "sleep", "stty", "true", "false", "yes", "head", "dd", "kill", "seq"] {
            symlink("busybox", "\(bundle)/rootfs/bin/\(applet)")
        }
        let json = config(id, arguments, terminal: terminal, pidNamespace: pidNamespace)
        try FileContents.replace("\(bundle)/config.json", with: json.prettyBytes(), durable: false)
        let facts = BundleFacts(
            cgroupsPath: json["linux"]?["cgroupsPath"]?.string,
            hasStartHooks: json["hooks"]?["poststart"]?.array?.isEmpty == false)
        var spec = TaskSpec(id: id, bundle: bundle, facts, runtime: runtime)
        spec.terminal = terminal
        spec.log = TaskLog(path: "\(root)/\(id).log")
        return spec
    }

    func sh(_ id: String, _ script: String, terminal: Bool = false) throws -> TaskSpec {
        try spec(id, ["/bin/sh", "-c", script], terminal: terminal)
    }

    static func process(_ arguments: [String], terminal: Bool = false) -> JSONValue {
        [
            "terminal": .bool(terminal), "user": ["uid": 0, "gid": 0], "cwd": "/", "noNewPrivileges": true,
            "args": .array(arguments.map(JSONValue.string)), "env": ["PATH=/bin", "TERM=xterm"],
            "capabilities": [
                "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
            ],
        ]
    }

    private func config(_ id: String, _ arguments: [String], terminal: Bool, pidNamespace: Bool) -> JSONValue {
        var namespaces: [JSONValue] = ["mount", "ipc", "uts", "network"].map { ["type": .string($0)] }
        if pidNamespace { namespaces.append(["type": "pid"]) }
        return [
            "ociVersion": "1.0.2", "process": Self.process(arguments, terminal: terminal),
            "root": ["path": "rootfs", "readonly": false], "hostname": "task",
            "mounts": [
                ["destination": "/proc", "type": "proc", "source": "proc"],
                [
                    "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                    "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
                ],
                [
                    "destination": "/dev/pts", "type": "devpts", "source": "devpts",
                    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
                ],
            ],
            "linux": [
                "cgroupsPath": .string("/\(name)-\(id)"), "namespaces": .array(namespaces),
                "resources": ["devices": [["allow": true, "access": "rwm"]]],
            ],
        ]
    }
}

extension TaskBench {
    /// Creates and starts.
    func run(_ spec: TaskSpec) async throws {
        _ = try await service.create(spec)
        try await service.start(spec.id)
    }

    /// Waits for the report of the task's exit, by the service's reports, whose one consumer this is.
    func exit(of id: String, in service: ShimTaskService? = nil) async throws -> TaskExit {
        for await report in (service ?? self.service).reports {
            if case .exited(id, let exit) = report { return exit }
            if case .shimLost(id) = report { throw EngineError(.internal, "the shim of \(id) was lost") }
        }
        throw CancellationError()
    }

    func execExit(of execID: String) async throws -> TaskExit {
        for await report in service.reports {
            if case .execExited(_, execID, let exit) = report { return exit }
        }
        throw CancellationError()
    }

    /// The log's lines as JSON values.
    func log(_ id: String, file: String = "") throws -> [JSONValue] {
        let bytes = try FileContents.read("\(root)/\(id).log\(file)")
        return try bytes.split(separator: 10).map { try JSONValue(parsing: Array($0)) }
    }

    /// How many lines the log has: where they are hundreds of thousands, reading each takes most of a test's time.
    func logLength(_ id: String) throws -> Int {
        try FileContents.read("\(root)/\(id).log").withUnsafeBytes { log in
            var (count, position) = (0, 0)
            while let start = log.baseAddress, let end = memchr(start + position, 10, log.count - position) {
                position = start.distance(to: UnsafeRawPointer(end)) + 1
                count += 1
            }
            return count
        }
    }

    func text(_ id: String, stream: String? = nil) throws -> String {
        try log(id).filter { stream == nil || $0["stream"]?.string == stream }.compactMap { $0["log"]?.string }
            .joined()
    }

    /// All of a stream to its end, with what was lost.
    func all(_ stream: any AttachedStream) async throws -> (stdout: [UInt8], stderr: [UInt8], lost: UInt64) {
        var all: (stdout: [UInt8], stderr: [UInt8], lost: UInt64) = ([], [], 0)
        while let chunk = try await stream.read() {
            switch chunk {
            case .stdout(let bytes): all.stdout += bytes
            case .stderr(let bytes): all.stderr += bytes
            case .lost(let count): all.lost += count
            }
        }
        return all
    }

    /// Reads until the output holds `text`.
    func read(_ stream: any AttachedStream, until text: String) async throws -> String {
        var seen = ""
        while !seen.contains(text) {
            guard let chunk = try await stream.read() else {
                throw EngineError(.internal, "the output ended without `\(text)`: `\(seen)`")
            }
            if case .stdout(let bytes) = chunk { seen += String(decoding: bytes, as: UTF8.self) }
        }
        return seen
    }

    /// Nothing of the task is left: no file, no cgroup, no process.
    func expectNothingLeft(_ id: String) {
        #expect(access("\(root)/run/shims/\(id)", F_OK) != 0)
        #expect(access("\(root)/run/runtime/\(id)", F_OK) != 0)
        for hierarchy in ["memory", "pids", "freezer", "systemd", "unified", "."] {
            #expect(access("/sys/fs/cgroup/\(hierarchy)/\(name)-\(id)", F_OK) != 0, "cgroup in \(hierarchy)")
        }
    }
}
