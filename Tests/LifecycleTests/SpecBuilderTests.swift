import EngineAPI
import Glibc
import JSON
import Linux
import OCI
import Tasks
import Testing

@testable import Lifecycle

@Suite struct SpecBuilderTests {
    static let id = String(repeating: "71fb5245c60a", count: 6).prefix(64)

    static var host: HostFacts {
        var host = HostFacts()
        host.cpuCount = 2
        host.onlineCPUs = "0-1"
        host.capabilities = CapabilityPlan.defaults + ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"]
        host.hasSwapLimit = true
        host.hostname = "machine"
        return host
    }

    static func build(
        _ image: ImageDefaults = ImageDefaults(), user: ResolvedUser = ResolvedUser(), host: HostFacts = host,
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) throws -> RuntimeSpec {
        var spec = ContainerSpec(image: "busybox")
        spec.command = ["/bin/true"]
        change(&spec)
        let definition = try ContainerDefinition(
            id: String(id), spec: spec, imageID: "sha256:1", image: image, hostHostname: host.hostname)
        return try SpecBuilder(
            id: String(id), definition: definition, host: host, user: user, cgroupPath: "/gantry/\(id)",
            filesDirectory: "/files"
        ).build()
    }

    @Test("The spec of a plain container with limits is docker's, member by member")
    func golden() throws {
        var spec = try Self.build { spec in
            spec.limits.memoryBytes = 64 << 20
            spec.limits.nanoCPUs = 500_000_000
            spec.limits.pids = 100
            spec.hostname = "bench"
        }
        let filter = try #require(spec.linux.seccomp)
        #expect(filter.defaultAction == "SCMP_ACT_ERRNO" && !filter.syscalls.isEmpty)
        spec.linux.seccomp = nil
        let expected = try JSONValue(parsing: Self.goldenText)
        let lines = String(decoding: spec.json.prettyBytes(), as: UTF8.self).split(separator: "\n")
        let expectedLines = String(decoding: expected.prettyBytes(), as: UTF8.self).split(separator: "\n")
        for (line, expectedLine) in zip(lines, expectedLines) {
            guard line != expectedLine else { continue }
            #expect(line == expectedLine)
            break
        }
        #expect(lines.count == expectedLines.count)
    }

    @Test("A profile of AppArmor is asked for where the kernel has AppArmor")
    func profile() throws {
        var host = Self.host
        #expect(try Self.build(host: host) { $0.appArmorProfile = "mine" }.process?.apparmorProfile == nil)
        host.hasAppArmor = true
        #expect(try Self.build(host: host) { $0.appArmorProfile = "mine" }.process?.apparmorProfile == "mine")
        #expect(try Self.build(host: host).process?.apparmorProfile == nil)
    }

    @Test("Where nobody says a directory, processes start in the root, and inspection tells what was said")
    func directory() throws {
        func definition(_ wanted: String?, _ image: String) throws -> ContainerDefinition {
            var (spec, defaults) = (ContainerSpec(image: "x"), ImageDefaults())
            (spec.command, spec.workingDirectory, defaults.workingDirectory) = (["x"], wanted, image)
            return try ContainerDefinition(
                id: String(Self.id), spec: spec, imageID: "sha256:1", image: defaults, hostHostname: "h")
        }
        for (wanted, image, told, start) in [
            (nil, "", "", "/"), (nil, "/", "/", "/"), (nil, "/i", "/i", "/i"), ("/w", "/i", "/w", "/w"),
        ] {
            let made = try definition(wanted, image)
            #expect([made.workingDirectory, made.startDirectory] == [told, start])
        }
        #expect(throws: EngineError.self) { try definition(nil, "relative") }
    }

