import Glibc
import JSON
import Linux
import Testing

private let missing = Program.missing(["conmon"])

/// conmon, the monitor of podman and CRI-O, driven as they drive it.
@Suite(
    .serialized, .enabled(if: missing.isEmpty, "not installed: \(missing.joined(separator: " "))"),
    .enabled(if: geteuid() == 0, "needs root"), .timeLimit(.minutes(2)))
struct ConmonTests {
    private final class Monitored {
        let folder: CallerFolder
        let id: String
        let bundle: String

        init(_ command: [String], terminal: Bool = false) throws {
            folder = try CallerFolder("conmon")
            id = folder.name
            bundle = folder.path
            try Directory.create("\(folder.path)/exits")
            let made = try Program.run(CallerFolder.runtime, ["spec", "--bundle", bundle])
            try #require(made.code == 0, "\(made.errors)")
            var spec = try JSONValue(parsing: try FileContents.read("\(bundle)/config.json"))
            spec.set(["process", "args"], .array(command.map(JSONValue.string)))
            spec.set(["process", "terminal"], .bool(terminal))
            spec.set(["process", "rlimits"], .array([]))
            spec.set(["linux", "cgroupsPath"], .string("\(folder.cgroup)/one"))
            try FileContents.replace("\(bundle)/config.json", with: spec.compactBytes, durable: false)
        }

        deinit { _ = try? runtime("delete", "--force", id) }

        func runtime(_ words: String...) throws -> Program.Result {
            try Program.run(CallerFolder.runtime, ["--root", "\(folder.path)/state"] + words)
        }

        /// Starts a conmon, and returns the pipe of `_OCI_SYNCPIPE` over which it tells what became of the process.
        func begin(_ name: String, _ words: [String]) throws -> Descriptor {
            let (reading, writing) = try Descriptor.pipe()
            let files = [
                "--conmon-pidfile", "\(folder.path)/\(name).conmon", "--container-pidfile",
                "\(folder.path)/\(name).pid", "--log-path", "k8s-file:\(folder.path)/\(name).log", "--exit-dir",
                "\(folder.path)/exits", "--socket-dir-path", folder.path, "--bundle", bundle,
            ]
            let program = ["--runtime", CallerFolder.runtime]
            let arguments = ["--runtime-arg", "--root", "--runtime-arg", "\(folder.path)/state"]
            let result = try Program.run(
                "conmon",
                ["--api-version", "1", "--cid", id, "--cuuid", name, "--name", name] + files + program + arguments
                    + words, environment: ["_OCI_SYNCPIPE=3"], extra: [writing])
            writing.close()
            #expect(result.code == 0, "\(result.errors)")
            return reading
        }

        func line(of pipe: Descriptor) throws -> JSONValue {
            var line: [UInt8] = []
            var byte: [UInt8] = [0]
            while try pipe.read(into: &byte) == 1, byte[0] != 10 { line += byte }
            return try JSONValue(parsing: line)
        }

        /// Starts a conmon that makes the container; its pid, and conmon itself.
        func monitor(_ words: [String] = []) throws -> (pid: Int64, monitor: Descriptor) {
            let pipe = try begin(id, words)
            defer { pipe.close() }
            let answer = try line(of: pipe)
            let own = Int32(try folder.text("\(id).conmon").trimmingSuffix { $0 == "\n" })
            return (try #require(answer["data"]?.integer, "\(answer)"), try PidFD.open(pid: try #require(own)))
        }

        /// conmon ends once the process has ended and its exit file is written.
        func exitCode(_ monitor: Descriptor) throws -> String {
            #expect(try PidFD.waitForEnd(monitor, timeoutMilliseconds: 30_000))
            monitor.close()
            return try folder.text("exits/\(id)")
        }
    }

    @Test("conmon creates a container, keeps its output and writes its exit code")
    func run() throws {
        let one = try Monitored(["sh", "-c", "echo out; exit 9"])
        let (pid, monitor) = try one.monitor()
        #expect(try one.folder.text("\(one.id).pid") == String(pid))
        #expect(try one.runtime("start", one.id).code == 0)
        #expect(try one.exitCode(monitor) == "9")
        #expect(try one.folder.text("\(one.id).log").hasSuffix(" stdout F out\n"))
        #expect(try one.runtime("delete", one.id).code == 0)
        #expect(try one.folder.members() == [])
    }

    @Test("conmon gets a container's terminal over its console socket")
    func terminal() throws {
        let one = try Monitored(["sh", "-c", "tty"], terminal: true)
        let (_, monitor) = try one.monitor(["--terminal"])
        #expect(try one.runtime("start", one.id).code == 0)
        #expect(try one.exitCode(monitor) == "0")
        #expect(try one.folder.text("\(one.id).log").contains("/dev/pts/0"))
    }

    @Test("conmon executes a further process from a file")
    func exec() throws {
        let one = try Monitored(["sleep", "600"])
        let (_, monitor) = try one.monitor()
        #expect(try one.runtime("start", one.id).code == 0)
        let command = #"["sh","-c","echo further; exit 4"]"#
        let process = #"{"args":\#(command),"cwd":"/","env":["PATH=/bin"],"user":{"uid":0,"gid":0}}"#
        let file = try one.folder.file("process.json", process)
        let pipe = try one.begin("further", ["--exec", "--exec-process-spec", file])
        defer { pipe.close() }
        #expect((try one.line(of: pipe)["data"]?.integer ?? 0) > 0)
        #expect(try one.line(of: pipe)["data"]?.integer == 4)
        #expect(try one.folder.text("further.log").hasSuffix(" stdout F further\n"))
        #expect(try one.runtime("kill", one.id, "KILL").code == 0)
        #expect(try one.exitCode(monitor) == "137")
    }

    @Test("conmon is told in the runtime's words why a container could not be made")
    func failure() throws {
        let one = try Monitored(["nope"])
        let pipe = try one.begin(one.id, [])
        defer { pipe.close() }
        let answer = try one.line(of: pipe)
        #expect(answer["data"]?.integer == -1)
        #expect(answer["message"]?.string?.contains("executable file not found in $PATH") == true, "\(answer)")
        #expect(try one.folder.members() == [])
    }
}

extension JSONValue {
    /// Puts a value at the end of a path of members, all of which are objects.
    mutating func set(_ path: [String], _ value: JSONValue) {
        guard let name = path.first else { return self = value }
        var object = object ?? JSONObject()
        var member = object[name] ?? .object(JSONObject())
        member.set(Array(path.dropFirst()), value)
        object[name] = member
        self = .object(object)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ isEnd: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, isEnd(last) { text.removeLast() }
        return text
    }
}
