import Glibc
import Linux
import Testing

/// Uid 1000 of a machine of its own: a mount namespace in which it has a name, subordinate ids and the devices that a
/// desktop gives to everybody. Its state is below one directory, which goes with this.
final class OrdinaryUser {
    struct Result {
        var code: Int32
        var output: String
        var errors: String
    }

    let folder: String
    private let hasSubordinateIDs: Bool
    /// Programs that this user's machine has not.
    var hidden: [String] = []
    /// Of /etc, that are this user's machine's own.
    private var files = ["passwd", "subuid", "subgid"]

    static let isPossible =
        geteuid() == 0
        && ["/usr/bin/setpriv", "/usr/bin/unshare"].allSatisfy { (path: String) in access(path, X_OK) == 0 }
    static let hasHelpers = ["/usr/bin/newuidmap", "/usr/bin/newgidmap"].allSatisfy { (path: String) in
        access(path, X_OK) == 0
    }

    init(hasSubordinateIDs: Bool = true) throws {
        self.hasSubordinateIDs = hasSubordinateIDs
        folder = "/tmp/gantry-rootless-\(getpid())-\(UInt32.random(in: 0...9999))"
        for name in ["", "/bin", "/home", "/run"] { try Directory.create(folder + name) }
        for name in ["/home", "/run"] { try kernelCall("chown", name) { chown(folder + name, 1000, 1000) } }
        chmod("\(folder)/run", 0o700)
        try write("passwd", "root:x:0:0::/root:/bin/sh\ngantry:x:1000:1000::\(folder)/home:/bin/sh\n")
        for file in ["subuid", "subgid"] { try write(file, hasSubordinateIDs ? "gantry:100000:65536\n" : "") }
        for (name, minor) in [("tun", 200), ("fuse", 229)] as [(String, UInt32)] {
            try kernelCall("mknod", name) { mknod("\(folder)/\(name)", S_IFCHR | 0o666, UInt(10 << 8 | minor)) }
            chmod("\(folder)/\(name)", 0o666)
        }
        // Hard links where it is one file system: the programs are large, and the user cannot reach where they lie.
        for program in ["gantry", "gantry-shim", "gantry-runtime"] {
            let source = "\(Self.products)/\(program)"
            if link(source, "\(folder)/bin/\(program)") == 0 { continue }
            try FileContents.replace(
                "\(folder)/bin/\(program)", with: try FileContents.read(source, limitBytes: 1 << 30), mode: 0o755,
                durable: false)
        }
    }

    private static let products: String = {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlink("/proc/self/exe", &buffer, 4096)
        return PathName.split(String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self))
            .parent
    }()

    /// Has the machine ask another resolver for names.
    func use(resolver: String) throws {
        try write("resolv.conf", "nameserver \(resolver)\n")
        files.append("resolv.conf")
    }

    /// Writes the engine's configuration.
    func configure(_ text: String) throws {
        try Directory.create("\(folder)/home/.config/gantry")
        for name in ["", "/gantry"] { chown("\(folder)/home/.config\(name)", 1000, 1000) }
        try write("home/.config/gantry/daemon.json", text)
    }

    private func write(_ name: String, _ text: String) throws {
        try FileContents.replace("\(folder)/\(name)", with: Array(text.utf8), mode: 0o644, durable: false)
    }

    /// Runs `gantry` as the user, to its end.
    func gantry(_ words: String..., environment: [String] = []) throws -> Result {
        try shell(#"exec gantry "$@""#, words, environment: environment)
    }

    /// Runs a script of the shell as the user, to its end.
    func shell(_ script: String, _ words: [String] = [], environment: [String] = []) throws -> Result {
        let output = OwnedDescriptor(try Descriptor.open("/tmp", 0o20200000 | O_RDWR, mode: 0o600))
        let errors = OwnedDescriptor(try Descriptor.open("/tmp", 0o20200000 | O_RDWR, mode: 0o600))
        let pid = try spawn(script, words, environment, [nil, output.descriptor, errors.descriptor])
        var status: Int32 = 0
        try kernelCall("wait") { waitpid(pid, &status, 0) }
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return Result(code: code, output: try Self.text(output.descriptor), errors: try Self.text(errors.descriptor))
    }

    /// Starts a script as the user and does not wait for it; it becomes what it executes. The caller reaps it.
    func begin(_ script: String, _ words: [String] = []) throws -> Int32 {
        try spawn(script, words, [], [nil, nil, nil])
    }

    private func spawn(
        _ script: String, _ words: [String], _ environment: [String], _ descriptors: [Descriptor?]
    ) throws -> Int32 {
        let mounts = files.map { "mount --bind \(folder)/\($0) /etc/\($0)" }
        let devices = ["mount --bind \(folder)/tun /dev/net/tun", "mount --bind \(folder)/fuse /dev/fuse"]
        let hiding = hidden.map { "mount --bind /dev/null \($0)" }
        let become = #"exec setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all /bin/sh -c "$@""#
        var spawn = Spawn(
            program: "/usr/bin/unshare",
            arguments: [
                "unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
                (mounts + devices + hiding + [become]).joined(separator: " && "), "sh", script, "sh",
            ] + words)
        spawn.environment =
            [
                "PATH=\(folder)/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=\(folder)/home",
                "XDG_RUNTIME_DIR=\(folder)/run",
            ] + environment
        spawn.descriptors = descriptors
        spawn.workingDirectory = "\(folder)/home"
        return try spawn.start()
    }

    private static func text(_ file: Descriptor) throws -> String {
        try kernelCall("seek") { lseek(file.rawValue, 0, SEEK_SET) }
        return String(decoding: try file.readAll(), as: UTF8.self)
    }

    var socket: String { "\(folder)/run/gantry/gantry.sock" }

    /// Processes whose command line names this user's directories, and what is carried for it.
    func processes(_ wanted: String = "") -> [Int32] {
        ((try? Directory.list("/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
            // Gone since it was listed.
            let words = (try? FileContents.read("/proc/\(pid)/cmdline", limitBytes: 1 << 20)) ?? []
            let line = String(decoding: words.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
            return pid != getpid() && line.contains(folder) && line.contains(wanted)
        }
    }

    /// Lets `body` work as such a user, of whom nothing may be left then: neither a holder nor an uplink.
    static func with(_ body: (OrdinaryUser) throws -> Void) throws {
        let user = try OrdinaryUser()
        defer { user.remove() }
        try body(user)
        #expect(try user.remains() == [])
        #expect(access("\(user.folder)/run/gantry/uplink.pid", F_OK) != 0)
        #expect(access("\(user.folder)/run/gantry/namespaces.sock", F_OK) != 0)
    }

    /// Waits for the end of what is ending by itself: what is still there after ten seconds.
    func remains() throws -> [String] {
        for pid in processes() {
            // Gone meanwhile.
            guard let process = try? PidFD.open(pid: pid) else { continue }
            defer { process.close() }
            _ = try PidFD.waitForEnd(process, timeoutMilliseconds: 10_000)
        }
        return processes().map { pid in
            let words = (try? FileContents.read("/proc/\(pid)/cmdline", limitBytes: 1 << 20)) ?? []  // As above.
            return String(decoding: words.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
        }
    }

    /// Ends what a failed test left, and removes the directory.
    func remove() {
        for pid in processes() { kill(pid, SIGKILL) }
        // LeftoverTests tells of what stays.
        try? Directory.removeTree(folder)
    }
}
