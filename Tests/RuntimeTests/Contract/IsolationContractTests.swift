import Glibc
import JSON
import Linux
import OCI
import Testing

/// What a container may and may not: limits, rights, mounts, namespaces.
@Suite(.serialized, .enabled(if: RuntimeUnderTest.isPrivileged, "needs root"), .timeLimit(.minutes(2)))
struct IsolationContractTests {
    @Test("Limits stand in the cgroup", arguments: RuntimeUnderTest.all)
    func limits(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        var cpu = LinuxCPU()
        (cpu.quotaMicroseconds, cpu.periodMicroseconds) = (50_000, 100_000)
        container.spec.linux.resources?.cpu = cpu
        container.spec.linux.resources?.memory = LinuxMemory(limitBytes: 64 << 20)
        container.spec.linux.resources?.pids = LinuxPids(limit: 20)
        try container.createAndStart()
        #expect(try container.limit("memory", legacy: "memory.limit_in_bytes", unified: "memory.max") == "67108864")
        #expect(try container.limit("pids", legacy: "pids.max", unified: "pids.max") == "20")
        let quota = try container.limit("cpu", legacy: "cpu.cfs_quota_us", unified: "cpu.max")
        #expect(quota == "50000" || quota == "50000 100000")
    }

    @Test("More processes than allowed cannot be made", arguments: RuntimeUnderTest.all)
    func pidsLimit(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(
            runtime, ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo all"])
        container.spec.linux.resources?.pids = LinuxPids(limit: 8)
        let result = try container.run()
        #expect(!result.output.contains("all"))
        #expect(result.errors.contains("fork"), "\(result.errors)")
    }

    @Test("A device that is not listed cannot be opened, though its node can be made", arguments: RuntimeUnderTest.all)
    func devices(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(
            runtime,
            [
                "sh", "-c",
                "mknod /dev/mem2 c 1 1 && dd if=/dev/mem2 of=/dev/null bs=1 count=1; head -c1 /dev/zero | wc -c",
            ])
        for set in [\RuntimeCapabilities.bounding, \.effective, \.permitted] {
            container.spec.process?.capabilities?[keyPath: set].append("CAP_MKNOD")
        }
        symlink("busybox", "\(container.rootfs)/bin/head")
        symlink("busybox", "\(container.rootfs)/bin/wc")
        let result = try container.run()
        #expect(result.errors.contains("/dev/mem2"), "\(result.errors)")
        #expect(result.errors.contains("Operation not permitted"), "\(result.errors)")
        #expect(result.output == "1\n")
    }

    @Test("The filter refuses what the profile refuses", arguments: RuntimeUnderTest.all)
    func seccomp(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "mkdir /tmp/a; touch /tmp/b && echo made"])
        var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.syscalls = [LinuxSyscall(["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95)]
        container.spec.linux.seccomp = profile
        let result = try container.run()
        #expect(result.errors.contains("Operation not supported"), "\(result.errors)")
        #expect(result.output == "made\n")
    }

    @Test(
        "A filter may refuse what the runtime uses and the program does not need",
        arguments: [["close_range"], ["recvfrom", "recvmsg"], ["sendto", "sendmsg"], ["setresuid", "setresgid"]])
    func narrowFilter(_ calls: [String]) throws {
        for noNewPrivileges in [false, true] {
            let container = try TestContainer(.ours, ["sh", "-c", "echo ran; sleep 60"])
            var profile = LinuxSeccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.syscalls = [LinuxSyscall(calls, action: "SCMP_ACT_ERRNO", errnoRet: 38)]
            container.spec.linux.seccomp = profile
            container.spec.process?.noNewPrivileges = noNewPrivileges
            container.spec.process?.user.uid = 1000
            try container.createAndStart()
            let result = try container.exec("echo", "entered")
            #expect(result.output == "entered\n", "\(calls), \(noNewPrivileges): \(result.errors)")
            #expect(try container.command("kill", container.id, "KILL").code == 0)
        }
    }

    @Test("The default profile lets ordinary programs run and forbids new namespaces", arguments: RuntimeUnderTest.all)
    func defaultProfile(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "ls / >/dev/null && echo fine; unshare -m true"])
        symlink("busybox", "\(container.rootfs)/bin/unshare")
        container.spec.linux.seccomp = DefaultSeccomp.profile(capabilities: [])
        let result = try container.run()
        #expect(result.output == "fine\n")
        #expect(result.errors.contains("Operation not permitted"), "\(result.errors)")
        #expect(result.code != 0)
    }

