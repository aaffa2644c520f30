import Foundation

/// One engine with many containers, beside docker's: starting 100 one after another, the processor time of 50 that sleep
/// while nobody asks and while their figures are asked for each second, and the list of many.
func benchmarkEngine(rounds: Int) throws {
    try withEngineSides { sides, clients in
        try startAll(sides, clients, title: "")
        try reportLists(sides, clients, rounds: rounds)
        try removeAll(sides, clients, 50..<containerCount)
        try reportLoad(sides, clients, seconds: max(10, rounds))
        try removeAll(sides, clients, 0..<50)
    }
}

/// The starts alone: on a machine that does nothing else, and beside two busy processes for each processor, each of a
/// session of its own as other people's work would be.
func benchmarkStarts(rounds: Int) throws {
    try withEngineSides { sides, clients in
        try startAll(sides, clients, title: "")
        try removeAll(sides, clients, 0..<containerCount)
        let count = 2 * ProcessInfo.processInfo.activeProcessorCount
        let others = try Contender("others")
        defer { others.close() }
        let busy = try (0..<count).map { _ in
            try others.spawn(["setsid", "sh", "-c", "while :; do :; done"])
        }
        defer {
            for process in busy {
                kill(process.pid, SIGKILL)
                process.wait()
            }
        }
        try startAll(sides, clients, title: " beside \(count) busy processes")
        try removeAll(sides, clients, 0..<containerCount)
    }
}

private let containerCount = 100

private func withEngineSides(_ body: ([EngineSide], Contender) throws -> Void) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let tar = try makeRootFileSystem(below: gantry.root).tar
    let docker = try DockerContestant(rootTar: tar)
    defer { docker.close() }
    let clients = try Contender("clients")
    defer { clients.close() }
    let daemon = try gantry.startDaemon()
    defer { daemon.end() }
    try body(
        [
            EngineSide("gantry", gantry.contender, "gantry/starter:latest", gantry.socket) { gantry.command($0) },
            EngineSide("docker", docker.contender, "bench:latest", docker.root + "/sock") { docker.command($0) },
        ], clients)
}

private func startAll(_ sides: [EngineSide], _ clients: Contender, title: String) throws {
    var starts: [String: [Cost]] = [:]
    for index in 0..<containerCount {
        for side in sides { starts[side.name, default: []].append(try side.start("bench\(index)", clients)) }
    }
    report(
        "\(containerCount) sleeping containers started one after another\(title), of each, median (min-max) ms",
        sides.map { ($0.name, figures(starts[$0.name] ?? [])) })
    for side in sides {
        let total = starts[side.name]?.map(\.wallMilliseconds).reduce(0, +) ?? 0
        print(String(format: "  %@: all %d in %.1f s", side.name, containerCount, total / 1000))
    }
}

private func removeAll(_ sides: [EngineSide], _ clients: Contender, _ numbers: Range<Int>) throws {
    for side in sides { try clients.run(side.command(["rm", "-f"] + numbers.map { "bench\($0)" })) }
}

private struct EngineSide {
    let name: String
    let contender: Contender
    let image: String
    let socket: String
    let command: ([String]) -> [String]

    init(
        _ name: String, _ contender: Contender, _ image: String, _ socket: String,
        _ command: @escaping ([String]) -> [String]
    ) {
        self.name = name
        self.contender = contender
        self.image = image
        self.socket = socket
        self.command = command
    }

    /// Processor time is the engine's with all it starts; the command's own is left out.
    func start(_ name: String, _ clients: Contender) throws -> Cost {
        let before = contender.cpuMilliseconds
        let cost = try clients.run(
            command(["run", "-d", "--name", name, "--network", "none", image, "/bin/sleep", "3600"]))
        return Cost(
            wallMilliseconds: cost.wallMilliseconds, cpuMilliseconds: contender.cpuMilliseconds - before)
    }
}

/// `GET /containers/json`, by curl's own clock, which begins with the connection.
private func reportLists(_ sides: [EngineSide], _ clients: Contender, rounds: Int) throws {
    var spreads: [(String, Spread)] = []
    for side in sides {
        let output = "/tmp/gantry-bench-\(getpid())-times"
        defer { unlink(output) }
        let request = ["curl", "-s", "-o", "/dev/null", "-w", "%{time_total}\\n", "--unix-socket", side.socket]
        for _ in 0..<(10 + rounds) {
            let running = try clients.spawn(request + ["http://x/containers/json?all=1"], output: output)
            guard running.wait() == 0 else { throw BenchmarkError("no answer at \(side.socket)") }
        }
        let text = try String(contentsOfFile: output, encoding: .utf8)
        let times = text.split(separator: "\n").compactMap { Double($0) }.map { $0 * 1000 }
        spreads.append((side.name, Spread(values: Array(times.dropFirst(10)))))
    }
    report("list of 100 running containers, median (min-max) ms", spreads.map { ($0.0, [("wall", $0.1)]) })
}

/// What 50 sleeping containers cost their engine, in percent of a processor.
private func reportLoad(_ sides: [EngineSide], _ clients: Contender, seconds: Int) throws {
    for (title, asks) in [("nobody asks", false), ("figures of all each second", true)] {
        var line = "\n50 sleeping containers, \(title):"
        for side in sides {
            let watcher = asks ? try clients.spawn(side.command(["stats"])) : nil
            // Those who come first are dear: connections, first figures.
            sleep(3)
            let before = side.contender.cpuMilliseconds
            sleep(UInt32(seconds))
            let used = side.contender.cpuMilliseconds - before
            watcher?.end()
            line += String(format: " %@ %.2f %%", side.name, used / Double(seconds) / 10)
        }
        print(line)
    }
}

/// 1,000 containers made, their list, and memory over cycles of a container's life: is anything left by each?
func benchmarkCycles(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let daemon = try gantry.startDaemon()
    defer { daemon.end() }
    let life = ["run", "--rm", "--network", "none", "gantry/starter:latest", "true"]
    for _ in 0..<100 { try gantry.contender.run(gantry.command(life)) }
    print("\ncycles of run --rm: engine's memory (PSS), open files")
    let step = 10 * max(rounds, 10)
    for index in 0...5 {
        if index > 0 { for _ in 0..<step { try gantry.contender.run(gantry.command(life)) } }
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").count
        print(
            String(
                format: "  after %5d: %.1f MiB, %d files", 100 + index * step,
                proportionalKiB(pid: Int(daemon.pid)) / 1024, files))
    }
    let side = EngineSide("gantry", gantry.contender, "", gantry.socket) { gantry.command($0) }
    for index in 0..<1000 {
        try gantry.contender.run(
            gantry.command("create", "--name", "many\(index)", "--network", "none", "gantry/starter:latest", "true"))
    }
    let clients = try Contender("clients")
    defer { clients.close() }
    try reportLists([side], clients, rounds: rounds)
    print("  (of 1,000 containers)")
    for first in stride(from: 0, to: 1000, by: 100) {
        try gantry.contender.run(gantry.command(["rm", "-f"] + (first..<first + 100).map { "many\($0)" }))
    }
}
