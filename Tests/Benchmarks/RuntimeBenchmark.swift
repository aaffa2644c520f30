import Foundation
import JSON
import Linux
import OCI

/// A container's life by `gantry-runtime`, crun and runc side by side, for three bundles; then 1,000 lives by ours, after
/// which nothing may be left.
///
/// On a machine with both versions of cgroups, all work in a mount namespace that hides version 2, where Debian's crun
/// refuses to work. Root.
func benchmarkRuntime(rounds: Int) throws {
    let folder = "/tmp/gantry-bench-runtime-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let rootfs = try makeRootFileSystem(below: folder).folder
    let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    let runtimes =
        [own + "/gantry-runtime"]
        + ["/usr/bin/crun", "/usr/sbin/runc"].filter { FileManager.default.isExecutableFile(atPath: $0) }
    for bundle in BenchmarkBundle.allCases {
        let path = try bundle.write(below: folder, rootfs: rootfs)
        for mode in ["csd", "run"] {
            let lines = try cycles(own, mode, rounds, folder, path, runtimes)
            let title = mode == "csd" ? "create + start + wait + delete" : "run"
            report("\(title) of \(bundle), \(rounds) rounds, median (min-max), ms and KiB", rows(lines))
        }
    }
    try expectNoGrowth(own, folder)
}

private func cycles(
    _ own: String, _ mode: String, _ rounds: Int, _ folder: String, _ bundle: String, _ runtimes: [String]
) throws -> String {
    var words = [own + "/runtime-cycles", mode, String(rounds), folder, bundle] + runtimes
    if FileManager.default.fileExists(atPath: "/sys/fs/cgroup/unified/cgroup.procs") {
        let hiding = "umount /sys/fs/cgroup/unified; exec \"$@\""
        words = ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", hiding, "sh"] + words
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: words[0])
    process.arguments = Array(words.dropFirst())
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw BenchmarkError("runtime-cycles failed; build it: swift build -c release")
    }
    return String(decoding: data, as: UTF8.self)
}

private func rows(_ lines: String) -> [(name: String, figures: [(String, Spread)])] {
    var rows: [(name: String, figures: [(String, Spread)])] = []
    for line in lines.split(separator: "\n") {
        let fields = line.split(separator: "\t").map(String.init)
        let name = String(fields[0].split(separator: "/").last ?? "")
        if rows.last?.name != name { rows.append((name, [])) }
        rows[rows.count - 1].figures.append((fields[1], Spread(values: fields.dropFirst(2).compactMap(Double.init))))
    }
    return rows
}

/// What a machine has that a runtime could leave behind: mounts, cgroups, files of its root, processes.
private func traces(_ root: String) -> [String: Int] {
    func lines(_ path: String, with text: String = "") -> Int {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
            .filter { text.isEmpty || $0.contains(text) }.count
    }
    var found = ["mounts": lines("/proc/self/mountinfo"), "keys": lines("/proc/keys", with: "gantry-cycle")]
    found["files"] = (try? FileManager.default.subpathsOfDirectory(atPath: root).count) ?? 0
    let cgroups = FileManager.default.enumerator(atPath: "/sys/fs/cgroup")
    found["cgroups"] = cgroups?.filter { ($0 as? String)?.contains("gantry-cycle") == true }.count
    return found
}

private func expectNoGrowth(_ own: String, _ folder: String) throws {
    let bundle = "\(folder)/\(BenchmarkBundle.docker)"
    let runtime = [own + "/gantry-runtime"]
    _ = try cycles(own, "csd", 10, folder, bundle, runtime)
    let before = traces("\(folder)/state-0")
    _ = try cycles(own, "csd", 1000, folder, bundle, runtime)
    let after = traces("\(folder)/state-0")
    print("\n1000 lives of a container: before \(before), after \(after)")
    guard after == before else { throw BenchmarkError("something is left of 1000 containers") }
}

/// A bundle of `/bin/true`, from next to nothing to what docker's daemon asks for.
enum BenchmarkBundle: String, CaseIterable, CustomStringConvertible {
    /// Five namespaces and /proc.
    case minimal
    /// What `runc spec` writes: the usual mounts, masked paths, a device list.
    case spec
    /// A filter, 14 capabilities, limits.
    case docker

    var description: String { rawValue }

    /// Returns the bundle's folder.
    func write(below folder: String, rootfs: String) throws -> String {
        let path = "\(folder)/\(self)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let data = Data(configuration(rootfs).compactBytes)
        try data.write(to: URL(fileURLWithPath: path + "/config.json"))
        return path
    }

    private func configuration(_ rootfs: String) -> JSONValue {
        let capabilities: JSONValue =
            self == .docker
            ? .array(Self.dockerCapabilities.map { .string($0) })
            : ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        var linux = JSONObject([
            ("namespaces", .array(["pid", "mount", "ipc", "uts", "network"].map { ["type": .string($0)] }))
        ])
        if self != .minimal {
            linux["maskedPaths"] = Self.masked
            linux["readonlyPaths"] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
            linux["resources"] = ["devices": [["allow": false, "access": "rwm"]]]
        }
        if self == .docker {
            linux["resources"] = [
                "devices": Self.dockerDevices, "memory": ["limit": 67_108_864, "swap": 134_217_728],
                "cpu": ["quota": 50_000, "period": 100_000], "pids": ["limit": 100],
            ]
            linux["sysctl"] = ["net.ipv4.ip_unprivileged_port_start": "0"]
            linux["seccomp"] = DefaultSeccomp.profile(capabilities: Set(Self.dockerCapabilities)).json
        }
        return [
            "ociVersion": "1.0.2", "hostname": "bench", "root": ["path": .string(rootfs)],
            "process": [
                "user": ["uid": 0, "gid": 0], "args": ["/bin/true"], "env": ["PATH=/bin"], "cwd": "/",
                "noNewPrivileges": .bool(self != .docker),
                "capabilities": ["bounding": capabilities, "effective": capabilities, "permitted": capabilities],
            ],
            "mounts": .array(self == .minimal ? Array(Self.mounts.prefix(1)) : Self.mounts), "linux": .object(linux),
        ]
    }

    private static let dockerCapabilities = [
        "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
        "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
    ].map { "CAP_\($0)" }

    private static let dockerDevices: JSONValue = .array(
        [["allow": false, "access": "rwm"]]
            + [(1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)].map { major, minor in
                [
                    "allow": true, "type": "c", "major": .integer(major), "minor": .integer(minor), "access": "rwm",
                ]
            })

    private static let masked: JSONValue = [
        "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    ]

    private static let mounts: [JSONValue] = [
        mount("/proc", "proc", []), mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        mount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
        mount("/sys/fs/cgroup", "cgroup", ["ro", "nosuid", "noexec", "nodev"]),
        mount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
        mount("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
    ]

    private static func mount(_ place: String, _ type: String, _ options: [String]) -> JSONValue {
        [
            "destination": .string(place), "type": .string(type), "source": .string(type),
            "options": .array(options.map { .string($0) }),
        ]
    }
}
