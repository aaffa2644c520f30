import CLinux
import Glibc
import Linux
import OCI

/// The container's mounts, made by init in its own mount namespace before the root changes. Each target is found below
/// the new root by descriptor, so that no symbolic link of the image leads out of it.
struct InitMounts {
    let plan: ContainerPlan
    let sources: BindSources
    let tree: RootedTree
    /// Called before the first thing that needs the runtime to have placed init into its cgroups.
    let awaitPlacement: () throws(RuntimeError) -> Void

    func mountAll() throws(RuntimeError) {
        for (index, mount) in plan.mounts.enumerated() {
            do throws(KernelError) {
                switch mount.source {
                case .filesystem(let type, let source): try mountNew(mount, type: type, source: source)
                case .bind:
                    if let text = sources.links[index] {
                        try makeLink(text, at: mount.destination)
                    } else {
                        try mountBind(mount, index)
                    }
                case .cgroup: break
                }
            } catch {
                throw RuntimeError(
                    "error mounting \"\(mount.sourceName)\" to rootfs at \"\(mount.destination)\": \(error)")
            }
            if case .cgroup = mount.source { try mountCgroups(mount, index) }
        }
    }

    /// `/dev` is filled while it can be written, and made read-only after that, where this was asked for.
    func finishDev() throws(KernelError) {
        for mount in plan.mounts where mount.destination == "/dev" && mount.options.set.contains(.readOnly) {
            let place = OwnedDescriptor(try tree.place("/dev"))
            try Mount.setAttributes(place.descriptor, set: .readOnly, named: "/dev")
        }
    }

    private func mountNew(_ mount: MountPlan, type: String, source: String) throws(KernelError) {
        let inherited = type == "tmpfs" ? try inheritedMode(mount) : nil
        let target = OwnedDescriptor(try createTarget(mount, type))
        var flags = mount.options.mountFlags
        if mount.destination == "/dev" || mount.options.copiesUp { flags.remove(.readOnly) }
        var data = mount.options.data.isEmpty ? nil : mount.options.data
        if let inherited { data = data.map { "\(inherited),\($0)" } ?? inherited }
        try Mount.mount(source, at: target.descriptor.procPath, type: type, flags, data: data)
        let mounted = OwnedDescriptor(try tree.place(mount.destination))
        if mount.options.copiesUp {
            try TreeCopy.copy(from: target.descriptor, to: mounted.descriptor)
            if mount.options.set.contains(.readOnly) {
                try Mount.setAttributes(mounted.descriptor, set: .readOnly, named: mount.destination)
            }
        }
        try applyPropagation(mount, mounted.descriptor)
        try applyRecursive(mount, mounted.descriptor)
    }

    /// A tmpfs over a directory of the image has that directory's mode, unless it is given one: by itself it would be
    /// anybody's to write to.
    private func inheritedMode(_ mount: MountPlan) throws(KernelError) -> String? {
        let hasMode = mount.options.data.split(separator: ",").contains { $0.hasPrefix("mode=") }
        if hasMode { return nil }
        do throws(KernelError) {
            let place = OwnedDescriptor(try tree.place(mount.destination))
            let mode = try place.descriptor.status().st_mode & 0o7777
            return "mode=" + String(mode, radix: 8)
        } catch  where error.errno == .noSuchFile {
            return nil
        }
    }

    /// Whoever can turn a link on the way to `/proc` or `/sys` elsewhere would decide what is masked, made read-only and
    /// written to later (CVE-2019-19921, CVE-2023-27561, CVE-2025-54867).
    private func createTarget(_ mount: MountPlan, _ type: String) throws(KernelError) -> Descriptor {
        let made = try tree.createDirectories(mount.destination)
        guard type == "proc" || type == "sysfs" else {
            try refuseInsideProc(made, mount)
            return made
        }
        made.close()
        do throws(KernelError) {
            return try tree.ordinaryDirectory(mount.destination)
        } catch  where error.errno == .symbolicLinkLoop {
            throw KernelError(
                "filesystem \"\(type)\" must be mounted on ordinary directory", mount.destination, error.errno)
        }
    }

    /// What may be mounted below `/proc` by its name, the plan has said; nothing comes there by a link (CVE-2019-16884).
    private func refuseInsideProc(_ target: Descriptor, _ mount: MountPlan) throws(KernelError) {
        guard gantry_filesystem_magic(target.rawValue) == KernelTree.procMagic,
            !mount.destination.hasPrefix("/proc/"), mount.destination != "/proc"
        else { return }
        throw KernelError("mount inside /proc, by a link at", mount.destination, .notPermitted)
    }

