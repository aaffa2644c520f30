import Glibc
import Linux

/// The volumes' directories and mounts on the host. Blocking.
///
///     volumes/NAME/_data         the files, or where they are mounted
///     volumes/NAME/_…            while it is filled: `VolumeFilling`
///     volumes/.removed/NAME      being removed: its name is free already
struct VolumeHost: Sendable {
    let directory: String
    /// Whose new volumes are: the root's of containers.
    var owner: IDRemap?

    func folder(_ name: String) -> String { "\(directory)/\(name)" }
    func mountpoint(_ name: String) -> String { "\(directory)/\(name)/_data" }
    private var removed: String { "\(directory)/.removed" }

    func make(_ name: String) throws(KernelError) {
        let place = mountpoint(name)
        // Whatever the umask of the user is whose command the engine lives in.
        for (path, mode) in [(folder(name), mode_t(0o701)), (place, 0o755)] {
            try Directory.create(path, mode: mode)
            try kernelCall("chmod", path) { chmod(path, mode) }
        }
        if let owner { try kernelCall("chown", place) { chown(place, owner.rootUID, owner.rootGID) } }
    }

    /// Takes back what `make` made and nobody has filled.
    func unmake(_ name: String) {
        rmdir(mountpoint(name))
        rmdir(folder(name))
    }

    /// Takes a volume out of its name's way; a directory that is missing is no failure.
    func setAside(_ name: String) throws(KernelError) {
        try Directory.create(removed, mode: 0o700)
        try Directory.removeTree("\(removed)/\(name)")
        do throws(KernelError) {
            try kernelCall("rename", folder(name)) { rename(folder(name), "\(removed)/\(name)") }
        } catch  where error.errno == .noSuchFile { return }
    }

    func putBack(_ name: String) { rename("\(removed)/\(name)", folder(name)) }

    func deleteRemoved(_ name: String) throws(KernelError) { try Directory.removeTree("\(removed)/\(name)") }

    /// What an engine was killed over: volumes that it was removing.
    func removedNames() -> [String] {
        // None was ever removed.
        (try? Directory.list(removed)) ?? []
    }

    /// Directories of creations that were cut short; one with files in it is left alone, whoever has put them there.
    func removeUnknown(except known: Set<String>) {
        // Without the directory there is nothing.
        for name in (try? Directory.list(directory)) ?? [] where !known.contains(name) && !name.hasPrefix(".") {
            unmake(name)
        }
    }

    /// The volumes that have something mounted at their place.
    func mounted() throws(KernelError) -> Set<String> {
        guard let place = realpath(directory, nil) else { return [] }
        defer { free(place) }
        let (start, end) = (String(cString: place) + "/", "/_data")
        return Set(
            try MountTable.current().map(\.mountPoint).filter { $0.hasPrefix(start) && $0.hasSuffix(end) }
                .map { String(Substring($0.utf8.dropFirst(start.utf8.count).dropLast(end.utf8.count))) })
    }

    func mount(_ plan: VolumeMountPlan, at name: String) throws(KernelError) {
        let data = plan.data.isEmpty ? nil : plan.data
        try Mount.mount(plan.source, at: mountpoint(name), type: plan.type, plan.flags, data: data)
        guard plan.needsRemount else { return }
        do throws(KernelError) {
            try Mount.mount(nil, at: mountpoint(name), type: nil, plan.flags.union([.remount, .bind]))
        } catch {
            try? Mount.unmount(mountpoint(name), detach: true)  // The first failure is the one to tell of.
            throw error
        }
    }

    func unmount(_ name: String, detach: Bool) throws(KernelError) {
        try Mount.unmount(mountpoint(name), detach: detach)
    }
}

/// A volume's mount, by the options that it was created with.
struct VolumeMountPlan: Hashable, Sendable {
    var type: String
    var source: String
    var flags: MountFlags
    var data: String

    init(type: String, source: String, options: [String]) {
        let list = MountOptionList(options)
        self.type = type
        self.source = source
        flags = list.flags
        data = list.data.joined(separator: ",")
    }

    /// Nothing of it outlasts its mount.
    var isMemory: Bool { type == "tmpfs" || type == "ramfs" }

    /// A bind mount takes the other flags only from a second call.
    var needsRemount: Bool { flags.contains(.bind) && !flags.subtracting([.bind, .recursive]).isEmpty }
}