    @Test("Where the engine has more files for itself, containers have what is usual, or what was asked for")
    func openFiles() throws {
        var host = Self.host
        host.openFiles = OpenFileLimit(soft: 1024, hard: 4096)
        let usual = RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 4096)
        #expect(try Self.build(host: host).process?.rlimits == [usual])
        let core = try Self.build(host: host) { $0.ulimits = [Ulimit(name: "core", soft: 1, hard: 2)] }
        #expect(core.process?.rlimits == [RuntimeRlimit(type: "RLIMIT_CORE", soft: 1, hard: 2), usual])
        let own = try Self.build(host: host) { $0.ulimits = [Ulimit(name: "nofile", soft: 1, hard: 2)] }
        #expect(own.process?.rlimits == [RuntimeRlimit(type: "RLIMIT_NOFILE", soft: 1, hard: 2)])
    }

    @Test("Entrypoint and command of caller and image go together as docker puts them")
    func arguments() throws {
        var image = ImageDefaults()
        image.entrypoint = ["/entry"]
        image.command = ["default"]
        let table: [(entrypoint: [String]?, command: [String]?, [String])] = [
            (nil, nil, ["/entry", "default"]), (nil, ["given"], ["/entry", "given"]), (["/own"], nil, ["/own"]),
            (["/own"], ["given"], ["/own", "given"]), ([], ["given"], ["given"]), ([""], ["given"], ["given"]),
            ([], nil, ["default"]),
        ]
        for (entrypoint, command, expected) in table {
            let built = try Self.build(image) { spec in
                spec.entrypoint = entrypoint
                spec.command = command
            }
            #expect(built.process?.args == expected)
        }
        #expect(throws: EngineError(.invalid, "no command specified")) {
            try Self.build { $0.command = nil }
        }
        #expect(throws: EngineError(.invalid, "no command specified")) {
            try Self.build(image) { ($0.entrypoint, $0.command) = ([""], nil) }
        }
    }

    @Test("The environment is the engine's, the image's and the caller's, later ones in the earlier ones' place")
    func environment() throws {
        var image = ImageDefaults()
        image.environment = ["PATH=/image", "A=1", "B=1"]
        let built = try Self.build(image) { spec in
            spec.environment = ["B=2", "C=3", "TERM"]
            spec.tty = true
            spec.hostname = "h"
        }
        #expect(built.process?.env == ["PATH=/image", "HOSTNAME=h", "B=2", "C=3", "A=1"])
        #expect(built.process?.terminal == true)
    }

    @Test(
        "Capabilities are docker's default ones, with what is added and dropped; another user has them as a bound only")
    func capabilities() throws {
        func sets(_ change: (inout ContainerSpec) -> Void, uid: UInt32 = 0) throws -> RuntimeCapabilities {
            var user = ResolvedUser()
            user.uid = uid
            return try #require(try Self.build(user: user, change).process?.capabilities)
        }
        #expect(try sets { _ in }.bounding == CapabilityPlan.defaults)
        #expect(try sets { $0.droppedCapabilities = ["ALL"] }.bounding == [])
        let some = try sets {
            $0.droppedCapabilities = ["all"]
            $0.addedCapabilities = ["net_admin", "CAP_KILL"]
        }
        #expect(some.bounding == ["CAP_NET_ADMIN", "CAP_KILL"] && some.effective == some.bounding)
        let all = try sets {
            $0.addedCapabilities = ["ALL"]
            $0.droppedCapabilities = ["MKNOD"]
        }
        #expect(all.bounding == Self.host.capabilities.filter { $0 != "CAP_MKNOD" })
        let user = try sets({ _ in }, uid: 1000)
        #expect(user.bounding == CapabilityPlan.defaults && user.effective == [] && user.permitted == [])
        let privileged = try Self.build { $0.privileged = true }
        #expect(privileged.process?.capabilities?.bounding == Self.host.capabilities)
        #expect(privileged.linux.seccomp == nil && privileged.linux.maskedPaths == [])
        #expect(privileged.linux.resources?.devices == [LinuxDeviceRule(allow: true)])
    }

    @Test("A container whose first process's number is another's by now has nothing to lend")
    func lenders() throws {
        let own = try ProcessStat.read(pid: getpid())
        let process = ProcessIdentity(pid: own.pid, startTicks: own.startTicks)
        try NamespaceLender(containerID: "a", process: process).check()
        for other in [(own.pid, own.startTicks + 1), (Int32.max, own.startTicks)] {
            let process = ProcessIdentity(pid: other.0, startTicks: other.1)
            #expect(throws: EngineError(.conflict, "container a is not running", object: "a")) {
                try NamespaceLender(containerID: "a", process: process).check()
            }
        }
    }

    @Test("How warm the processors are is hidden, for those that tell it")
    func heat() throws {
        let folder = "/tmp/gantry-test-heat-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(folder)
        defer { try? Directory.removeTree(folder) }  // The test's own folder; nothing to tell.
        try FileContents.replace("\(folder)/possible", with: Array("0-1,3\n".utf8))
        for cpu in [0, 2, 3] { try Directory.create("\(folder)/cpu\(cpu)/thermal_throttle") }
        let paths = HostFacts.heatPaths(below: folder)
        #expect(paths == [0, 3].map { "\(folder)/cpu\($0)/thermal_throttle" })
        var host = Self.host
        host.heatPaths = paths
        #expect(try Self.build(host: host).linux.maskedPaths.suffix(3) == ["/sys/firmware"] + paths)
        #expect(try Self.build(host: host) { $0.privileged = true }.linux.maskedPaths == [])
        #expect(try Self.build(host: host) { $0.maskedPaths = ["/a"] }.linux.maskedPaths == ["/a"])
    }

    @Test("Mounts of the caller take the place of default ones, a parent comes before its child")
    func mounts() throws {
        let built = try Self.build { spec in
            var deep = MountSpec(.bind, source: "/src", target: "/a/b/")
            deep.readOnly = true
            deep.propagation = "rslave"
            var memory = MountSpec(.tmpfs, target: "/dev/shm")
            memory.options = ["size=1m", "exec"]
            spec.mounts = [deep, MountSpec(.bind, source: "/other", target: "/a"), memory]
        }
        let own = built.mounts.suffix(3)
        #expect(own.map(\.destination) == ["/a", "/a/b", "/dev/shm"])
        #expect(
            own.map(\.options) == [
                ["rbind", "rprivate"], ["rbind", "ro", "rslave"], ["nosuid", "nodev", "size=1m", "exec"],
            ])
        #expect(built.mounts.count { $0.destination == "/dev/shm" } == 1)
        #expect(built.linux.rootfsPropagation == "rslave")
    }

    @Test("The host's network is shared by leaving the namespace out, with the host's name")
    func hostNetwork() throws {
        let built = try Self.build { $0.networkMode = .host }
        #expect(!built.linux.namespaces.contains { $0.kind == .network })
        #expect(built.linux.sysctl.isEmpty)
        #expect(built.hostname == "machine")
        var unified = Self.host
        unified.isUnified = true
        #expect(try Self.build(host: unified).linux.namespaces.contains { $0.kind == .cgroup })
    }

    @Test("Which of the arguments are the entrypoint is known, of an earlier version's row by what the spec says")
    func entrypointLength() throws {
        var image = ImageDefaults()
        (image.entrypoint, image.command) = (["/entry", "-x"], ["default"])
        let table: [(entrypoint: [String]?, command: [String]?, Int, old: Int)] = [
            (nil, nil, 2, 0), (nil, ["given"], 2, 2), (["/own"], nil, 1, 1), (["/own"], ["given"], 1, 1),
            ([""], ["given"], 0, 0), ([], ["given"], 0, 0), ([], nil, 0, 0),
        ]
        for (entrypoint, command, length, old) in table {
            var spec = ContainerSpec(image: "x")
            (spec.entrypoint, spec.command) = (entrypoint, command)
            let made = try ContainerDefinition(
                id: String(Self.id), spec: spec, imageID: "sha256:1", image: image, hostHostname: "h")
            #expect(made.entrypointLength == length)
            var row = try #require(try JSONValue(parsing: try made.text()).object)
            #expect(row["entrypointCount"] != nil)
            row["entrypointCount"] = nil
            #expect(try ContainerDefinition(text: JSONValue.object(row).compactText).entrypointLength == old)
        }
    }

    @Test("A container that has another's network goes by the other's names")
    func lender() throws {
        var (spec, other) = (ContainerSpec(image: "x"), ContainerSpec(image: "x"))
        (spec.command, other.command) = (["x"], ["x"])
        (other.hostname, other.domainname) = ("lent", "example")
        let lender = try ContainerDefinition(
            id: String(Self.id), spec: other, imageID: "sha256:1", image: ImageDefaults(), hostHostname: "h")
        spec.networkMode = NetworkMode(rawValue: "container:\(Self.id)")
        let made = try ContainerDefinition(
            id: "i", spec: spec, imageID: "sha256:1", image: ImageDefaults(), hostHostname: "h", lender: lender)
        #expect(made.hostname == "lent" && made.spec.domainname == "example")
    }

    @Test("A definition survives its row, also one written before a member was known")
    func definitionText() throws {
        var spec = ContainerSpec(image: "busybox")
        spec.command = ["x"]
        spec.mounts = [MountSpec(.bind, source: "/s", target: "/t")]
        let definition = try ContainerDefinition(
            id: "i", spec: spec, imageID: "sha256:1", image: ImageDefaults(), hostHostname: "h")
        #expect(try ContainerDefinition(text: try definition.text()) == definition)
        var old = try #require(try JSONValue(parsing: try definition.text()).object)
        var oldSpec = try #require(old["spec"]?.object)
        oldSpec["autoRemove"] = nil
        oldSpec["limits"] = nil
        old["spec"] = .object(oldSpec)
        #expect(try ContainerDefinition(text: JSONValue.object(old).compactText) == definition)
        #expect(throws: EngineError.self) { try ContainerDefinition(text: "{") }
    }

    private static let goldenText = """
        {"ociVersion":"1.2.0","process":{"user":{"uid":0,"gid":0,"additionalGids":[0]},"args":["/bin/true"],
        "env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","HOSTNAME=bench"],"cwd":"/",
        "capabilities":{"bounding":\(capabilityText),"effective":\(capabilityText),"permitted":\(capabilityText)},
        "oomScoreAdj":0},"root":{"path":"rootfs"},"hostname":"bench","mounts":[
        {"destination":"/proc","type":"proc","source":"proc","options":["nosuid","noexec","nodev"]},
        {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","strictatime","mode=755","size=65536k"]},
        {"destination":"/dev/pts","type":"devpts","source":"devpts",
        "options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"]},
        {"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","noexec","nodev","ro"]},
        {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup","options":["ro","nosuid","noexec","nodev"]},
        {"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]},
        {"destination":"/dev/shm","type":"tmpfs","source":"shm",
        "options":["nosuid","noexec","nodev","mode=1777","size=67108864"]},
        {"destination":"/etc/resolv.conf","type":"bind","source":"/files/resolv.conf","options":["rbind","rprivate"]},
        {"destination":"/etc/hostname","type":"bind","source":"/files/hostname","options":["rbind","rprivate"]},
        {"destination":"/etc/hosts","type":"bind","source":"/files/hosts","options":["rbind","rprivate"]}],
        "linux":{"sysctl":{"net.ipv4.ip_unprivileged_port_start":"0","net.ipv4.ping_group_range":"0 2147483647"},
        "resources":{"devices":[{"allow":false,"type":"a","access":"rwm"},{"allow":true,"type":"c","access":"m"},
        {"allow":true,"type":"b","access":"m"},{"allow":true,"type":"c","major":1,"minor":3,"access":"rwm"},
        {"allow":true,"type":"c","major":1,"minor":5,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":7,"access":"rwm"},
        {"allow":true,"type":"c","major":1,"minor":8,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":9,"access":"rwm"},
        {"allow":true,"type":"c","major":5,"minor":0,"access":"rwm"},{"allow":true,"type":"c","major":5,"minor":1,"access":"rwm"},
        {"allow":true,"type":"c","major":5,"minor":2,"access":"rwm"},{"allow":true,"type":"c","major":136,"access":"rwm"}],
        "memory":{"limit":67108864,"swap":134217728},"cpu":{"quota":50000,"period":100000},"pids":{"limit":100}},
        "cgroupsPath":"/gantry/\(id)","namespaces":[{"type":"mount"},{"type":"network"},{"type":"uts"},{"type":"pid"},
        {"type":"ipc"}],"maskedPaths":["/proc/acpi","/proc/asound","/proc/interrupts","/proc/kcore","/proc/keys",
        "/proc/latency_stats","/proc/sched_debug","/proc/scsi","/proc/timer_list","/proc/timer_stats",
        "/sys/devices/virtual/powercap","/sys/firmware"],
        "readonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]}}
        """
    private static let capabilityText = """
        ["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_MKNOD","CAP_NET_RAW","CAP_SETGID","CAP_SETUID",
        "CAP_SETFCAP","CAP_SETPCAP","CAP_NET_BIND_SERVICE","CAP_SYS_CHROOT","CAP_KILL","CAP_AUDIT_WRITE"]
        """

    @Test("As much swap again as memory is no more than there are numbers for")
    func largestMemory() throws {
        let spec = try Self.build { $0.limits.memoryBytes = 8_000_000_000_000_000_000 }
        #expect(spec.linux.resources?.memory?.swapBytes == .max)
    }
}
