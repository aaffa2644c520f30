import CLinux
import Glibc
import Linux
import OCI

/// The user namespace of an ordinary user's container, entered by the runtime itself before it makes anything: only in
/// there may it copy mounts, make namespaces and join them, while on the host it has no right to any of that.
///
/// ```
///   runtime                                    helper (stays outside)
///     ├── clone ─────────────────────────────────►│
///     │  unshare(user, mount)                     │
///     ├── 'm' ───────────────────────────────────►│  newuidmap, newgidmap for the runtime's pid
///     │◄────────────── end of file, or an error ──┤
/// ```
struct RootlessNamespace {
    let uids: [LinuxIDMapping]
    let gids: [LinuxIDMapping]
    /// Whether the container's processes may change their supplementary groups.
    let allowsGroups: Bool

    /// The helper programs are run only for mappings of ids beside the user's own, which need a privilege.
    private var needsHelper: Bool {
        let own = { (mappings: [LinuxIDMapping], id: UInt32) in
            mappings.count == 1 && mappings[0].size == 1 && mappings[0].hostID == id
        }
        return !own(uids, geteuid()) || !own(gids, getegid())
    }

    func enter() throws(RuntimeError) {
        guard needsHelper else {
            try unshare()
            return try attempt { () throws(KernelError) in
                // An ordinary user may map its group only after giving up setgroups.
                try FileContents.write("deny", to: "/proc/self/setgroups")
                try FileContents.write(Self.lines(uids), to: "/proc/self/uid_map")
                try FileContents.write(Self.lines(gids), to: "/proc/self/gid_map")
            }
        }
        try enterMapped()
    }

    /// Joins the user namespace of a container that runs, for a further process in it.
    static func join(_ process: Descriptor) throws(RuntimeError) {
        try attempt("unable to join the user namespace") { () throws(KernelError) in
            try kernelCall("setns") { gantry_setns(process.rawValue, LinuxNamespace.Kind.user.cloneFlag) }
        }
    }

    private func unshare() throws(RuntimeError) {
        try attempt("unable to make a user namespace") { () throws(KernelError) in
            let flags = LinuxNamespace.Kind.user.cloneFlag | LinuxNamespace.Kind.mount.cloneFlag
            try kernelCall("unshare") { gantry_unshare(flags) }
        }
    }

    private func enterMapped() throws(RuntimeError) {
        let (near, far) = try attempt { () throws(KernelError) in try SyncChannel.pair() }
        defer { near.socket.close() }
        let runtime = getpid()
        var pidfd: Int32 = -1
        let pid = try attempt { () throws(KernelError) in
            try kernelCall("clone") { gantry_clone3_fork(0, &pidfd, -1) }
        }
        if pid == 0 {
            near.socket.close()
            mapFromOutside(runtime, far)
        }
        far.socket.close()
        let helper = OwnedDescriptor(Descriptor(rawValue: pidfd))
        try unshare()
        if !allowsGroups {
            try attempt { () throws(KernelError) in try FileContents.write("deny", to: "/proc/self/setgroups") }
        }
        let answer = try attempt { () throws(KernelError) in
            try near.send(.placed)
            return try near.receive()
        }
        let code = try attempt { () throws(KernelError) in try PidFD.reap(helper.descriptor) }
        if case .failed(let words) = answer { throw RuntimeError(words) }
        guard code == 0 else { throw RuntimeError("the process that sets the id mappings ended with \(code)") }
    }

    /// The helper: never returns.
    private func mapFromOutside(_ runtime: Int32, _ far: SyncChannel) -> Never {
        do throws(RuntimeError) {
            let message = try attempt { () throws(KernelError) in try far.receive() }
            // Otherwise the runtime met an error, and says so itself.
            guard message == .placed else { _exit(1) }
            try Self.run("newuidmap", runtime, uids)
            try Self.run("newgidmap", runtime, gids)
            _exit(0)
        } catch {
            // The runtime may be gone: then there is nobody to tell.
            try? far.send(.failed(error.message))
            _exit(1)
        }
    }

    private static func run(_ name: String, _ pid: Int32, _ mappings: [LinuxIDMapping]) throws(RuntimeError) {
        let places: [String] = ["/usr/bin/\(name)", "/bin/\(name)", "/usr/local/bin/\(name)"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            throw RuntimeError("failed to use \(name): exec: \"\(name)\": executable file not found in $PATH")
        }
        var arguments = [name, String(pid)]
        for mapping in mappings {
            arguments += [String(mapping.containerID), String(mapping.hostID), String(mapping.size)]
        }
        try attempt("failed to use \(name)") { () throws(KernelError) in
            let complaints = OwnedDescriptor(try Descriptor.memory("stderr"))
            var spawn = Spawn(program: program, arguments: arguments)
            spawn.descriptors = [nil, nil, complaints.descriptor]
            let process = OwnedDescriptor(try PidFD.open(pid: try spawn.start()))
            guard try PidFD.reap(process.descriptor) != 0 else { return }
            try kernelCall("seek") { lseek(complaints.descriptor.rawValue, 0, SEEK_SET) }
            let words = String(decoding: try complaints.descriptor.readAll(limitBytes: 4096), as: UTF8.self)
            throw KernelError(String(words.prefix { $0 != "\n" }), "", .notPermitted)
        }
    }

    static func lines(_ mappings: [LinuxIDMapping]) -> String {
        mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }
}
