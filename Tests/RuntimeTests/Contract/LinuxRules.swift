import Glibc
import JSON
import Linux
import OCI

@testable import Runtime

extension ContractRule {
    /// config-linux.md.
    static let linux: [ContractRule] = namespaceRules + fileRules + resourceRules

    private static let namespaceRules: [ContractRule] = [
        ContractRule("config-linux.md, Namespaces", "those without a path are new, those not named are the caller's") {
            container in
            container.spec.linux.namespaces.removeAll { $0.kind == .ipc }
            try container.createAndStart()
            let pid = try container.state()["pid"]?.integer ?? 0
            func isOwn(_ name: String) throws -> Bool {
                var (own, theirs) = (stat(), stat())
                try kernelCall("stat", name) { stat("/proc/self/ns/\(name)", &own) }
                try kernelCall("stat", name) { stat("/proc/\(pid)/ns/\(name)", &theirs) }
                return own.st_ino == theirs.st_ino
            }
            return try isOwn("ipc") && isOwn("user") && !isOwn("pid") && !isOwn("net") && !isOwn("mnt") && !isOwn("uts")
        },
        ContractRule("config-linux.md, Namespaces", "one with a path is joined") { container in
            let other = try TestContainer(container.runtime)
            try other.createAndStart()
            let path = "/proc/\(try other.state()["pid"]?.integer ?? 0)/ns/uts"
            container.spec.hostname = nil
            container.spec.linux.namespaces.removeAll { $0.kind == .uts }
            container.spec.linux.namespaces.append(LinuxNamespace(.uts, path: path))
            try container.createAndStart()
            var (own, theirs) = (stat(), stat())
            stat(path, &own)
            stat("/proc/\(try container.state()["pid"]?.integer ?? 0)/ns/uts", &theirs)
            return own.st_ino != 0 && own.st_ino == theirs.st_ino
        },
        ContractRule("config-linux.md, Namespaces", "a path of another kind of namespace is an error") { container in
            container.spec.linux.namespaces.removeAll { $0.kind == .network }
            container.spec.linux.namespaces.append(LinuxNamespace(.network, path: "/proc/self/ns/ipc"))
            return try container.isRefused()
        },
        ContractRule("config-linux.md, Namespaces", "a path that is no namespace is an error") { container in
            container.spec.linux.namespaces.removeAll { $0.kind == .network }
            container.spec.linux.namespaces.append(LinuxNamespace(.network, path: "/dev/null"))
            return try container.isRefused()
        },
        ContractRule("config-linux.md, Namespaces", "a kind given twice is an error") { container in
            container.spec.linux.namespaces.append(LinuxNamespace(.pid))
            return try container.isRefused()
        },
        ContractRule("config-linux.md, User namespace mappings", "ids are mapped as asked, and files keep their owners")
        {
            container in
            container.spec.linux.namespaces.append(LinuxNamespace(.user))
            container.spec.linux.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 1000)]
            container.spec.linux.gidMappings = [LinuxIDMapping(containerID: 0, hostID: 200_000, size: 1000)]
            container.spec.mounts.removeAll { $0.type == "cgroup" || $0.type == "sysfs" }
            chmod(container.folder, 0o755)
            chmod(container.bundle, 0o755)
            let maps = try container.output(of: "cat /proc/self/uid_map /proc/self/gid_map")
            var facts = stat()
            stat("\(container.rootfs)/bin/busybox", &facts)
            let numbers = maps.split(whereSeparator: \.isWhitespace)
            return numbers == ["0", "100000", "1000", "0", "200000", "1000"] && facts.st_uid == 0
        },
    ]

    private static let fileRules: [ContractRule] = [
        ContractRule("config-linux.md, Devices", "a device is made as asked") { container in
            var device = LinuxDevice(path: "/dev/contract", type: "c", major: 1, minor: 5)
            (device.fileMode, device.uid, device.gid) = (0o640, 11, 12)
            container.spec.linux.devices = [device]
            let found = try container.output(of: "stat -c '%F %t:%T %a %u %g' /dev/contract")
            return found == "character special file 1:5 640 11 12\n"
        },
        ContractRule("config-linux.md, Devices", "a file that is there and is another is an error") { container in
            container.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
            try FileContents.replace("\(container.rootfs)/dev/contract", with: [], durable: false)
            container.spec.linux.devices = [LinuxDevice(path: "/dev/contract", type: "c", major: 1, minor: 5)]
            return try container.isRefused()
        },
        ContractRule("config-linux.md, Default Devices", "null, zero, full, random, urandom, tty and ptmx are there") {
            container in
            let script = "for d in null zero full random urandom tty; do [ -c /dev/$d ] || echo $d; done; ls /dev/ptmx"
            return try container.output(of: script) == "/dev/ptmx\n"
        },
        ContractRule("runtime-linux.md, Dev symbolic links", "fd, stdin, stdout and stderr are links") { container in
            let script = "for l in fd stdin stdout stderr; do readlink /dev/$l; done"
            symlink("busybox", "\(container.rootfs)/bin/readlink")
            return try container.output(of: script)
                == "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n"
        },
        ContractRule("config-linux.md, Masked Paths", "they cannot be read") { container in
            try FileContents.replace("\(container.rootfs)/tmp/secret", with: [120], durable: false)
            container.spec.linux.maskedPaths = ["/tmp/secret", "/etc"]
            try FileContents.replace("\(container.rootfs)/etc/there", with: [120], durable: false)
            return try container.output(of: "cat /tmp/secret; ls /etc") == ""
        },
        ContractRule("config-linux.md, Readonly Paths", "they cannot be written") { container in
            container.spec.linux.readonlyPaths = ["/tmp"]
            return try container.output(of: "touch /tmp/a 2>/dev/null || echo refused") == "refused\n"
        },
        ContractRule("config-linux.md, Rootfs Mount Propagation", "the root has the propagation asked for") {
            container in
            container.install("wc")
            container.spec.linux.rootfsPropagation = "shared"
            return try container.output(
                of: "grep -E '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / .* shared:' /proc/self/mountinfo | wc -l") == "1\n"
        },
        ContractRule("config-linux.md, Sysctl", "one of an own namespace is set") { container in
            container.spec.linux.sysctl = ["net.ipv4.ip_forward": "1"]
            return try container.output(of: "cat /proc/sys/net/ipv4/ip_forward") == "1\n"
        },
        ContractRule("config-linux.md, Seccomp", "calls are refused with the number asked for") { container in
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.syscalls = [LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95)]
            container.spec.linux.seccomp = profile
            return try container.output(of: "mkdir /tmp/a 2>&1 | grep -c 'not supported'") == "1\n"
        },
    ]

    private static let resourceRules: [ContractRule] = [
        ContractRule("config-linux.md, Cgroups Path", "the process is in the cgroup of that path") { container in
            try container.createAndStart()
            let pid = Int32(try container.state()["pid"]?.integer ?? 0)
            // crun is tried without the hierarchy of version 2, so the one of the pids' controller is asked.
            let directory = try CgroupLayout.current().directory(of: "/\(container.id)", controller: "pids") ?? ""
            let text = String(decoding: try FileContents.read("\(directory)/cgroup.procs"), as: UTF8.self)
            return text.split(separator: "\n").contains(Substring(String(pid)))
        },
        ContractRule("config-linux.md, Memory", "the limit is set") { container in
            container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 64 << 20)
            try container.createAndStart()
            return try container.limit("memory", legacy: "memory.limit_in_bytes", unified: "memory.max") == "67108864"
        },
        ContractRule("config-linux.md, PIDs", "the limit is set") { container in
            container.spec.linux.resources?.pids = LinuxPids(limit: 33)
            try container.createAndStart()
            return try container.limit("pids", legacy: "pids.max", unified: "pids.max") == "33"
        },
        ContractRule("config-linux.md, CPU", "quota and period are set") { container in
            var cpu = LinuxCPU()
            (cpu.quotaMicroseconds, cpu.periodMicroseconds) = (20_000, 50_000)
            container.spec.linux.resources?.cpu = cpu
            try container.createAndStart()
            let found = try container.limit("cpu", legacy: "cpu.cfs_quota_us", unified: "cpu.max")
            return found == "20000" || found == "20000 50000"
        },
        ContractRule("config-linux.md, Allowed Device list", "rules hold in their order, the last one decides") {
            container in
            container.grant("CAP_MKNOD")
            container.spec.linux.resources?.devices += [
                LinuxDeviceRule(allow: true, type: "c", major: 1, minor: 1),
                LinuxDeviceRule(allow: false, type: "c", major: 1, minor: 1),
            ]
            let script = "mknod /dev/m c 1 1 2>/dev/null; dd if=/dev/m of=/dev/null count=1 2>/dev/null || echo refused"
            return try container.output(of: script) == "refused\n"
        },
    ]
}
