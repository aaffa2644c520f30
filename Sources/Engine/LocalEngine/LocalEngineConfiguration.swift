import Glibc
import Lifecycle
import Linux
import Networking
import Rootless

/// Where an engine lives and which programs it uses.
public struct LocalEngineConfiguration: Hashable, Sendable {
    /// What outlives a reboot: images, containers, logs, metadata.
    public var dataRoot: String
    /// What belongs to this boot: shims, bundles, sockets.
    public var runRoot: String
    /// The cgroup under which all containers are, below each hierarchy's root: `/gantry`.
    public var cgroupParent: String
    /// The program `gantry-shim`: an absolute path.
    public var shimPath: String
    /// The OCI runtime: `gantry-runtime`, `runc` or `crun`; an absolute path.
    public var runtimePath: String
    /// Names further runtimes, in docker's form (`daemon.json`: `runtimes`, `default-runtime`); need not be there.
    public var configurationPath: String
    /// Pack the starter image where the store holds none.
    public var packsStarterImage = true
    /// Start containers that rest where their policy starts them with the machine, as docker's daemon does when it starts:
    /// also of those that were stopped by hand, where the policy is `always`.
    package var startsByPolicy = false
    /// The static busybox for it; nil to look in the usual places.
    public var busyboxPath: String?
    /// Where passwd, group, subuid and subgid are, for `userns-remap`.
    package var accountsDirectory = "/etc"
    /// How many files a container's processes may have open where nothing is asked for; nil for as many as this process.
    package var containerOpenFiles: OpenFileLimit?
    /// An ordinary user's namespaces, in which this process is.
    package var rootless: RootlessSession?

    /// The machine's own engine: `/var/lib/gantry` and `/run/gantry`.
    ///
    /// The programs are looked for beside this one, unless `GANTRY_SHIM` and `GANTRY_RUNTIME` name them.
    public init() {
        dataRoot = "/var/lib/gantry"
        runRoot = "/run/gantry"
        cgroupParent = "/gantry"
        configurationPath = "/etc/gantry/daemon.json"
        shimPath = Self.program("gantry-shim", "GANTRY_SHIM")
        runtimePath = Self.program("gantry-runtime", "GANTRY_RUNTIME")
    }

    /// An engine of its own below a directory, so that several live side by side: `--root`.
    public init(root: String) {
        self.init()
        let root = Self.absolute(root)
        dataRoot = PathName.joined(root, "data")
        runRoot = PathName.joined(root, "run")
        cgroupParent = "/gantry-\(Self.shortHash(root))"
        configurationPath = PathName.joined(root, "daemon.json")
    }

    /// An ordinary user's engine, for a process that has entered its namespaces.
    ///
    /// - Parameter root: what `places` were made from, where they are an engine of its own.
    package init(_ session: RootlessSession, root: String?) {
        self.init()
        rootless = session
        (dataRoot, runRoot) = (session.places.dataRoot, session.places.runRoot)
        configurationPath = session.places.configurationPath
        if let root { cgroupParent = "/gantry-\(Self.shortHash(root))" }
        // Nobody but the user has a say in what is below what was delegated to it; without that there are no cgroups.
        if let given = try? CgroupDelegation.find(try CgroupLayout.current()) {  // Not readable: none.
            cgroupParent = given.path + cgroupParent
        }
    }

    /// The socket at which whoever hosts this engine serves it.
    public var apiSocketPath: String { PathName.joined(runRoot, "gantry.sock") }

    var roots: EngineRoots { EngineRoots(data: dataRoot, run: runRoot, cgroupParent: cgroupParent) }

    /// Another engine than the machine's own has links and rules of its own names, as it has cgroups.
    var networkRoots: NetworkRoots {
        let name = PathName.split(cgroupParent).name
        let suffix = name.hasPrefix("gantry-") ? String(name.dropFirst(7).prefix(8)) : ""
        return NetworkRoots(runRoot: runRoot, dataRoot: dataRoot, suffix: suffix)
    }

    /// A path as `--root` takes it.
    package static func absolute(_ path: String) -> String {
        PathName.cleaned(path.hasPrefix("/") ? path : "\(workingDirectory)/\(path)")
    }

    private static func program(_ name: String, _ variable: String) -> String {
        if let value = getenv(variable).map({ String(cString: $0) }), !value.isEmpty { return value }
        return PathName.joined(PathName.split(own).parent, name)
    }

    /// This program's file.
    private static var own: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, Int(PATH_MAX))
        guard count > 0 else { return "/usr/bin/gantry" }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static var workingDirectory: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard getcwd(&buffer, buffer.count) != nil else { return "/" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// FNV-1a over the path's bytes: eight digits, the same in every run.
    private static func shortHash(_ text: String) -> String {
        var hash: UInt32 = 2_166_136_261
        for byte in text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
