import Foundation
import Linux

/// What one run of a command cost.
struct Cost {
    var wallMilliseconds: Double
    /// User and system time of every process that ran in the contender's cgroup meanwhile, daemons included.
    var cpuMilliseconds: Double
}

/// One side of a comparison: a command, and the cgroup2 directory whose processes count as its own.
///
/// CPU time is read from the cgroup's `cpu.stat`, so that what a command leaves to a daemon or a shim is counted too.
final class Contender {
    let name: String
    private let cgroup: String

    init(_ name: String) throws {
        self.name = name
        cgroup = "\(try Contender.unifiedRoot())/gantry-bench-\(getpid())-\(name)"
        try FileManager.default.createDirectory(atPath: cgroup, withIntermediateDirectories: false)
    }

    /// Where cgroup2 is mounted: alone, or beside the v1 hierarchies.
    private static func unifiedRoot() throws -> String {
        for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        where FileManager.default.fileExists(atPath: root + "/cgroup.procs") { return root }
        throw BenchmarkError("no cgroup2 hierarchy is mounted: CPU time cannot be counted")
    }

    /// Starts a command in the cgroup; its output goes to `/dev/null`, or to a file.
    func spawn(_ arguments: [String], output: String = "/dev/null") throws -> RunningCommand {
        let command = try prepare(arguments, output: output)
        try command.start()
        return command.running
    }

    /// Runs a command to its end. What it takes to bring a process into the cgroup, where the kernel waits until nobody
    /// is forking anywhere, is not counted: the clock begins before the execution of the command.
    @discardableResult
    func run(_ arguments: [String]) throws -> Cost {
        let command = try prepare(arguments, output: "/dev/null")
        let cpuBefore = cpuMilliseconds
        let begin = DispatchTime.now()
        try command.start()
        let status = command.running.wait()
        let wall = Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e6
        guard status == 0 else {
            throw BenchmarkError("`\(arguments.joined(separator: " "))` ended with \(status)")
        }
        return Cost(wallMilliseconds: wall, cpuMilliseconds: cpuMilliseconds - cpuBefore)
    }

    /// A process in the cgroup that waits for the word to execute a command.
    private func prepare(_ arguments: [String], output: String) throws -> WaitingCommand {
        let script = "echo $$ > \(cgroup)/cgroup.procs && echo >&3 && read -r go && exec \"$@\" </dev/null 3>&-"
        var spawn = Spawn(program: "/bin/sh", arguments: ["sh", "-c", script, "sh"] + arguments)
        spawn.environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
        let file = OwnedDescriptor(try Descriptor.open(output, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644))
        let (go, gate) = try Descriptor.pipe()
        let (ready, told) = try Descriptor.pipe()
        defer { ready.close() }
        spawn.descriptors = [go, file.descriptor, file.descriptor, told]
        let pid: pid_t
        do {
            // The shell's ends are its own: where it is gone, reading ends.
            defer { for end in [go, told] { end.close() } }
            pid = try spawn.start()
        }
        var byte: UInt8 = 0
        guard read(ready.rawValue, &byte, 1) == 1 else {
            gate.close()
            RunningCommand(pid: pid).wait()
            throw BenchmarkError("no process comes into \(cgroup)")
        }
        return WaitingCommand(running: RunningCommand(pid: pid), gate: gate)
    }

    /// What a command writes to standard output, without the line end.
    func output(of arguments: [String]) throws -> String {
        let path = "/tmp/gantry-bench-\(getpid())-output"
        defer { unlink(path) }
        unlink(path)
        guard try spawn(arguments, output: path).wait() == 0 else {
            let words = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            throw BenchmarkError("`\(arguments.joined(separator: " "))`: \(words)")
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Runs a shell's script to its end, counted for nobody.
    static func shell(_ script: String) throws -> Int32 {
        RunningCommand(pid: try Spawn(program: "/bin/sh", arguments: ["sh", "-c", script]).start()).wait()
    }

    var cpuMilliseconds: Double {
        let text = (try? String(contentsOfFile: cgroup + "/cpu.stat", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("usage_usec ") }
        return Double(line?.dropFirst("usage_usec ".count) ?? "0").map { $0 / 1000 } ?? 0
    }

    /// Ends what is left in the cgroup and removes it.
    func close() {
        try? "1".write(toFile: cgroup + "/cgroup.kill", atomically: false, encoding: .utf8)
        for _ in 0..<200 where rmdir(cgroup) != 0 { usleep(10_000) }
    }
}

private struct WaitingCommand {
    let running: RunningCommand
    let gate: Descriptor

    func start() throws {
        defer { gate.close() }
        try gate.writeAll([UInt8(ascii: "\n")])
    }
}

/// A command that was started, to be waited for: by waitpid(2), for a library's polling would round the figures.
struct RunningCommand {
    let pid: pid_t

    /// Its exit code, or 128 and the signal that ended it.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    func end() {
        kill(pid, SIGTERM)
        wait()
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The middle of a set of figures, with its ends.
struct Spread: CustomStringConvertible {
    let values: [Double]
    var median: Double { values.isEmpty ? .nan : values.sorted()[values.count / 2] }

    var description: String {
        String(format: "%8.1f (%.1f-%.1f)", median, values.min() ?? .nan, values.max() ?? .nan)
    }
}

func report(_ title: String, _ rows: [(name: String, figures: [(String, Spread)])]) {
    // A case that is ended from outside has told by then what it measured.
    defer { fflush(nil) }
    print("\n\(title)")
    for row in rows {
        let figures = row.figures.map { "\($0.0) \($0.1)" }.joined(separator: "  ")
        print("  \(row.name.padding(toLength: 16, withPad: " ", startingAt: 0)) \(figures)")
    }
    guard let first = rows.first else { return }
    for other in rows.dropFirst() {
        let ratios = zip(first.figures, other.figures).map { mine, theirs in
            String(format: "%@ %.2f", mine.0, mine.1.median / theirs.1.median)
        }
        print("  \(first.name) : \(other.name) = \(ratios.joined(separator: ", "))")
    }
}

/// Proportional set size of a process in KiB, from smaps_rollup.
func proportionalKiB(pid: Int) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
}

/// The processes whose program has this name.
func processes(named name: String, matching text: String = "") -> [Int] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int($0) }.filter { pid in
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
        let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard words.first?.split(separator: "/").last.map(String.init) == name else { return false }
        return text.isEmpty || words.contains { $0.contains(text) }
    }
}
