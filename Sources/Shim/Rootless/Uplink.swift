import CLinux
import Glibc
import Linux

/// The network namespace in which an ordinary user's bridges are, and the process that carries its packets to the world:
/// pasta or slirp4netns. Without either, containers still reach each other, and their ports are published.
struct Uplink {
    let directory: String
    let namespace: Descriptor
    /// Another holder made it, and may have left an uplink for it.
    private let isInherited: Bool
    private(set) var process: Descriptor?
    /// Which program it is, and where it answers names; or why there is none.
    private(set) var summary = ""
    /// Whether this was tried, and did not end since.
    var isUp = false
    /// slirp4netns ends when the other end of this is gone, however its holder ended.
    private var exitPipe: Descriptor?

    /// Takes the namespace that is there already, with bridges and containers' devices in it; or makes one, which has
    /// nothing but loopback.
    init(directory: String) throws(RootlessFailure) {
        self.directory = directory
        let path = "\(directory)/network"
        isInherited = Self.hasNamespace(in: directory)
        if isInherited {
            namespace = try attempt("open the network namespace") { () throws(KernelError) in
                try Descriptor.open(path, O_RDONLY)
            }
            return
        }
        namespace = try attempt("make a network namespace") { () throws(KernelError) in
            let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
            file.close()
            return try Self.make(boundTo: path)
        }
    }

    /// Whether a holder has bound one to its name in these mounts.
    static func hasNamespace(in directory: String) -> Bool {
        // Without the file nobody has.
        guard let file = try? Descriptor.open("\(directory)/network", O_RDONLY | O_NOFOLLOW) else { return false }
        defer { file.close() }
        // NSFS_MAGIC
        return gantry_filesystem_magic(file.rawValue) == 0x6E73_6673
    }

    /// A child is born in the namespace and holds it until it is bound to a name: this process itself could never come
    /// back from there.
    private static func make(boundTo path: String) throws(KernelError) -> Descriptor {
        var pidfd: Int32 = -1
        // CLONE_NEWNET.
        let pid = try kernelCall("clone") { gantry_clone3_fork(0x4000_0000, &pidfd, -1) }
        if pid == 0 {
            while true { pause() }
        }
        let child = OwnedDescriptor(Descriptor(rawValue: pidfd))
        defer {
            kill(pid, SIGKILL)
            _ = try? PidFD.reap(child.descriptor)  // It is gone either way.
        }
        try Mount.mount("/proc/\(pid)/ns/net", at: path, type: nil, .bind)
        return try Descriptor.open(path, O_RDONLY)
    }

    /// Tries what the machine has.
    mutating func start() throws(RootlessFailure) {
        if adoptStranger() { return }
        Self.endStranger(in: directory)
        var complaints: [String] = []
        for program in UplinkProgram.allCases {
            guard let path = OutsideProgram.find(program.rawValue) else { continue }
            do throws(RootlessFailure) {
                switch program {
                case .pasta: try startPasta(path)
                case .slirp4netns: try startSlirp(path)
                }
                (summary, isUp) = (program.summary, true)
                return
            } catch { complaints.append("\(program.rawValue): \(error)") }
        }
        if complaints.isEmpty {
            complaints = ["neither pasta nor slirp4netns is installed (Debian: apt install passt)"]
        }
        (summary, isUp) = ("none \(complaints.joined(separator: "; "))", true)
    }

    /// pasta goes to the background once it works, and is this process's child then: a subreaper's.
    private mutating func startPasta(_ path: String) throws(RootlessFailure) {
        let pidFile = "\(directory)/pasta.pid"
        let arguments = UplinkProgram.pastaArguments(namespace: "\(directory)/network", pidFile: pidFile)
        let outcome = try OutsideProgram(path: path, arguments: arguments).run()
        defer { unlink(pidFile) }
        guard outcome.code == 0 else { throw RootlessFailure(outcome.complaint) }
        process = try attempt("find it") { () throws(KernelError) in
            let text = String(decoding: try FileContents.read(pidFile, limitBytes: 64), as: UTF8.self)
            guard let pid = Int32(text.filter(\.isNumber)) else { throw KernelError("read", pidFile, .inputOutput) }
            return try adopt(pid, .pasta)
        }
    }