    @Test("Masked paths are empty, read-only ones refuse writing", arguments: RuntimeUnderTest.all)
    func masks(_ runtime: RuntimeUnderTest) throws {
        let script = "cat /secret; ls /hidden; echo x > /fixed/a; echo y > /proc/sys/kernel/domainname; cat /fixed/b"
        let container = try TestContainer(runtime, ["sh", "-c", script])
        try FileContents.replace("\(container.rootfs)/secret", with: Array("secret".utf8), durable: false)
        for name in ["hidden", "fixed"] {
            try Directory.create("\(container.rootfs)/\(name)")
            try FileContents.replace("\(container.rootfs)/\(name)/b", with: Array("seen\n".utf8), durable: false)
        }
        container.spec.linux.maskedPaths += ["/secret", "/hidden", "/not/there"]
        container.spec.linux.readonlyPaths += ["/fixed"]
        let result = try container.run()
        #expect(result.output == "seen\n")
        #expect(result.errors.contains("/fixed/a: Read-only file system"), "\(result.errors)")
        #expect(result.errors.contains("domainname: Read-only file system"), "\(result.errors)")
    }

    @Test("A read-only root refuses writing, a tmpfs in it does not", arguments: RuntimeUnderTest.all)
    func readonlyRoot(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "touch /tmp/a && echo one; touch /b"])
        container.spec.root?.readonly = true
        container.spec.mounts.append(RuntimeMount(destination: "/tmp", type: "tmpfs", source: "tmpfs"))
        let result = try container.run()
        #expect(result.output == "one\n")
        #expect(result.errors.contains("Read-only file system"))
    }

    @Test("Bind mounts show a file and a directory, writable or not", arguments: RuntimeUnderTest.all)
    func binds(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(
            runtime, ["sh", "-c", "cat /etc/hosts; touch /rw/new && echo wrote; touch /deep/ro/new"])
        try Directory.create("\(container.folder)/shared")
        try FileContents.replace("\(container.folder)/hosts", with: Array("names\n".utf8), durable: false)
        container.spec.mounts += [
            RuntimeMount(
                destination: "/etc/hosts", type: "bind", source: "\(container.folder)/hosts", options: ["rbind", "ro"]),
            RuntimeMount(destination: "/rw", source: "\(container.folder)/shared", options: ["bind"]),
            RuntimeMount(destination: "/deep/ro", source: "\(container.folder)/shared", options: ["rbind", "ro"]),
        ]
        let result = try container.run()
        #expect(result.output == "names\nwrote\n")
        #expect(result.errors.contains("/deep/ro/new: Read-only file system"), "\(result.errors)")
        #expect(access("\(container.folder)/shared/new", F_OK) == 0)
    }

    @Test("A mount target that is a link leads nowhere but inside", arguments: RuntimeUnderTest.all)
    func escape(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "touch /way/out/made; ls /way/out"])
        let outside = "\(container.folder)/outside"
        try Directory.create(outside)
        symlink("../../../../../../../..\(outside)", "\(container.rootfs)/way")
        container.spec.mounts.append(RuntimeMount(destination: "/way/out", type: "tmpfs", source: "tmpfs"))
        let result = try container.run()
        #expect(try Directory.list(outside) == [])
        // Inside, the link means the same path below the container's root.
        #expect(result.output == "made\n" || result.code != 0, "\(result.errors)")
        #expect(try MountTable.current().allSatisfy { !$0.mountPoint.hasPrefix(outside) })
    }

    @Test("A mount over /proc is refused", arguments: RuntimeUnderTest.all)
    func overProc(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime)
        container.spec.mounts.append(RuntimeMount(destination: "/proc/self", type: "tmpfs", source: "tmpfs"))
        let result = try container.create()
        #expect(result.code == 1)
        #expect(result.errors.contains("/proc"), "\(result.errors)")
        #expect(try container.leftovers() == [])
    }

    @Test("A user namespace maps root to an ordinary id", arguments: RuntimeUnderTest.all)
    func userNamespace(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(
            runtime, ["sh", "-c", "id -u; cat /proc/self/uid_map; touch /tmp/mine; echo x > /dev/null && echo null"])
        container.spec.linux.namespaces.append(LinuxNamespace(.user))
        container.spec.linux.uidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        container.spec.linux.gidMappings = [LinuxIDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        container.spec.mounts.removeAll { $0.destination == "/sys/fs/cgroup" }
        for path in [container.rootfs, "\(container.rootfs)/tmp", "\(container.rootfs)/dev"] {
            chown(path, 100_000, 100_000)
        }
        chmod(container.folder, 0o755)
        let result = try container.run()
        let words = result.output.split(whereSeparator: \.isWhitespace)
        #expect(words == ["0", "0", "100000", "65536", "null"], "\(result.errors)")
        var facts = stat()
        #expect(stat("\(container.rootfs)/tmp/mine", &facts) == 0)
        #expect(facts.st_uid == 100_000)
    }

    @Test("A namespace given by its path is joined", arguments: RuntimeUnderTest.all)
    func joined(_ runtime: RuntimeUnderTest) throws {
        let first = try TestContainer(runtime)
        first.spec.hostname = "shared-name"
        try first.createAndStart()
        let pid = try #require(try first.state()["pid"]?.integer)
        let second = try TestContainer(runtime, ["sh", "-c", "hostname; [ $$ -lt 50 ] && echo few"])
        second.spec.hostname = nil
        second.spec.linux.namespaces = [
            LinuxNamespace(.mount), LinuxNamespace(.uts, path: "/proc/\(pid)/ns/uts"),
            LinuxNamespace(.pid, path: "/proc/\(pid)/ns/pid"), LinuxNamespace(.network, path: "/proc/\(pid)/ns/net"),
            LinuxNamespace(.ipc, path: "/proc/\(pid)/ns/ipc"),
        ]
        let result = try second.run()
        #expect(result.output.hasPrefix("shared-name\nfew\n"), "\(result.errors)")
    }

    @Test("The cgroup is shown, and with a namespace as the root", arguments: RuntimeUnderTest.all)
    func cgroupView(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "cat /proc/self/cgroup; ls /sys/fs/cgroup"])
        container.spec.linux.namespaces.append(LinuxNamespace(.cgroup))
        let result = try container.run()
        #expect(result.code == 0, "\(result.errors)")
        #expect(!result.output.contains(container.id))
        #expect(result.output.contains("memory"))
    }

    @Test("A hierarchy that a process is told of is shown, with its limits", arguments: RuntimeUnderTest.all)
    func shownHierarchies(_ runtime: RuntimeUnderTest) throws {
        let layout = try CgroupLayout.current()
        guard layout.mode != .unified else { return }
        let script = """
            set -e; while IFS=: read -r _ names path; do
                if [ -n "$names" ]; then cd "/sys/fs/cgroup/${names#name=}"; grep -q 1 cgroup.procs; echo "$names $path"; fi
            done </proc/self/cgroup; cat /sys/fs/cgroup/cpuset/cpuset.cpus
            """
        let container = try TestContainer(runtime, ["sh", "-c", script])
        container.spec.linux.namespaces.append(LinuxNamespace(.cgroup))
        let result = try container.run()
        #expect(result.code == 0, "\(result.output)\(result.errors)")
        var lines = result.output.split(separator: "\n").map(String.init)
        let processors = lines.popLast() ?? ""
        #expect(!processors.isEmpty && processors.allSatisfy { "0123456789,-".contains($0) })
        let names = layout.legacy.map { $0.controllers.joined(separator: ",") }
        #expect(lines.sorted() == names.map { "\($0) /" }.sorted())
        #expect(try container.leftovers().isEmpty)
    }

    @Test("The cgroup is shown in as many places as the configuration says", arguments: RuntimeUnderTest.all)
    func cgroupViews(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["sh", "-c", "ls /sys/fs/cgroup; echo; ls /second"])
        container.spec.linux.namespaces.append(LinuxNamespace(.cgroup))
        container.spec.mounts.append(
            RuntimeMount(destination: "/second", type: "cgroup", source: "cgroup", options: ["nosuid", "ro"]))
        let result = try container.run()
        let views = result.output.split(separator: "\n\n", maxSplits: 1)
        #expect(views.count == 2 && views[0] + "\n" == views.last ?? "", "\(result.output)\(result.errors)")
        #expect(result.output.contains("memory"))
    }

    @Test("User, groups, mask, limits and directory are those of the configuration", arguments: RuntimeUnderTest.all)
    func process(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(
            runtime,
            ["sh", "-c", "id -u; id -g; id -G; umask; pwd; ulimit -n; echo $HOME; cat /proc/self/oom_score_adj"])
        container.spec.process?.user = RuntimeUser(uid: 12, gid: 13, additionalGids: [14])
        container.spec.process?.user.umask = 0o27
        container.spec.process?.cwd = "/made/for/it"
        container.spec.process?.oomScoreAdj = 300
        container.spec.process?.rlimits = [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 99, hard: 100)]
        let passwd = "root:x:0:0::/root:/bin/sh\nme:x:12:13::/home/me:/bin/sh\n"
        try FileContents.replace(
            "\(container.rootfs)/etc/passwd", with: Array(passwd.utf8), mode: 0o644, durable: false)
        let result = try container.run()
        #expect(result.output == "12\n13\n13 14\n0027\n/made/for/it\n99\n/home/me\n300\n", "\(result.errors)")
    }

    @Test("Sysctls of own namespaces are set, those of the host refused", arguments: RuntimeUnderTest.all)
    func sysctl(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/msgmax"])
        container.spec.linux.sysctl = ["net.ipv4.ip_forward": "1", "kernel.msgmax": "4000"]
        let result = try container.run()
        #expect(result.output == "1\n4000\n", "\(result.errors)")
        container.spec.linux.sysctl = ["vm.swappiness": "1"]
        #expect(try container.run().errors.contains("is not in a separate kernel namespace"))
    }

    @Test("Hooks run at their points, with the state on their input", arguments: RuntimeUnderTest.all)
    func hooks(_ runtime: RuntimeUnderTest) throws {
        let container = try TestContainer(runtime, ["true"])
        let record = "\(container.folder)/hooks"
        func hook(_ name: String) -> [RuntimeHook] {
            [
                RuntimeHook(
                    path: "/bin/sh",
                    args: ["sh", "-c", "echo \(name) >> \(record); grep -o '\"id\":\"[^\"]*\"' >> \(record)"])
            ]
        }
        container.spec.hooks.prestart = hook("prestart")
        container.spec.hooks.createRuntime = hook("createRuntime")
        container.spec.hooks.createContainer = hook("createContainer")
        container.spec.hooks.startContainer = [
            RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "echo inside > /tmp/hook"])
        ]
        container.spec.hooks.poststart = hook("poststart")
        container.spec.hooks.poststop = hook("poststop")
        let result = try container.run()
        #expect(result.code == 0, "\(result.errors)")
        let names = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
        let expected = names.map { "\($0)\n\"id\":\"\(container.id)\"\n" }.joined()
        #expect(String(decoding: try FileContents.read(record), as: UTF8.self) == expected)
        #expect(access("\(container.rootfs)/tmp/hook", F_OK) == 0)
    }

    @Test("A hook that fails or hangs ends create and leaves nothing", arguments: RuntimeUnderTest.all)
    func failingHooks(_ runtime: RuntimeUnderTest) throws {
        for hook in [
            RuntimeHook(path: "/bin/sh", args: ["sh", "-c", "echo because >&2; exit 3"]),
            RuntimeHook(path: "/bin/sleep", args: ["sleep", "30"], timeoutSeconds: 1),
        ] {
            let container = try TestContainer(runtime)
            container.spec.hooks.createRuntime = [hook]
            let result = try container.create()
            #expect(result.code == 1)
            #expect(result.errors.contains("hook #0"), "\(result.errors)")
            #expect(try container.leftovers() == [])
        }
    }
}
