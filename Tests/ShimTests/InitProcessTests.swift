import Glibc
import Linux
import Testing

@testable import Shim

/// Beside the tests, where the build puts both.
private let shimProgram: String? = {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, 4095)
    let own = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return ([own] + CommandLine.arguments.filter { $0.contains(".xctest") })
        .map { PathName.split($0).parent + "/gantry-shim" }.first { access($0, X_OK) == 0 }
}()

/// The init process as the first of a pid namespace, on the real kernel.
@Suite(.enabled(if: geteuid() == 0 && shimProgram != nil, "needs root, and gantry-shim beside the tests"))
struct InitProcessTests {
    /// Runs a command under init; its output and exit code.
    private func run(_ command: [String]) throws -> (code: Int32, output: String) {
        let program = try #require(shimProgram)
        var template = Array("/tmp/gantry-init-XXXXXX".utf8CString)
        let made = mkdtemp(&template)
        try #require(made != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? Directory.removeTree(directory) }  // LeftoverTests tells of what stays.
        symlink(program, directory + "/docker-init")
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        let unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", directory + "/docker-init", "--"]
        var spawn = Spawn(program: "/usr/bin/unshare", arguments: unshare + command)
        spawn.environment = ["PATH=/usr/bin:/bin"]
        spawn.descriptors = [nil, writing, writing]
        let pid = try spawn.start()
        writing.close()
        let output = try reading.readAll(limitBytes: 1 << 20)
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        return (status >> 8 & 0xff, String(decoding: output, as: UTF8.self))
    }

    @Test("It ends as its program ends", arguments: [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)])
    func codes(script: String, code: Int32) throws {
        #expect(try run(["sh", "-c", script]).code == code)
    }

    @Test("A program that is not there gives 127, one that cannot be run 126")
    func missing() throws {
        let missing = try run(["no-such-program"])
        #expect(missing.code == 127 && missing.output.contains("exec no-such-program failed"), "\(missing)")
        #expect(try run(["/etc/passwd"]).code == 126)
    }

    @Test("Orphans that end are reaped, and the program is no process group's guest")
    func orphans() throws {
        let script = """
            for i in 1 2 3; do (sh -c 'exit 0' &) ; done; sleep 0.3
            grep -l '^State:.Z' /proc/[0-9]*/status; echo zombies listed; ps -o pid=,pgid= -p $$ | tr -s ' '
            """
        let (code, output) = try run(["sh", "-c", script])
        let lines = output.split(separator: "\n").map(String.init)
        #expect(code == 0 && lines.first == "zombies listed", "\(output)")
        let numbers = try #require(lines.last).split(separator: " ")
        #expect(numbers.count == 2 && numbers[0] == numbers[1])
    }

    @Test("Signals go to the program, with their own numbers", arguments: ["TERM", "HUP", "USR1", "WINCH", "RTMIN+1"])
    func signals(name: String) throws {
        let script =
            "trap 'echo got; exit 5' \(name == "RTMIN+1" ? "35" : name); kill -s \(name) 1; sleep 5 & wait; wait"
        let (code, output) = try run(["bash", "-c", script])
        #expect(code == 5 && output == "got\n", "\(output)")
    }
}
