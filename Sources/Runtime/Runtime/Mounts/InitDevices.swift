import CLinux
import Glibc
import Linux
import OCI

/// Device nodes and the links that programs expect in `/dev`.
struct InitDevices {
    let plan: ContainerPlan
    let sources: BindSources
    let tree: RootedTree

    func make() throws(KernelError) {
        guard !plan.devices.isEmpty else { return }
        // Else the mask of whoever called the runtime would take rights off /dev/null.
        let mask = umask(0)
        defer { umask(mask) }
        let dev = OwnedDescriptor(try tree.createDirectories("/dev"))
        for device in distinct { try make(device, dev.descriptor) }
        try makeLinks(dev.descriptor)
    }

    /// The last one counts where a path is given twice, as by a document that lists the standard nodes too.
    private var distinct: [LinuxDevice] {
        if plan.spec.linux.devices.isEmpty { return plan.devices }
        var paths: Set<String> = []
        return plan.devices.reversed().filter { paths.insert($0.path).inserted }
    }

    private func make(_ device: LinuxDevice, _ dev: Descriptor) throws(KernelError) {
        let (parent, name) = PathName.split(PathName.cleaned(device.path))
        if let source = sources.devices[device.path] {
            let place = OwnedDescriptor(try tree.createFile(device.path))
            return try Mount.attach(source, at: place.descriptor, named: device.path)
        }
        if parent == "/dev" { return try makeNode(device, name, in: dev) }
        let directory = OwnedDescriptor(try tree.createDirectories(parent))
        try makeNode(device, name, in: directory.descriptor)
    }

    private func makeNode(_ device: LinuxDevice, _ name: String, in directory: Descriptor) throws(KernelError) {
        let number = directory.rawValue
        let kind: mode_t = device.type == "b" ? S_IFBLK : device.type == "p" ? S_IFIFO : S_IFCHR
        let mode = mode_t(device.fileMode ?? 0o666) & 0o7777
        do throws(KernelError) {
            try kernelCall("mknod", device.path) {
                gantry_mknod_at(number, name, kind | mode, UInt32(device.major), UInt32(device.minor))
            }
        } catch  where error.errno == .exists {
            // One from the image, or given twice: it must be the one that was asked for.
            var facts = stat()
            try kernelCall("stat", device.path) { fstatat(number, name, &facts, AT_SYMLINK_NOFOLLOW) }
            let isSame =
                facts.st_mode & S_IFMT == kind
                && (kind == S_IFIFO
                    || gantry_major(UInt64(facts.st_rdev)) == device.major
                        && gantry_minor(UInt64(facts.st_rdev)) == device.minor)
            guard isSame else { throw error }
        }
        guard device.uid != nil || device.gid != nil else { return }
        try kernelCall("chown", device.path) {
            fchownat(number, name, device.uid ?? 0, device.gid ?? 0, AT_SYMLINK_NOFOLLOW)
        }
    }

    private func makeLinks(_ dev: Descriptor) throws(KernelError) {
        try link("fd", to: "/proc/self/fd", dev)
        try link("stdin", to: "/proc/self/fd/0", dev)
        try link("stdout", to: "/proc/self/fd/1", dev)
        try link("stderr", to: "/proc/self/fd/2", dev)
        try link("ptmx", to: "pts/ptmx", dev)
    }

    private func link(_ name: String, to target: String, _ dev: Descriptor) throws(KernelError) {
        do throws(KernelError) {
            try kernelCall("symlink", "/dev/\(name)") { symlinkat(target, dev.rawValue, name) }
        } catch  where error.errno == .exists {
            // The image's own, on an image's own /dev.
        }
    }
}
