import Glibc
import Linux
import Testing

/// The state of one caller: a folder, a root file system of busybox, and a cgroup above all that the caller makes.
final class CallerFolder {
    let path: String
    /// Absolute from the hierarchies' roots; its name shows whose it is.
    let cgroup: String
    let name: String

    /// gantry-runtime, from the folder of this test's own program. `GANTRY_RUNTIME` names another build.
    static let runtime: String = {
        if let path = getenv("GANTRY_RUNTIME") { return String(cString: path) }
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlink("/proc/self/exe", &buffer, 4096)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return PathName.split(own).parent + "/gantry-runtime"
    }()

    init(_ caller: String) throws {
        name = "gantry-\(caller)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        path = "/tmp/\(name)"
        cgroup = "/\(name)"
        for folder in ["bin", "etc", "proc", "sys", "dev", "tmp", "run"] {
            try Directory.create("\(path)/rootfs/\(folder)")
        }
        let busybox = try #require(Program.find("busybox"), "busybox-static is not installed")
        try FileContents.replace(
            "\(path)/rootfs/bin/busybox", with: try FileContents.read(busybox), mode: 0o755, durable: false)
        for applet in ["sh", "true", "sleep", "cat", "ls", "echo", "id", "ps", "tty", "kill"] {
            symlink("busybox", "\(path)/rootfs/bin/\(applet)")
        }
    }

    deinit {
        // A caller's helpers may still be on their way out.
        for pid in (try? members()) ?? [] {
            guard let process = try? PidFD.open(pid: pid) else { continue }
            if (try? PidFD.waitForEnd(process, timeoutMilliseconds: 5000)) != true {
                try? PidFD.send(SIGKILL, to: process)
                _ = try? PidFD.waitForEnd(process, timeoutMilliseconds: 5000)
            }
            process.close()
        }
        if let layout = try? CgroupLayout.current() { try? Cgroup(path: cgroup, layout: layout).remove() }
        // The test has made its point; what can be removed is.
        try? Directory.removeTree(path)
    }

    private func cgroupDirectories() -> [String] {
        guard let layout = try? CgroupLayout.current() else { return [] }
        let legacy = layout.legacy.map { PathName.joined($0.mountPoint, cgroup) }
        return (legacy + [layout.unifiedDirectory(of: cgroup)].compactMap { $0 }).filter { access($0, F_OK) == 0 }
    }

    func file(_ name: String, _ text: String) throws -> String {
        try FileContents.replace("\(path)/\(name)", with: Array(text.utf8), mode: 0o644, durable: false)
        return "\(path)/\(name)"
    }

    func text(_ name: String) throws -> String {
        String(decoding: try FileContents.read("\(path)/\(name)"), as: UTF8.self)
    }

    /// The processes in the cgroups below, of any hierarchy.
    func members() throws -> [Int32] {
        Set(try cgroupDirectories().flatMap { try CgroupMembers.pids(below: $0) }).sorted()
    }
}
