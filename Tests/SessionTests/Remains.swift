import Glibc
import Linux

/// Takes away what a test that failed may have left on the machine.
enum Remains {
    /// Kills every process that has the test's own folder in its command line, and waits for their ends: what they
    /// held (ports, mounts, locks) is free then.
    static func endProcesses(naming root: String) {
        var ended: [Int32] = []
        // Without /proc there is nothing to find them by.
        for entry in (try? Directory.list("/proc")) ?? [] {
            guard let pid = Int32(entry), pid != getpid() else { continue }
            // It has just ended.
            guard let bytes = try? FileContents.read("/proc/\(pid)/cmdline") else { continue }
            let words = String(decoding: bytes, as: UTF8.self)
            if words.contains(root), kill(pid, SIGKILL) == 0 { ended.append(pid) }
        }
        _ = eventually(seconds: 5) { ended.allSatisfy(hasEnded) }
    }

    /// Whether a process is gone, or waits for its parent to be told so.
    static func hasEnded(_ pid: Int32) -> Bool {
        // Not there: gone.
        guard let bytes = try? FileContents.read("/proc/\(pid)/stat", limitBytes: 4096) else { return true }
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")), bytes.count > end + 2 else { return true }
        return [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(bytes[end + 2])
    }

    /// The cgroups that `--root` of this folder had its name for.
    static func removeCgroups(of root: String) {
        let hash = root.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let digits = String(hash, radix: 16)
        let name = "gantry-" + String(repeating: "0", count: 8 - digits.count) + digits
        let top = "/sys/fs/cgroup"
        // No cgroups: none to remove.
        for hierarchy in [""] + ((try? Directory.list(top)) ?? []) {
            remove("\(top)/\(hierarchy)/\(name)")
        }
    }

    private static func remove(_ path: String) {
        guard access(path, F_OK) == 0 else { return }
        // Gone meanwhile.
        for child in (try? Directory.list(path)) ?? [] {
            var facts = stat()
            if lstat("\(path)/\(child)", &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR { remove("\(path)/\(child)") }
        }
        // Members that were just killed leave within moments.
        _ = eventually(seconds: 5) { rmdir(path) == 0 || errno == ENOENT }
    }
}
