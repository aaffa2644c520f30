import EngineAPI
import Glibc
import Linux

/// What stands between the engine and a container's processes, read from /proc.
///
/// Some 30 µs a process, without waiting. Processes that end meanwhile are left out.
package enum ProcessTree {
    /// Engine, shim, init, then the other processes: each after its parent, brothers by age.
    ///
    /// The chain is the engine's own idea: the shim counts as the engine's child, though init may have adopted it. A process
    /// in the container whose parent is not in the list (an exec's) hangs from the shim.
    ///
    /// - Parameter members: the container's processes; init is listed in any case.
    package static func nodes(
        enginePID: Int32 = getpid(), shimPID: Int32?, initPID: Int32?, members: [Int32]
    ) -> [ProcessNode] {
        let clock = BootClock.now()
        var nodes: [ProcessNode] = []
        func add(_ pid: Int32, _ role: ProcessNode.Role, parent: Int32?) -> Bool {
            guard let node = node(pid, role, parent: parent, clock) else { return false }
            nodes.append(node)
            return true
        }
        _ = add(enginePID, .engine, parent: 0)
        let hasShim = shimPID.map { add($0, .shim, parent: enginePID) } ?? false
        let root = hasShim ? shimPID ?? enginePID : enginePID
        var members = Set(members)
        for pid in [enginePID, shimPID, initPID].compactMap(\.self) { members.remove(pid) }
        let hasInit = initPID.map { add($0, .initial, parent: root) } ?? false
        let inside = members.compactMap { node($0, .process, parent: nil, clock) }
        let known = Set(inside.map(\.pid)).union(hasInit ? initPID.map { [$0] } ?? [] : [])
        let attached = inside.map { node in
            var node = node
            if !known.contains(node.parentPID) { node.parentPID = root }
            return node
        }
        appendChildren(of: hasInit ? [initPID, root] : [root], attached, to: &nodes)
        return nodes
    }

    /// The pids of a container, for docker's `top`.
    ///
    /// - Parameter shimPID: the container's, whose runtimes may be at work: what they are only making is left out.
    package static func members(of cgroup: Cgroup, shimPID: Int32? = nil) -> [Int32] {
        // A cgroup that has gone has no members.
        let pids = (try? cgroup.processes()) ?? []
        guard let shimPID else { return pids }
        // Of one that has ended meanwhile there are none.
        return made(pids, shimPID: shimPID) { pid in
            (try? ProcessStat.read(pid: pid)).map { ($0.parent, $0.command, $0.isEntering) }
        }
    }

    /// Without those that a runtime makes just now, or has prepared for an exec: their parent is that runtime, a child of the
    /// shim, and they have its name until they execute their program. One that its runtime has left is the shim's child, as
    /// an exec's process is, but still on its way in.
    static func made(
        _ pids: [Int32], shimPID: Int32, facts: (Int32) -> (parent: Int32, command: String, isEntering: Bool)?
    ) -> [Int32] {
        let members = Set(pids)
        return pids.filter { pid in
            guard let own = facts(pid), !members.contains(own.parent) else { return true }
            if own.parent == shimPID { return !own.isEntering }
            guard let maker = facts(own.parent) else { return true }
            return maker.parent != shimPID || maker.command != own.command
        }
    }

    static func appendChildren(
        of parents: [Int32?], _ all: [ProcessNode], to nodes: inout [ProcessNode]
    ) {
        let children = Dictionary(grouping: all, by: \.parentPID)
        // No recursion: a container may have as many generations as there are process numbers.
        for parent in parents.compactMap(\.self) {
            var pending = youngestFirst(children[parent])
            while let node = pending.popLast() {
                nodes.append(node)
                pending += youngestFirst(children[node.pid])
            }
        }
    }

    private static func youngestFirst(_ brothers: [ProcessNode]?) -> [ProcessNode] {
        (brothers ?? []).sorted { ($0.startedAt, $0.pid) > ($1.startedAt, $1.pid) }
    }

    private static func node(
        _ pid: Int32, _ role: ProcessNode.Role, parent: Int32?, _ clock: BootClock
    ) -> ProcessNode? {
        // It has ended since it was listed.
        guard let stat = try? ProcessStat.read(pid: pid) else { return nil }
        let isInside = role == .initial || role == .process
        return ProcessNode(
            role: role, pid: pid, parentPID: parent ?? stat.parent,
            containerPID: isInside ? containerPID(of: pid) : nil, state: String(stat.state),
            residentBytes: UInt64(max(0, stat.residentPages)) * pageBytes,
            startedAt: clock.time(ofTicks: stat.startTicks), command: CommandLine.read(pid, name: stat.command),
            threadCount: stat.threads, cpuNanoseconds: ClockTicks.nanoseconds(stat.userTicks + stat.systemTicks))
    }

    /// The last number of `NSpid` in /proc/PID/status: the pid in the innermost namespace.
    private static func containerPID(of pid: Int32) -> Int32? {
        // It has ended since it was listed.
        guard let bytes = try? FileContents.read("/proc/\(pid)/status", limitBytes: 65536) else { return nil }
        var found: Int32?
        bytes.withUnsafeBytes { buffer in
            StatText(buffer).forEachLine { line in
                var fields = line
                guard fields.nextIs("NSpid") else { return }
                while let number = fields.nextNumber() { found = Int32(truncatingIfNeeded: number) }
            }
        }
        return found
    }

    private static let pageBytes = UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
}

/// When the machine was started, by the clock of now: start times of processes count from there.
struct BootClock {
    private let bootNanoseconds: Int64

    static func now() -> BootClock {
        var sinceBoot = timespec()
        clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
        let elapsed = Int64(sinceBoot.tv_sec) * 1_000_000_000 + Int64(sinceBoot.tv_nsec)
        return BootClock(bootNanoseconds: Timestamp.now().nanosecondsSinceEpoch - elapsed)
    }

    func time(ofTicks ticks: UInt64) -> Timestamp {
        Timestamp(nanosecondsSinceEpoch: bootNanoseconds &+ Int64(truncatingIfNeeded: ClockTicks.nanoseconds(ticks)))
    }
}

/// A process's command line as a line of text.
enum CommandLine {
    /// The arguments parted by spaces, `[name]` where there are none; control characters are `?`, as ps(1) shows them.
    static func read(_ pid: Int32, name: String) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        // It has ended since it was listed, or is a thread of the kernel.
        let file = try? Descriptor.open("/proc/\(pid)/cmdline", O_RDONLY)
        defer { file?.close() }
        // As above.
        let count = file.flatMap { try? $0.read(into: &bytes) } ?? 0
        let text = bytes[..<count].reversed().drop { $0 == 0 }.reversed()
        guard !text.isEmpty else { return "[\(name)]" }
        return String(decoding: text.map { $0 == 0 ? 32 : $0 < 32 || $0 == 127 ? 63 : $0 }, as: UTF8.self)
    }
}
