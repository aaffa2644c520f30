import Glibc
import JSON
import Linux
import OCI

/// `spec`: a configuration to start from, a shell in what the folder `rootfs` holds.
extension Invocation {
    func writeSpec() throws(RuntimeError) -> Int32 {
        let arguments = try CommandArguments(words, "bundle|b= rootless")
        try arguments.expectOperands("spec", exactly: 0)
        let path = "\(arguments["bundle"] ?? ".")/\(ContainerStore.specName)"
        guard access(path, F_OK) != 0 else {
            throw RuntimeError("File \(ContainerStore.specName) exists. Remove it first")
        }
        let isRootless = try arguments.flag("rootless")
        let spec = isRootless ? Self.rootlessTemplate(uid: geteuid(), gid: getegid()) : Self.template()
        try attempt { () throws(KernelError) in
            try FileContents.replace(
                path, with: spec.json.prettyBytes(indent: "\t") + [10], mode: 0o666 & ~0o022, durable: false)
        }
        return 0
    }

    package static func template() -> RuntimeSpec {
        var spec = RuntimeSpec()
        spec.root = RuntimeRoot(path: "rootfs", readonly: true)
        spec.hostname = "gantry"
        var process = RuntimeProcess(args: ["sh"])
        process.terminal = true
        process.env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"]
        process.noNewPrivileges = true
        process.rlimits = [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 1024)]
        var sets = RuntimeCapabilities()
        sets.bounding = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        sets.effective = sets.bounding
        sets.permitted = sets.bounding
        process.capabilities = sets
        spec.process = process
        spec.mounts = mounts
        var resources = LinuxResources()
        resources.devices = [LinuxDeviceRule(allow: false)]
        spec.linux.resources = resources
        spec.linux.namespaces = [.pid, .network, .ipc, .uts, .mount, .cgroup].map { LinuxNamespace($0) }
        spec.linux.maskedPaths = [
            "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
            "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
        ]
        spec.linux.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        return spec
    }

    private static let mounts: [RuntimeMount] = {
        let closed = ["nosuid", "noexec", "nodev"]
        return [
            RuntimeMount(destination: "/proc", type: "proc", source: "proc"),
            RuntimeMount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            RuntimeMount(
                destination: "/dev/pts", type: "devpts", source: "devpts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            RuntimeMount(
                destination: "/dev/shm", type: "tmpfs", source: "shm", options: closed + ["mode=1777", "size=65536k"]),
            RuntimeMount(destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: closed),
            RuntimeMount(destination: "/sys", type: "sysfs", source: "sysfs", options: closed + ["ro"]),
            RuntimeMount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: closed + ["relatime", "ro"]),
        ]
    }()

    /// For an ordinary user: a user namespace with that user as root, the host's network, nothing that needs more rights.
    package static func rootlessTemplate(uid: UInt32, gid: UInt32) -> RuntimeSpec {
        var spec = template()
        spec.linux.namespaces = [.pid, .ipc, .uts, .mount, .cgroup, .user].map { LinuxNamespace($0) }
        spec.linux.uidMappings = [LinuxIDMapping(containerID: 0, hostID: uid, size: 1)]
        spec.linux.gidMappings = [LinuxIDMapping(containerID: 0, hostID: gid, size: 1)]
        spec.linux.resources = nil
        spec.mounts = mounts.filter { $0.destination != "/sys/fs/cgroup" }.map { mount in
            var mount = mount
            mount.options.removeAll { $0 == "gid=5" }
            if mount.destination == "/sys" {
                mount = RuntimeMount(
                    destination: "/sys", type: "none", source: "/sys",
                    options: ["rbind", "nosuid", "noexec", "nodev", "ro"])
            }
            return mount
        }
        return spec
    }
}
