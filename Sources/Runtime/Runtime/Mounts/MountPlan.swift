import Linux
import OCI

/// One mount of the container, decided.
package struct MountPlan: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case filesystem(type: String, source: String)
        /// An absolute path of the host.
        case bind(path: String)
        /// The container's own cgroup directories.
        case cgroup
    }

    /// Absolute, inside the container.
    package var destination: String
    package var source: Source
    package var options: MountOptions
    package var idMapping: IDMappingPlan?

    /// - Parameter property: where the mount stands in the document: `mounts[3]`.
    init(
        _ mount: RuntimeMount, named property: String, bundle: String, linux: RuntimeLinux, facts: HostFacts
    ) throws(RuntimeError) {
        guard !mount.destination.isEmpty else { throw RuntimeError("mounts: destination must not be empty") }
        // Older documents give relative ones; they have always been taken from the root.
        destination = PathName.cleaned("/" + mount.destination)
        options = MountOptions(mount.options)
        guard destination != "/" || options.flags.contains(.remount) else {
            // It would lie over the root, which is known by its descriptor, and not be seen.
            throw RuntimeError("\(property): invalid mount: destination can't be '/'")
        }
        if options.isBind || mount.type == "bind" {
            guard let path = mount.source, !path.isEmpty else {
                throw RuntimeError("mounts: source of the bind mount at \(destination) must not be empty")
            }
            source = .bind(path: path.hasPrefix("/") ? path : PathName.joined(bundle, path))
            options.isBind = true
            guard options.data.isEmpty else {
                // The kernel would pass them over.
                throw RuntimeError(
                    "\(property).options: bind mounts cannot have any filesystem-specific options applied: "
                        + options.data)
            }
        } else if mount.type == "cgroup" || mount.type == "cgroup2" {
            source = .cgroup
        } else {
            let type = mount.type ?? ""
            guard !type.isEmpty || options.flags.contains(.remount) else {
                throw RuntimeError("mounts: type of \(destination) must not be empty")
            }
            source = .filesystem(type: type, source: mount.source ?? type)
        }
        if options.copiesUp {
            guard case .filesystem("tmpfs", _) = source else {
                throw RuntimeError("invalid mount \(destination): tmpcopyup is for tmpfs only")
            }
        }
        idMapping = try IDMappingPlan(
            mount, options, named: property, linux: linux, isRootless: facts.isRootless)
        if options.copiesLink, !options.isBind {
            throw RuntimeError("\(property).options: copy-symlink is for bind mounts only")
        }
        try label(linux.mountLabel ?? "")
        try refuseProcOverlays()
    }

    /// A file system of the container's own gets its SELinux context when it is mounted. Those that the kernel labels
    /// itself take none.
    private mutating func label(_ label: String) throws(RuntimeError) {
        guard !label.isEmpty, case .filesystem(let type, _) = source else { return }
        guard !["proc", "sysfs", "mqueue", "cgroup", "cgroup2", "bpf"].contains(type) else { return }
        options.data += (options.data.isEmpty ? "" : ",") + "context=\"\(label)\""
    }

    /// A mount over `/proc` or below it would make the runtime's later writes there go elsewhere (CVE-2019-16884):
    /// only the file system itself, and what lxcfs provides, may be there.
    private func refuseProcOverlays() throws(RuntimeError) {
        guard destination == "/proc" || destination.hasPrefix("/proc/") else { return }
        let lxcfs = [
            "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
            "/proc/loadavg", "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",
        ]
        switch source {
        case .filesystem("proc", _) where destination == "/proc": return
        case .bind where destination == "/proc" || lxcfs.contains(destination): return
        case .filesystem, .bind, .cgroup:
            throw RuntimeError("\"\(destination)\" cannot be mounted because it is inside /proc")
        }
    }
}
