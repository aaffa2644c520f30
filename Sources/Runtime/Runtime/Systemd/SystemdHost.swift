import Glibc
import Linux

/// The systemd that is to keep the containers' cgroups.
enum SystemdHost {
    /// The cgroup below which it keeps its units; empty for the machine's.
    static func cgroup(_ facts: HostFacts) throws(RuntimeError) -> String {
        guard access("/run/systemd/system", F_OK) == 0 else {
            throw RuntimeError("systemd not running on this host, cannot use systemd cgroups manager")
        }
        // In version 1 systemd divides the hierarchies with others, and its reloads take device rules back.
        guard facts.layout.mode == .unified else {
            throw RuntimeError("--systemd-cgroup needs a machine with cgroup v2 alone")
        }
        guard facts.isRootless else { return "" }
        let text = try attempt { () throws(KernelError) in try FileContents.read("/proc/self/cgroup") }
        guard let found = userManager(String(decoding: text, as: UTF8.self), uid: geteuid()) else {
            throw RuntimeError("--systemd-cgroup: this process is not below the systemd of its user")
        }
        return found
    }

    /// What a user's processes have in /proc/PID/cgroup: `0::/user.slice/user-1000.slice/user@1000.service/…`.
    static func userManager(_ cgroups: String, uid: UInt32) -> String? {
        for line in cgroups.split(separator: "\n") where line.hasPrefix("0::/") {
            let components = line.dropFirst(3).split(separator: "/")
            guard let index = components.firstIndex(where: { $0 == "user@\(uid).service" }) else { continue }
            return "/" + components[...index].joined(separator: "/")
        }
        return nil
    }
}
