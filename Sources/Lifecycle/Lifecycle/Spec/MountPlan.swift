import EngineAPI
import Linux
import OCI
import Snapshots

/// The mounts of a container, in the order in which they are made.
struct MountPlan {
    let spec: ContainerSpec
    let host: HostFacts
    let filesDirectory: String
    /// Where hosts and resolv.conf are, if elsewhere.
    var networkFilesDirectory: String?
    /// What each volume is mounted from, by its name.
    var volumes: [String: VolumeSource] = [:]
    /// Where the shim puts what the runtime cannot find by a path of its own, by the mount's place among the container's.
    var prepared: [Int: String] = [:]
    /// Where another container's /dev/shm is, for a container that joins its ipc namespace.
    var sharedMemory: String?
    /// The host's program that `--init` puts before the container's own.
    var initPath: String?

    /// Where that program is in the container, as in docker's.
    static let initTarget = "/sbin/docker-init"

    var mounts: [RuntimeMount] {
        let own = spec.mounts.map { ($0, PathName.cleaned($0.target)) }
        let taken = Set(own.map(\.1))
        // A parent before what is mounted inside of it.
        let sorted = own.enumerated().sorted { left, right in
            let depths = (depth(left.element.1), depth(right.element.1))
            return depths.0 == depths.1 ? left.offset < right.offset : depths.0 < depths.1
        }
        return (defaults + memory + files).filter { !taken.contains($0.destination) }
            + sorted.map { mount($0.element.0, at: $0.element.1, from: prepared[$0.offset]) }
    }

    /// What is there also while the container does not run: directories and files of the host's.
    var lasting: [RuntimeMount] {
        let own = Set(spec.mounts.map { PathName.cleaned($0.target) })
        return mounts.filter { mount in
            mount.type == "bind" && (own.contains(mount.destination) || mount.destination.hasPrefix("/etc/"))
        }
    }

    private func depth(_ path: String) -> Int { path.utf8.count { $0 == UInt8(ascii: "/") } }

    private var defaults: [RuntimeMount] {
        let readOnly = spec.privileged ? [] : ["ro"]
        return [
            host.isRootless && spec.pidMode == .host
                ? bound("/proc", ["nosuid", "noexec", "nodev"])
                : RuntimeMount(
                    destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            RuntimeMount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            RuntimeMount(
                destination: "/dev/pts", type: "devpts", source: "devpts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
                    + (host.hasManyIDs ? ["gid=5"] : [])),
            host.isRootless && spec.networkMode == .host
                ? bound("/sys", ["nosuid", "noexec", "nodev"] + readOnly)
                : RuntimeMount(
                    destination: "/sys", type: "sysfs", source: "sysfs",
                    options: ["nosuid", "noexec", "nodev"] + readOnly),
            RuntimeMount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                options: readOnly + ["nosuid", "noexec", "nodev"]),
        ]
    }

    /// The host's own, where a new one may not be mounted: what a namespace of the machine's shows, an ordinary user may
    /// only look at as it is.
    private func bound(_ path: String, _ options: [String]) -> RuntimeMount {
        RuntimeMount(destination: path, type: "bind", source: path, options: ["rbind", "rslave"] + options)
    }

    /// Message queues and shared memory: those of whose ipc namespace is used.
    private var memory: [RuntimeMount] {
        let queues = RuntimeMount(
            destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"])
        if spec.ipcMode == .absent { return [queues] }
        let path = "/dev/shm"
        if let source = spec.ipcMode == .host ? path : sharedMemory {
            return [
                queues, RuntimeMount(destination: path, type: "bind", source: source, options: ["rbind", "rprivate"]),
            ]
        }
        let shm = SpecBuilder.shmSizeBytes(spec)
        return [
            queues,
            RuntimeMount(
                destination: path, type: "tmpfs", source: "shm",
                options: ["nosuid", "noexec", "nodev", "mode=1777", "size=\(shm)"]),
        ]
    }

    /// Writable as in docker, where the root is: a program may add names for itself.
    private var files: [RuntimeMount] {
        let program = initPath.map { path in
            RuntimeMount(destination: Self.initTarget, type: "bind", source: path, options: ["bind", "ro"])
        }
        return BottomNames.etcFiles.map { name in
            RuntimeMount(
                destination: "/etc/\(name)", type: "bind",
                source: "\(name == "hostname" ? filesDirectory : networkFilesDirectory ?? filesDirectory)/\(name)",
                options: ["rbind"] + (spec.readOnlyRoot ? ["ro"] : []) + ["rprivate"])
        } + (program.map { [$0] } ?? [])
    }

    private func mount(_ mount: MountSpec, at target: String, from prepared: String?) -> RuntimeMount {
        if let prepared {
            return RuntimeMount(
                destination: target, type: "bind", source: prepared,
                options: ["rbind"] + (mount.readOnly ? ["ro"] : []) + ["rprivate"])
        }
        switch mount.kind {
        case .bind:
            let propagation = mount.propagation.flatMap { $0.isEmpty ? nil : $0 } ?? "rprivate"
            return RuntimeMount(
                destination: target, type: "bind", source: mount.source,
                options: [mount.isNonRecursive ? "bind" : "rbind"] + (mount.readOnly ? [readOnly(mount)] : [])
                    + [propagation])
        case .volume:
            let volume = volumes[mount.source] ?? VolumeSource(type: "bind", source: mount.source, options: ["rbind"])
            let propagation = volume.type == "bind" ? ["rprivate"] : []
            return RuntimeMount(
                destination: target, type: volume.type, source: volume.source,
                options: volume.options + (mount.readOnly ? ["ro"] : []) + propagation)
        case .image:
            // Prepared always; who only looks at a container that does not run finds nothing of it.
            return RuntimeMount(destination: target, type: "image", source: mount.source)
        case .tmpfs:
            return RuntimeMount(
                destination: target, type: "tmpfs", source: "tmpfs",
                options: tmpfsOptions(mount.options) + (mount.readOnly ? ["ro"] : []))
        }
    }

    /// What is mounted below is read-only, too, as in docker since its version 25.
    private func readOnly(_ mount: MountSpec) -> String {
        mount.isNonRecursive || mount.readOnlyDepth == .top || !host.makesTreesReadOnly ? "ro" : "rro"
    }

    /// What is given takes the place of the opposite default.
    private func tmpfsOptions(_ given: [String]) -> [String] {
        let opposites = ["noexec": "exec", "nosuid": "suid", "nodev": "dev"]
        let defaults = ["noexec", "nosuid", "nodev"].filter { name in
            !given.contains(name) && !(opposites[name].map(given.contains) ?? false)
        }
        return defaults + given
    }
}
