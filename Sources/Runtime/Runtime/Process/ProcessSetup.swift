import CLinux
import Glibc
import Linux
import OCI

/// Turns the calling process, already inside the container, into one with the rights of the container's program: the
/// last steps before it is executed, alike for the first program and for further ones.
struct ProcessSetup {
    let plan: ProcessPlan
    let seccomp: SeccompFilter?
    /// What the filter was made of.
    var profile: LinuxSeccomp?
    /// Of the container, whose programs all have it.
    var personality: LinuxPersonality?
    /// As above.
    var memoryPolicy: MemoryPolicyPlan?
    /// Descriptors after the standard three that the program is to keep.
    let preservedDescriptors: Int32
    /// Those of them that are listening sockets.
    var activation = SocketActivation()

    private var process: RuntimeProcess { plan.process }
    private var hasScheduling: Bool {
        process.scheduler != nil || process.ioPriority != nil || personality != nil || memoryPolicy != nil
    }

    /// Everything but the execution; returns the program, found.
    ///
    /// - Parameter channel: to the runtime, for a filter that asks an agent.
    func apply(_ channel: SyncChannel) throws(RuntimeError) -> ProgramImage {
        try applyLabels()
        let image = try settle(channel, schedules: true)
        try askAgent(channel)
        return image
    }

    func applyLabels() throws(RuntimeError) { try SecurityLabels(process: process, facts: plan.facts).apply() }

    /// Takes on the program's rights and no others; returns the program, found.
    ///
    /// - Parameter schedules: whether the process's own scheduling is set, which a child would not have in every case.
    func settle(_ channel: SyncChannel, schedules: Bool) throws(RuntimeError) -> ProgramImage {
        // Needs rights that are given up next.
        if hasScheduling {
            try Scheduling(
                scheduler: schedules ? process.scheduler : nil, ioPriority: process.ioPriority,
                personality: personality, memoryPolicy: memoryPolicy
            ).apply()
        }
        // A folder may be closed to the program's user and be its place all the same (root's own, for an image that leaves
        // root last), or be open to that user alone.
        let hasEntered = try enterWorkingDirectory(allowingDenial: true)
        try attempt { () throws(KernelError) in try restrict(channel) }
        try switchUser()
        if !hasEntered { _ = try enterWorkingDirectory(allowingDenial: false) }
        return try ProgramImage(arguments: process.args, environment: environment())
    }

    /// Installs a filter that asks an agent, where no_new_privs allows to do it now: later nobody would be there to take
    /// the descriptor to the agent.
    func askAgent(_ channel: SyncChannel) throws(RuntimeError) {
        guard installsAtOnce, process.noNewPrivileges else { return }
        try attempt { () throws(KernelError) in
            try closeOnExecution()
            try seccomp?.install(channel)
        }
    }

    /// Whether a process can take on the program's rights and still make the one that executes it. Without no_new_privs the
    /// filter is installed before the rights are given up: it must let the rest through, and have nobody to ask.
    var canSettleFirst: Bool {
        // The helper would be one more process of a user that may have no more.
        if plan.rlimits.contains(where: { $0.resource == Int32(__RLIMIT_NPROC.rawValue) }) { return false }
        guard let seccomp, !process.noNewPrivileges else { return true }
        guard seccomp.listener == nil, let profile else { return false }
        return SeccompVerdict.allowsEntry(profile)
    }

    /// Whether nobody has anything to do for the process between its making and its execution.
    var isLeftAlone: Bool { process.scheduler == nil && !installsAtOnce }

    private var installsAtOnce: Bool { seccomp?.listener != nil }

    /// The very last: the filter, where no_new_privs allows to set it without a privilege, and the execution. Nothing of
    /// ours stays open in the program.
    func execute(_ image: ProgramImage) throws(RuntimeError) -> Never {
        let isFiltered = seccomp != nil && (installsAtOnce || !process.noNewPrivileges)
        if !isFiltered {
            try attempt { () throws(KernelError) in
                try closeOnExecution()
                try seccomp?.install(nil)
            }
        }
        let error = image.execute()
        throw RuntimeError("exec \(image.path): \(error.errno)", exitCode: 255)
    }

    /// Marks all but the standard streams and what the caller wants kept. Before a filter is installed, which may refuse it.
    private func closeOnExecution() throws(KernelError) {
        let first = UInt32(3 + preservedDescriptors)
        // CLOSE_RANGE_CLOEXEC 4.
        try kernelCall("close_range") { gantry_close_range(first, UInt32.max, 4) }
    }

    private func restrict(_ channel: SyncChannel) throws(KernelError) {
        if process.noNewPrivileges {
            // PR_SET_NO_NEW_PRIVS.
            try kernelCall("set no_new_privs") { gantry_prctl(38, 1, 0, 0, 0) }
        } else {
            // Without no_new_privs a filter needs CAP_SYS_ADMIN, which is dropped next.
            if seccomp != nil { try closeOnExecution() }
            try seccomp?.install(channel)
        }
        for number in 0..<64 where plan.capabilities.bounding.rawValue >> UInt64(number) & 1 == 0 {
            // PR_CAPBSET_DROP 24 takes a right, without which there may still be nothing to be dropped.
            if gantry_prctl(24, UInt(number), 0, 0, 0) == 0 { continue }
            // PR_CAPBSET_READ 23 fails with EINVAL past the kernel's last capability.
            let has = gantry_prctl(23, UInt(number), 0, 0, 0)
            if has < 0 { break }
            guard has == 1 else { continue }
            try kernelCall("drop from the bounding set capability", String(number)) {
                gantry_prctl(24, UInt(number), 0, 0, 0)
            }
        }
    }

