import EngineAPI
import Glibc
import Linux
import OCI

/// The devices that a container is given, as they are on the host when it starts.
struct GivenDevice: Hashable, Sendable {
    let device: LinuxDevice
    /// Of `r`, `w` and `m`.
    let access: String

    var rule: LinuxDeviceRule {
        LinuxDeviceRule(allow: true, type: device.type, major: device.major, minor: device.minor, access: access)
    }

    /// Looks the devices up; a directory means every node below it. Blocking.
    ///
    /// - Throws: `invalid` for a path that leads to none.
    static func find(_ specs: [DeviceSpec]) throws(EngineError) -> [GivenDevice] {
        var found: [GivenDevice] = []
        for spec in specs {
            func refuse(_ reason: String) -> EngineError {
                EngineError(
                    .invalid,
                    "error gathering device information while adding custom device \"\(spec.hostPath)\": \(reason)",
                    object: spec.hostPath)
            }
            var facts = stat()
            guard stat(spec.hostPath, &facts) == 0 else { throw refuse("no such file or directory") }
            if let device = LinuxDevice(facts, at: spec.containerPath) {
                found.append(GivenDevice(device: device, access: spec.permissions))
                continue
            }
            guard facts.st_mode & S_IFMT == S_IFDIR else { throw refuse("not a device node") }
            let nodes: [LinuxDevice]
            do { nodes = try HostDevices.below(spec.hostPath) } catch { throw refuse("\(error.errno)") }
            for var node in nodes {
                node.path = spec.containerPath + node.path.dropFirst(spec.hostPath.count)
                found.append(GivenDevice(device: node, access: spec.permissions))
            }
        }
        return found
    }
}

extension LinuxDevice {
    /// The device of that node; nil where it is none.
    init?(_ facts: stat, at path: String) {
        let kind = facts.st_mode & S_IFMT
        guard kind == S_IFCHR || kind == S_IFBLK else { return nil }
        let number = DeviceNumber(facts.st_rdev)
        self.init(path: path, type: kind == S_IFCHR ? "c" : "b", major: number.major, minor: number.minor)
        fileMode = facts.st_mode & 0o7777
        (uid, gid) = (facts.st_uid, facts.st_gid)
    }
}

extension LinuxDeviceRule {
    /// docker's `--device-cgroup-rule`: `c 1:3 rwm`, `a *:* rwm`.
    init(dockerRule text: String) throws(EngineError) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let numbers = words.count == 3 ? words[1].split(separator: ":", omittingEmptySubsequences: false) : []
        func number(_ word: Substring) -> Int64?? { word == "*" ? .some(nil) : Int64(word).map { .some($0) } }
        guard numbers.count == 2, ["a", "b", "c"].contains(words[0]), let major = number(numbers[0]),
            let minor = number(numbers[1]), (1...3).contains(words[2].count),
            words[2].allSatisfy({ "rwm".contains($0) })
        else { throw EngineError(.invalid, "invalid device cgroup rule format: '\(text)'") }
        self.init(allow: true, type: words[0], major: major, minor: minor, access: words[2])
    }
}

/// The machine's devices, for privileged containers.
enum HostDevices {
    /// Every device node below /dev but terminals and what the container has of its own. Blocking.
    static func all() throws(KernelError) -> [LinuxDevice] { try below("/dev") }

    /// Every device node below a directory. Blocking.
    static func below(_ directory: String) throws(KernelError) -> [LinuxDevice] {
        var devices: [LinuxDevice] = []
        try collect(directory, into: &devices)
        return devices
    }

    private static let own: Set<String> = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console"]

    private static func collect(_ directory: String, into devices: inout [LinuxDevice]) throws(KernelError) {
        for name in try Directory.list(directory).sorted() where directory != "/dev" || !own.contains(name) {
            let path = directory + "/" + name
            var facts = stat()
            // Gone since it was listed: a device was unplugged.
            guard lstat(path, &facts) == 0 else { continue }
            if facts.st_mode & S_IFMT == S_IFDIR {
                try collect(path, into: &devices)
            } else if let device = LinuxDevice(facts, at: path) {
                devices.append(device)
            }
        }
    }
}
