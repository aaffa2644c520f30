import Glibc
import Linux

/// What a caller asks of `checkpoint` and `restore`.
struct CriuOptions {
    var imagePath = ""
    var workPath: String?
    /// Relative to the image's folder: the folder of an earlier pre-dump.
    var parentPath: String?
    var leavesRunning = false
    var isPreDump = false
    var pageServer: (address: String, port: Int32)?
    var statusDescriptor: Int32 = -1
    var cgroupMode: CriuRequest.CgroupMode = .default
    var lsmProfile: String?
    var lsmMountContext: String?
    /// Switches that are passed on as they are.
    var switches: Set<CriuRequest.Switch> = []

    private static let common: CommandArguments.Options = """
        image-path= work-path= tcp-established ext-unix-sk shell-job file-locks manage-cgroups-mode= empty-ns= auto-dedup \
        lazy-pages
        """
    static let ofCheckpoint =
        common + "parent-path= leave-running tcp-skip-in-flight link-remap status-fd= page-server= pre-dump"
    static let ofRestore = common + "lsm-profile= lsm-mount-context="

    init(_ arguments: CommandArguments) throws(RuntimeError) {
        imagePath = try Self.absolute(arguments["image-path"] ?? "checkpoint")
        workPath = try arguments["work-path"].flatMap { $0.isEmpty ? nil : $0 }.map(Self.absolute)
        parentPath = arguments["parent-path"].flatMap { $0.isEmpty ? nil : $0 }
        leavesRunning = try arguments.flag("leave-running")
        isPreDump = try arguments.flag("pre-dump")
        statusDescriptor = try arguments.integer("status-fd") ?? -1
        lsmProfile = arguments["lsm-profile"]
        lsmMountContext = arguments["lsm-mount-context"]
        for option in CriuRequest.Switch.allCases {
            if try arguments.flag(option.rawValue) { switches.insert(option) }
        }
        if let mode = arguments["manage-cgroups-mode"], !mode.isEmpty {
            guard let known = CriuRequest.CgroupMode(mode) else {
                throw RuntimeError("invalid manage-cgroups-mode value")
            }
            cgroupMode = known
        }
        for name in arguments.all("empty-ns") where name != "network" {
            throw RuntimeError("namespace \"\(name)\" is not supported")
        }
        if let server = arguments["page-server"], !server.isEmpty { pageServer = try Self.server(server) }
    }

    private static func server(_ text: String) throws(RuntimeError) -> (address: String, port: Int32) {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex, text.last != ":" else {
            throw RuntimeError("Use --page-server ADDRESS:PORT to specify page server")
        }
        guard let port = Int32(text[text.index(after: colon)...]), port > 0, port < 65536 else {
            throw RuntimeError("Invalid port number")
        }
        let address = text[..<colon].filter { $0 != "[" && $0 != "]" }
        return (address, port)
    }

    /// The folder of the images, made where it is missing, and its parent, which must be there.
    func prepare() throws(RuntimeError) {
        try attempt { () throws(KernelError) in
            try Directory.create(imagePath, mode: 0o700)
            if let workPath { try Directory.create(workPath, mode: 0o700) }
        }
        guard let parentPath else { return }
        guard !parentPath.hasPrefix("/") else { throw RuntimeError("--parent-path must be relative") }
        try attempt("invalid --parent-path") { () throws(KernelError) in
            try Descriptor.open(PathName.joined(imagePath, parentPath), O_PATH | O_DIRECTORY).close()
        }
    }

    /// A status descriptor must be there to be written to.
    func checkStatusDescriptor() throws(RuntimeError) {
        guard statusDescriptor >= 0 else { return }
        let flags = fcntl(statusDescriptor, F_GETFL)
        guard flags >= 0 else {
            throw RuntimeError(
                "invalid --status-fd argument \(statusDescriptor): \(Errno(rawValue: EBADF))")
        }
        guard flags & O_ACCMODE != O_RDONLY else {
            throw RuntimeError("invalid --status-fd argument \(statusDescriptor): not writable")
        }
    }

    static func absolute(_ path: String) throws(RuntimeError) -> String {
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else { throw RuntimeError("getcwd: \(Errno.noSuchFile)") }
        defer { free(current) }
        return PathName.joined(String(cString: current), path)
    }
}
