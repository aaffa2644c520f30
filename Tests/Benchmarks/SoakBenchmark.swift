import Foundation

/// Ten minutes (of `--rounds` half minutes) in which the engine is killed at random moments while commands of all kinds
/// run, and what must hold afterwards: every name belongs to one container at most, what ran goes on, exit codes and logs
/// are there, and at the end nothing is left of anything.
func benchmarkSoak(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    var soak = try Soak(gantry)
    let end = Date(timeIntervalSinceNow: Double(rounds) * 30)
    while Date() < end { try soak.round() }
    try soak.finish()
    print("\nsoak: \(soak.kills) kills of the engine among \(soak.commands) commands; all that must hold held")
}

private struct Soak {
    private let gantry: GantryContestant
    private let archive: String
    private let keeper = "keeper"
    private var keeperPID = ""
    private(set) var kills = 0
    private(set) var commands = 0

    init(_ gantry: GantryContestant) throws {
        self.gantry = gantry
        archive = gantry.root + "/image.tar"
        try gantry.contender.run(gantry.command("save", "-o", archive, "gantry/starter:latest"))
        try gantry.contender.run(
            gantry.command(
                "run", "-d", "--name", keeper, "--network", "none", "gantry/starter:latest", "sh", "-c",
                "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done"))
        keeperPID = try output(["inspect", "--format", "{{.State.Pid}}", keeper])
    }

    /// Commands at once, each on names that others use too, and in their middle the end of the engine.
    mutating func round() throws {
        let daemon = try gantry.startDaemon()
        _ = try? output(["version"])
        let running = try (0..<Int.random(in: 2...5)).map { _ in
            commands += 1
            return try gantry.contender.spawn(gantry.command(script()), output: gantry.root + "/commands.log")
        }
        usleep(UInt32.random(in: 1000...1_500_000))
        kill(daemon.pid, SIGKILL)
        kills += 1
        // The commands find the engine gone: they end with an error or go on with one of their own.
        for command in running { command.wait() }
        daemon.wait()
        try check()
    }

    private func script() -> [String] {
        let name = "soak\(Int.random(in: 0..<4))"
        let image = "gantry/starter:latest"
        switch Int.random(in: 0..<14) {
        case 0, 1: return ["run", "-d", "--name", name, "--network", "none", image, "sleep", "600"]
        case 2: return ["run", "--rm", "--network", "none", image, "sh", "-c", "exit 3"]
        case 3: return ["run", "-d", "--name", name, "-p", "127.0.0.1::80", image, "sleep", "600"]
        case 4: return ["create", "--name", name, "-v", "soak:/data", image, "true"]
        case 5: return ["start", name]
        case 6: return ["stop", "-t", "0", name]
        case 7: return ["restart", "-t", "0", name]
        case 8, 9: return ["rm", "-f", name]
        case 10: return ["load", "-i", archive]
        case 11: return ["update", "--memory", "\(Int.random(in: 32...64))m", name]
        case 12: return ["rename", name, "soak\(Int.random(in: 0..<4))"]
        default:
            return [["container", "prune", "-f"], ["commit", name, "soak:latest"], ["rmi", "-f", "soak:latest"]]
                .randomElement() ?? []
        }
    }

    private func check() throws {
        let lines = try output(["ps", "-a", "--format", "{{.Names}}"]).split(separator: "\n")
        guard Set(lines).count == lines.count else { throw BenchmarkError("a name twice: \(lines)") }
        let pid = try output(["inspect", "--format", "{{.State.Pid}}", keeper])
        guard pid == keeperPID, kill(Int32(pid) ?? -1, 0) == 0 else {
            throw BenchmarkError("the container that ran on is gone: process \(keeperPID), now \(pid)")
        }
        for name in lines {
            _ = try output(["inspect", String(name)])
            let state = try output(["inspect", "--format", "{{.State.Status}}", String(name)])
            guard ["created", "running", "exited"].contains(state) else {
                throw BenchmarkError("\(name) is \(state)")
            }
        }
        // Codes outlive the engine that saw them, or that did not.
        let code = try output([
            "run", "-d", "--name", "code", "--network", "none", "gantry/starter:latest", "sh", "-c", "exit 7",
        ])
        guard try output(["wait", code]) == "7" else { throw BenchmarkError("an exit code is lost") }
        _ = try output(["rm", "code"])
    }

    /// No line of the log is missing, and after the last container is removed nothing is there.
    func finish() throws {
        _ = try output(["stop", "-t", "0", keeper])
        let lines = try output(["logs", keeper]).split(separator: "\n")
        for (index, line) in lines.enumerated() where line != "line \(index + 1)" {
            throw BenchmarkError("line \(index + 1) of the log is `\(line)`")
        }
        let names = try output(["ps", "-aq"]).split(separator: "\n").map(String.init)
        _ = try output(["rm", "-f", "-v"] + names)
        _ = try output(["volume", "prune", "-f", "-a"])
        let shims = processes(named: "gantry-shim", matching: gantry.root)
        guard shims.isEmpty else { throw BenchmarkError("shims are left: \(shims)") }
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        let left = mounts.split(separator: "\n").filter { $0.contains(gantry.root) }
        guard left.isEmpty else { throw BenchmarkError("mounts are left: \(left)") }
        for folder in ["containers", "run/containers"] {
            let there = (try? FileManager.default.contentsOfDirectory(atPath: "\(gantry.root)/\(folder)")) ?? []
            guard there.isEmpty else { throw BenchmarkError("\(folder) still has \(there)") }
        }
    }

    private func output(_ arguments: [String]) throws -> String {
        let process = Process()
        let words = gantry.command(arguments)
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError("`\(arguments.joined(separator: " "))` ended with \(process.terminationStatus)")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