    private func switchUser() throws(RuntimeError) {
        let user = process.user
        try attempt { () throws(KernelError) in
            // PR_SET_KEEPCAPS 8: else the change of user takes all capabilities along.
            try kernelCall("set keepcaps") { gantry_prctl(8, 1, 0, 0, 0) }
            try giveStandardStreams(to: user.uid)
            if let mask = user.umask { _ = umask(mode_t(mask)) }
            do throws(KernelError) {
                try kernelCall("setgroups") { setgroups(user.additionalGids.count, user.additionalGids) }
            } catch  where error.errno == .notPermitted && user.additionalGids.isEmpty {
                // The kernel's own word, and no file's of the container: in a user namespace of an ordinary user
                // setgroups(2) is forbidden for good. Where it is not, setgid(2) needs the same right and fails next.
            }
            try kernelCall("setgid", String(user.gid)) { gantry_set_group(user.gid) }
            try kernelCall("setuid", String(user.uid)) { gantry_set_user(user.uid) }
            try kernelCall("set keepcaps") { gantry_prctl(8, 0, 0, 0, 0) }
            let sets = plan.capabilities
            try kernelCall("set capabilities") {
                gantry_capset(sets.effective.rawValue, sets.permitted.rawValue, sets.inheritable.rawValue)
            }
            // PR_CAP_AMBIENT 47: clear all 4, raise 2.
            try kernelCall("clear ambient capabilities") { gantry_prctl(47, 4, 0, 0, 0) }
            for number in 0..<CapabilitySet.count where sets.ambient.rawValue >> UInt64(number) & 1 == 1 {
                // The kernel wants it in the permitted and inheritable sets; others pass it over, too.
                _ = gantry_prctl(47, 2, UInt(number), 0, 0)
            }
        }
    }

    /// The program must be able to open `/dev/stdout` anew, which asks for the rights of the file behind it. Files that
    /// cannot be given away (a read-only file system, another's) stay as they are.
    private func giveStandardStreams(to uid: UInt32) throws(KernelError) {
        for number in Int32(0)...2 {
            var facts = stat()
            guard fstat(number, &facts) == 0 else { continue }
            // Of the host: every path through it would lead out of the container (CVE-2024-21626).
            guard facts.st_mode & S_IFMT != S_IFDIR else {
                throw KernelError("use as a standard stream", "descriptor \(number)", .isDirectory)
            }
            guard facts.st_uid != uid else { continue }
            let isNull = facts.st_mode & S_IFMT == S_IFCHR && facts.st_rdev == 0x103
            if !isNull { _ = fchown(number, uid, gid_t.max) }
        }
    }

    /// Whether it could be.
    private func enterWorkingDirectory(allowingDenial: Bool) throws(RuntimeError) -> Bool {
        let failure = "chdir to cwd (\"\(process.cwd)\") set in config.json failed"
        do throws(KernelError) {
            try kernelCall("chdir", process.cwd) { chdir(process.cwd) }
        } catch {
            if allowingDenial, error.errno == .accessDenied || error.errno == .notPermitted { return false }
            throw RuntimeError("\(failure): \(error.errno)")
        }
        try attempt(failure) { () throws(KernelError) in
            // A directory outside the root (reached by a leaked descriptor) has no path here: CVE-2024-21626.
            guard let current = getcwd(nil, 0) else { throw KernelError("getcwd", process.cwd, .noSuchFile) }
            defer { free(current) }
            guard current[0] == 47 else { throw KernelError("getcwd", process.cwd, .accessDenied) }
        }
        return true
    }

    /// The configured environment, and `HOME` from the container's passwd(5) where it has none.
    private func environment() -> [String] {
        var variables = Self.lastOfEach(process.env + activation.environment)
        if variables.contains(where: { $0.hasPrefix("HOME=") && $0.utf8.count > 5 }) { return variables }
        variables.removeAll { $0.hasPrefix("HOME=") }
        return variables + ["HOME=\(homeDirectory())"]
    }

    /// Of variables of the same name the last one counts, for every reader. Few are compared one by one, for which no table
    /// is needed; many have one, so that they cost no more than their number.
    static func lastOfEach(_ variables: [String]) -> [String] {
        func name(_ variable: String) -> Substring.UTF8View { variable.utf8.prefix { $0 != 61 } }
        guard variables.count > 64 else {
            var kept: [String] = []
            for (index, variable) in variables.enumerated() {
                let own = name(variable)
                if !variables[(index + 1)...].contains(where: { name($0).elementsEqual(own) }) { kept.append(variable) }
            }
            return kept
        }
        var seen: Set<[UInt8]> = []
        return variables.reversed().filter { seen.insert(Array(name($0))).inserted }.reversed()
    }

    private func homeDirectory() -> String {
        // No file, or one that is too long to be believed: the root, as in other runtimes.
        guard let bytes = try? Self.regularFile("/etc/passwd") else { return "/" }
        let uid = String(process.user.uid)
        for line in bytes.split(separator: 10) {
            let fields = line.split(separator: 58, omittingEmptySubsequences: false)
            if fields.count >= 6, String(decoding: fields[2], as: UTF8.self) == uid, !fields[5].isEmpty {
                return String(decoding: fields[5], as: UTF8.self)
            }
        }
        return "/"
    }

    /// An image may have a pipe there, whose opening would wait for a writer.
    private static func regularFile(_ path: String) throws(KernelError) -> [UInt8] {
        let file = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_NONBLOCK))
        guard try file.descriptor.status().st_mode & S_IFMT == S_IFREG else {
            throw KernelError("read", path, .invalidArgument)
        }
        return try file.descriptor.readAll(limitBytes: 1 << 20)
    }
}
