import CLinux
import Glibc
import Linux
import ShimAPI

/// The mounts that make up a container's root, in a mount namespace of the shim: the host's table stays clean, and
/// they end with the shim however it ends.
enum RootMounts {
    /// unshare(2), then each mount in order. Only for the process's one thread.
    ///
    /// - Parameter ids: of a container with a user namespace.
    static func enter(_ mounts: [ShimTask.Mount], _ ids: ShimTask.FileIDs?) throws(KernelError) {
        // Outside of the namespace: a program within would hold what it serves, and so itself, for ever.
        var served: [String: FuseServer] = [:]
        defer { for server in served.values { close(server) } }
        for mount in mounts { served[mount.target] = try serve(mount) }
        try kernelCall("unshare the mount namespace") { gantry_unshare(0x0002_0000) }
        // Slave: what the host mounts later still appears here, and nothing of here ever there.
        try Mount.setPropagation("/", .slave.union(.recursive))
        guard let ids else { return try make(mounts, served) }
        try ids.translate()
        // Overlayfs makes files of its own at once, as who mounts it.
        let ownership = try FileOwnership(uid: ids.rootUID, gid: ids.rootGID)
        defer { ownership.end() }
        try make(mounts, served)
    }

    /// Takes them out of the shim's namespace again: umount2(2) with `MNT_DETACH`.
    static func detach(_ mounts: [ShimTask.Mount]) {
        for mount in mounts.reversed() {
            do throws(KernelError) { try Mount.unmount(mount.target, detach: true) } catch {
                Diagnostics.note("unmount \(mount.target): \(error)")
            }
        }
    }

    /// The program that a file system in user space needs; it is this process's child, and the reaper's once it ends.
    private static func serve(_ mount: ShimTask.Mount) throws(KernelError) -> FuseServer? {
        guard let program = mount.server else { return nil }
        return try FuseServer.start(
            program: program, options: mount.options.joined(separator: ","), in: mount.source)
    }

    private static func close(_ server: FuseServer) {
        server.root.close()
        server.process.close()
    }

    private static func make(
        _ mounts: [ShimTask.Mount], _ served: [String: FuseServer]
    ) throws(KernelError) {
        for mount in mounts {
            if let server = served[mount.target] {
                try Mount.attach(server.root, at: mount.target)
            } else {
                try make(mount)
            }
        }
    }

    private static func make(_ mount: ShimTask.Mount) throws(KernelError) {
        if let owner = mount.owner { return try share(mount, of: owner) }
        if let path = mount.beneath {
            let part = OwnedDescriptor(try Mount.cloneTree(beneath: path, of: mount.source))
            return try Mount.attach(part.descriptor, at: mount.target)
        }
        let plan = RootMountPlan(mount)
        if let directory = plan.workingDirectory {
            try kernelCall("change to", directory) { chdir(directory) }
        }
        let data = plan.data.isEmpty ? nil : plan.data
        try Mount.mount(mount.source, at: mount.target, type: mount.type, plan.flags, data: data)
        if plan.needsRemount {
            try Mount.mount(nil, at: mount.target, type: nil, plan.flags.union(.remount))
        }
        if plan.workingDirectory != nil { try kernelCall("change to", "/") { chdir("/") } }
    }

    /// Another container's own mount, at a place of this one's.
    private static func share(_ mount: ShimTask.Mount, of owner: ShimProcess) throws(KernelError) {
        let process = OwnedDescriptor(try PidFD.open(pid: owner.pid, startTicks: owner.startTicks))
        let copy = OwnedDescriptor(try MountNamespace.copyMount(mount.source, of: process.descriptor))
        try Mount.attach(copy.descriptor, at: mount.target)
    }
}

/// The options of mount(8) as mount(2) takes them.
struct RootMountPlan: Hashable {
    /// mount(2) takes one page of data.
    private static let dataLimit = 4000

    var flags: MountFlags = []
    var data = ""
    /// Where to stand while mounting, so that paths in `data` may be short.
    var workingDirectory: String?

    init(_ mount: ShimTask.Mount) {
        let list = MountOptionList(mount.options)
        flags = list.flags
        if mount.type == "bind" { flags.insert(.bind) }
        data = list.data.joined(separator: ",")
        if data.utf8.count > Self.dataLimit { shorten(list.data) }
    }

    /// A bind mount takes the other flags only from a second call.
    var needsRemount: Bool { flags.contains(.bind) && !flags.subtracting([.bind, .recursive]).isEmpty }

    /// Many layers make a long option: names them from the directory that they have in common.
    private mutating func shorten(_ options: [String]) {
        guard let lower = options.first(where: { $0.hasPrefix("lowerdir=") }) else { return }
        let paths = OverlayPath.parts(lower.dropFirst(9))
        guard var common = paths.first?.split(separator: "/").dropLast() else { return }
        for path in paths.dropFirst() {
            let parts = path.split(separator: "/")
            let shared = zip(common, parts).prefix { $0 == $1 }.count
            common = common.prefix(shared)
        }
        let directory = "/" + common.joined(separator: "/")
        guard directory != "/" else { return }
        workingDirectory = OverlayPath.unescaped(directory)
        let short = paths.map { String($0.dropFirst(directory.count + 1)) }.joined(separator: ":")
        data = options.map { $0 == lower ? "lowerdir=\(short)" : $0 }.joined(separator: ",")
    }
}