    private mutating func startSlirp(_ path: String) throws(RootlessFailure) {
        let (ready, exit) = try attempt("make pipes") { () throws(KernelError) in
            (try Descriptor.pipe(), try Descriptor.pipe())
        }
        let complaints = try attempt("make a file") { () throws(KernelError) in try OutsideProgram.memory() }
        defer { for given in [ready.reading, exit.reading, complaints] { given.close() } }
        process = try attempt("start it") { () throws(KernelError) in
            defer { ready.writing.close() }
            var spawn = Spawn(
                program: path, arguments: UplinkProgram.slirpArguments(namespace: "\(directory)/network"))
            spawn.descriptors = [nil, nil, complaints, ready.writing, exit.reading]
            return try adopt(try spawn.start(), .slirp4netns)
        }
        exitPipe = exit.writing
        // The end of the pipe without a word is its end.
        let word = try? ready.reading.readAll(limitBytes: 16)  // It cannot fail otherwise.
        guard word?.first == UInt8(ascii: "1") else {
            end()
            throw RootlessFailure((try? OutsideProgram.lastLine(of: complaints)) ?? "it ended")  // As told, or not.
        }
    }

    /// Remembered, for a holder that comes after this one was killed.
    private func adopt(_ pid: Int32, _ program: UplinkProgram) throws(KernelError) -> Descriptor {
        let process = try PidFD.open(pid: pid)
        let ticks = try ProcessStat.read(pid: pid).startTicks
        try FileContents.replace(
            "\(directory)/\(HolderFiles.uplink)", with: Array("\(pid) \(ticks) \(program.rawValue)\n".utf8),
            durable: false)
        return process
    }

    /// The uplink of a holder that was killed; nil where there is none, or it has ended.
    private static func stranger(in directory: String) -> (process: Descriptor, program: UplinkProgram)? {
        // None is the rule.
        guard let bytes = try? FileContents.read("\(directory)/\(HolderFiles.uplink)", limitBytes: 64) else {
            return nil
        }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 3, let pid = Int32(words[0]), let ticks = UInt64(words[1]),
            let program = UplinkProgram(rawValue: String(words[2])),
            // Gone, or another process by now.
            let process = try? PidFD.open(pid: pid, startTicks: ticks)
        else { return nil }
        return (process, program)
    }

    /// pasta goes on for the namespace whatever becomes of its holder; slirp4netns is told of that end, and ends.
    private mutating func adoptStranger() -> Bool {
        guard isInherited, let (stranger, program) = Self.stranger(in: directory) else { return false }
        guard program == .pasta, (try? PidFD.waitForEnd(stranger, timeoutMilliseconds: 0)) == false else {
            stranger.close()
            return false
        }
        (process, summary, isUp) = (stranger, program.summary, true)
        return true
    }

    /// One that nobody adopts would carry packets for nobody, or hinder its successor.
    static func endStranger(in directory: String) {
        guard let (stranger, _) = stranger(in: directory) else { return }
        defer { stranger.close() }
        try? PidFD.send(SIGTERM, to: stranger)  // It may end by itself first.
        _ = try? PidFD.waitForEnd(stranger, timeoutMilliseconds: 2000)  // Its successor says what hinders it.
    }

    mutating func end() {
        if let process {
            try? PidFD.send(SIGTERM, to: process)  // It may have ended.
            let ended = (try? PidFD.waitForEnd(process, timeoutMilliseconds: 2000)) ?? false  // Killed then.
            if !ended { try? PidFD.send(SIGKILL, to: process) }  // As above.
            _ = try? PidFD.reap(process)  // A child of this process, by birth or adoption.
            process.close()
            unlink("\(directory)/\(HolderFiles.uplink)")
        }
        exitPipe?.close()
        (process, exitPipe) = (nil, nil)
    }
}

/// The programs that carry packets for a user who may not.
enum UplinkProgram: String, CaseIterable {
    case pasta
    case slirp4netns

    /// Its name, and the address at which it answers names for the machine's own resolvers.
    var summary: String {
        switch self {
        case .pasta: "pasta \(Self.pastaResolver)"
        // Its own choice, the third of its network.
        case .slirp4netns: "slirp4netns 10.0.2.3"
        }
    }

    private static let pastaResolver = "169.254.1.1"

    /// Ports are published by the containers' shims, so it forwards none; and the machine's own services are not to be
    /// reached by the gateway's address.
    static func pastaArguments(namespace: String, pidFile: String) -> [String] {
        [
            "pasta", "--config-net", "--no-map-gw", "--quiet", "--no-netns-quit", "--dns-forward", pastaResolver,
            "-t", "none", "-u", "none", "-T", "none", "-U", "none", "--pid", pidFile, "--netns", namespace,
        ]
    }

    /// Descriptor 3 says when it works, descriptor 4 when it is to end.
    static func slirpArguments(namespace: String) -> [String] {
        [
            "slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", "--ready-fd=3", "--exit-fd=4",
            "--netns-type=path", namespace, "tap0",
        ]
    }
}
