import Glibc
import Linux
import Testing

/// A runtime program that the contract is tried on.
struct RuntimeUnderTest: Sendable, CustomTestStringConvertible {
    let name: String
    let path: String
    /// Words of a command that becomes the program, which come before its path.
    var launcher: [String] = []
    var testDescription: String { name }

    struct Result {
        var code: Int32
        var output: String
        var errors: String
    }

    /// Ours from the folder of this test's own program, and runc where it is installed. crun of Debian 12 refuses a
    /// hybrid machine, so it takes part only where there is one version of cgroups.
    static let all: [RuntimeUnderTest] = {
        var found = [ours]
        for path in ["/usr/sbin/runc", "/usr/bin/runc"] where access(path, X_OK) == 0 {
            found.append(RuntimeUnderTest(name: "runc", path: path))
            break
        }
        if found.count == 1 { print("runc is not installed: the contract is tried on gantry-runtime alone") }
        return found
    }()

    /// `GANTRY_RUNTIME` names another build, such as the statically linked one on a machine without this toolchain.
    static let ours: RuntimeUnderTest = {
        if let path = getenv("GANTRY_RUNTIME") {
            return RuntimeUnderTest(name: "gantry-runtime", path: String(cString: path))
        }
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlink("/proc/self/exe", &buffer, 4096)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return RuntimeUnderTest(name: "gantry-runtime", path: PathName.split(own).parent + "/gantry-runtime")
    }()

    static let isPrivileged = geteuid() == 0

    // No layout to be read: no systemd to be asked either.
    static let hasSystemd =
        access("/run/systemd/system", F_OK) == 0 && (try? CgroupLayout.current())?.mode == .unified

    /// Runs the program to its end. Standard output and error are files, so that a container which keeps them open holds
    /// nobody up.
    func run(
        _ words: [String], root: String, in directory: String? = nil, input: Descriptor? = nil,
        extra: [Descriptor] = []
    ) throws -> Result {
        try runPlain(["--root", root] + words, in: directory, input: input, extra: extra)
    }

    /// The same without the option of the state's root, for a program that becomes the runtime.
    func runPlain(
        _ words: [String], in directory: String? = nil, input: Descriptor? = nil, extra: [Descriptor] = []
    ) throws -> Result {
        let output = OwnedDescriptor(try Descriptor.open("/tmp", 0o20200000 | O_RDWR, mode: 0o600))
        let errors = OwnedDescriptor(try Descriptor.open("/tmp", 0o20200000 | O_RDWR, mode: 0o600))
        var spawn = Spawn(
            program: launcher.first ?? path, arguments: launcher.isEmpty ? [name] + words : launcher + [path] + words)
        spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        // Nothing to read. Not the null device: crun gives what it finds here to the container's user, the node with it.
        let (nothing, writer) = try Descriptor.pipe()
        writer.close()
        defer { nothing.close() }
        spawn.descriptors = [input ?? nothing, output.descriptor, errors.descriptor] + extra
        spawn.workingDirectory = directory
        let pid = try spawn.start()
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return Result(code: code, output: try Self.text(output.descriptor), errors: try Self.text(errors.descriptor))
    }

    /// Starts the program with further variables and does not wait for it. Its pidfd, which the test leaves open.
    func begin(_ words: [String], root: String, in directory: String, environment: [String]) throws -> Descriptor {
        let null = OwnedDescriptor(try Descriptor.open("/dev/null", O_RDWR))
        var spawn = Spawn(program: path, arguments: [name, "--root", root] + words)
        spawn.environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + environment
        spawn.descriptors = [null.descriptor, null.descriptor, Descriptor.standardError]
        spawn.workingDirectory = directory
        return try PidFD.open(pid: try spawn.start())
    }

    private static func text(_ file: Descriptor) throws -> String {
        lseek(file.rawValue, 0, SEEK_SET)
        return String(decoding: try file.readAll(), as: UTF8.self)
    }
}
