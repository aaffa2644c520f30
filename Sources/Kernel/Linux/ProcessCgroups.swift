import Glibc

/// The cgroup directories that a process is in, those of its container alone: by them its container's processes can be
/// found, counted and ended, with or without a runtime.
public struct ProcessCgroups: Hashable, Sendable {
    /// Absolute paths below /sys/fs/cgroup, one for each hierarchy, with the names of its v1 controllers (empty for v2).
    public var directories: [Directory]

    public struct Directory: Hashable, Sendable {
        public var controllers: [String]
        public var path: String
    }

    /// Of a process that is not known yet: none.
    public init() { directories = [] }

    /// Reads /proc/PID/cgroup. Directories that the calling process is in as well, or below, are left out: ending what
    /// they hold would end much more than a container.
    public init(of pid: Int32) throws(KernelError) {
        let own = Self.parse(try FileContents.read("/proc/self/cgroup"))
        let theirs = Self.parse(try FileContents.read("/proc/\(pid)/cgroup"))
        directories = Self.exclusive(theirs, to: own).compactMap { entry in
            Self.candidates(entry).first { access($0, F_OK) == 0 }.map {
                Directory(controllers: entry.controllers, path: $0)
            }
        }
    }

    /// One line of /proc/PID/cgroup.
    struct Entry: Hashable {
        var controllers: [String]
        var path: String
    }

    static func parse(_ text: [UInt8]) -> [Entry] {
        text.split(separator: 10).compactMap { line in
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            let names = parts[1].split(separator: UInt8(ascii: ",")).map { String(decoding: $0, as: UTF8.self) }
            return Entry(controllers: names, path: String(decoding: parts[2], as: UTF8.self))
        }
    }

    static func exclusive(_ entries: [Entry], to own: [Entry]) -> [Entry] {
        entries.filter { entry in
            // Part by part: a search for text costs a start of its own machinery.
            let leadsOut = entry.path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
            guard entry.path != "/", !leadsOut else { return false }
            let mine = own.first { $0.controllers == entry.controllers }?.path ?? "/"
            return mine != entry.path && !mine.hasPrefix(entry.path + "/")
        }
    }

    private static func candidates(_ entry: Entry) -> [String] {
        let root = "/sys/fs/cgroup"
        if entry.controllers.isEmpty { return ["\(root)/unified\(entry.path)", "\(root)\(entry.path)"] }
        let names = entry.controllers.map { $0.hasPrefix("name=") ? String($0.dropFirst(5)) : $0 }
        return ["\(root)/\(names.joined(separator: ","))\(entry.path)"] + names.map { "\(root)/\($0)\(entry.path)" }
    }
}

/// Operations on one cgroup directory and those below it.
public enum CgroupMembers {
    /// The pids of all processes in the directory and below it; none where it is gone.
    ///
    /// - Throws: where the kernel does not say, as where no more files can be opened: somebody may be there all the same.
    public static func pids(below directory: String) throws(KernelError) -> [Int32] {
        var pids: [Int32] = []
        try CgroupWalk.visit(directory) { (place) throws(KernelError) in
            for line in try members(of: place).split(separator: 10) {
                if let pid = Int32(String(decoding: line, as: UTF8.self)), pid > 0 { pids.append(pid) }
            }
        }
        return pids
    }

    private static func members(of directory: Descriptor) throws(KernelError) -> [UInt8] {
        do throws(KernelError) {
            return try FileContents.read("cgroup.procs", in: directory)
        } catch  where error.errno == .notSupported {
            // One for threads: their processes are listed in the domain above it.
            return []
        }
    }

    /// Sends SIGKILL to all processes of the directories once, by cgroup.kill where the kernel has it, and lets frozen
    /// ones go, so that the signal reaches them. Processes may be left that were just being made: look again.
    public static func kill(_ directories: [String]) {
        for directory in directories {
            if write("1", to: directory + "/cgroup.kill") { continue }
            // Where the kernel does not say who is there, nobody can be meant: who must know asks for the pids.
            for pid in (try? pids(below: directory)) ?? [] where pid > 1 { _ = Glibc.kill(pid, SIGKILL) }
        }
        for directory in directories { _ = write("THAWED", to: directory + "/freezer.state") }
    }

    /// Removes the directory and those below it; one that is busy or gone is left as it is.
    public static func remove(_ directory: String) {
        // Gone, or not to be read: nothing more can be done about it.
        try? TreeRemoval.removeCgroups(below: directory)
        rmdir(directory)
    }

    private static func write(_ text: String, to path: String) -> Bool {
        // The file is missing in hierarchies that have no such feature: that is the answer here.
        guard let descriptor = try? Descriptor.open(path, O_WRONLY) else { return false }
        defer { descriptor.close() }
        do {
            try descriptor.writeAll(Array(text.utf8))
            return true
        } catch { return false }
    }
}