    private func mountBind(_ mount: MountPlan, _ index: Int) throws(KernelError) {
        guard let (source, isDirectory) = sources.trees[index] else { return }
        let target = OwnedDescriptor(
            isDirectory ? try tree.createDirectories(mount.destination) : try tree.createFile(mount.destination))
        try refuseInsideProc(target.descriptor, mount)
        if mount.destination == "/proc", gantry_filesystem_magic(source.rawValue) != KernelTree.procMagic {
            // The runtime's own writes would go there.
            throw KernelError("mount what is not of type proc at", mount.destination, .invalidArgument)
        }
        let (set, clear) = (mount.options.set, mount.options.clear)
        if !set.isEmpty || !clear.isEmpty {
            try Mount.setAttributes(source, set: set, clear: clear, named: mount.destination)
        }
        try applyRecursive(mount, source)
        guard try target.descriptor.isDirectory() == isDirectory else {
            throw KernelError(
                "are you trying to mount a directory onto a file (or vice-versa)? mount at", mount.destination,
                .notDirectory)
        }
        try Mount.attach(source, at: target.descriptor, named: mount.destination)
        try applyPropagation(mount, source)
        source.close()
    }

    /// The same link is left as it is; anything else at its place is not the runtime's to replace.
    private func makeLink(_ text: String, at destination: String) throws(KernelError) {
        let (parent, name) = PathName.split(destination)
        let directory = OwnedDescriptor(try tree.createDirectories(parent))
        do throws(KernelError) {
            try kernelCall("symlink", destination) { symlinkat(text, directory.descriptor.rawValue, name) }
        } catch  where error.errno == .exists {
            var found = [CChar](repeating: 0, count: 4097)
            let count = readlinkat(directory.descriptor.rawValue, name, &found, 4096)
            guard count >= 0, found[..<count].elementsEqual(text.utf8.map { CChar(bitPattern: $0) }) else {
                throw error
            }
        }
    }

    private func applyPropagation(_ mount: MountPlan, _ place: Descriptor) throws(KernelError) {
        for flags in mount.options.propagation {
            try Mount.setAttributes(
                place, propagation: flags.subtracting(.recursive), recursive: flags.contains(.recursive),
                named: mount.destination)
        }
    }

    private func applyRecursive(_ mount: MountPlan, _ place: Descriptor) throws(KernelError) {
        let options = mount.options
        guard !options.recursiveSet.isEmpty || !options.recursiveClear.isEmpty else { return }
        try Mount.setAttributes(
            place, set: options.recursiveSet, clear: options.recursiveClear, recursive: true, named: mount.destination)
    }

    /// Version 2: the one directory. Version 1 and hybrid: a small tmpfs with one directory a hierarchy.
    private func mountCgroups(_ mount: MountPlan, _ index: Int) throws(RuntimeError) {
        try awaitPlacement()
        let cgroups =
            plan.cgroup.scope == nil
            ? sources.cgroups.filter { $0.mount == index } : try BindSources.cgroups(plan, sources.layout, of: index)
        try attempt("error mounting \"cgroup\" to rootfs at \"\(mount.destination)\"") { () throws(KernelError) in
            let target = OwnedDescriptor(try tree.createDirectories(mount.destination))
            try refuseInsideProc(target.descriptor, mount)
            guard cgroups.first?.name != "" else {
                return try attachCgroup(cgroups[0].tree, at: target.descriptor, mount)
            }
            try Mount.mount("tmpfs", at: target.descriptor.procPath, type: "tmpfs", .powerless, data: "mode=755")
            let top = OwnedDescriptor(try tree.place(mount.destination))
            for cgroup in cgroups {
                let name = cgroup.name
                try kernelCall("mkdir", name) { mkdirat(top.descriptor.rawValue, name, 0o755) }
                let place = OwnedDescriptor(try top.descriptor.open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW))
                try attachCgroup(cgroup.tree, at: place.descriptor, mount)
                for link in cgroup.links {
                    try kernelCall("symlink", link) { symlinkat(name, top.descriptor.rawValue, link) }
                }
            }
            if mount.options.set.contains(.readOnly) {
                try Mount.setAttributes(top.descriptor, set: .readOnly, named: mount.destination)
            }
        }
    }

    private func attachCgroup(
        _ source: Descriptor, at place: Descriptor, _ mount: MountPlan
    ) throws(KernelError) {
        let wanted = mount.options.set.intersection(.powerless.union(.readOnly))
        try Mount.setAttributes(source, set: wanted, named: mount.destination)
        try Mount.attach(source, at: place, named: mount.destination)
        source.close()
    }
}

extension MountPlan {
    /// What error messages call the source.
    var sourceName: String {
        switch source {
        case .bind(let path): path
        case .filesystem(_, let source): source
        case .cgroup: "cgroup"
        }
    }
}
