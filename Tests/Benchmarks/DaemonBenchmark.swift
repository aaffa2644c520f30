import Foundation

/// Docker's API served by `gantry daemon` and by dockerd, asked by the same clients: requests a second, commands of
/// docker's command line, the engine's own time for statistics, logs read in MB a second, memory of idle connections.
func benchmarkDaemon(rounds: Int) throws {
    let field = try ServedField()
    defer { field.close() }
    for part in daemonParts { try part.body(field, rounds) }
}

/// The parts of `daemon`, each of which runs alone by its name, too.
var daemonParts: [(name: String, body: (ServedField, Int) throws -> Void)] {
    [
        ("daemon-idle", { field, _ in idleMemory(field) }), ("daemon-requests", requests),
        ("daemon-commands", commands), ("daemon-stats", { field, _ in try statistics(field.sides) }),
        ("daemon-streams", { field, rounds in try streams(field, min(rounds, 3)) }),
        ("daemon-connections", { field, _ in try idleConnections(field) }), ("daemon-many", longList),
    ]
}

/// A part of `daemon` on daemons of its own.
func benchmarkDaemonPart(_ body: (ServedField, Int) throws -> Void, rounds: Int) throws {
    let field = try ServedField()
    defer { field.close() }
    try body(field, rounds)
}

/// Both daemons, running.
final class ServedField {
    private let gantry: GantryContestant
    private let docker: DockerContestant
    private let daemon: RunningCommand
    fileprivate let sides: [ServedSide]

    init() throws {
        gantry = try GantryContestant()
        docker = try DockerContestant(rootTar: try makeRootFileSystem(below: gantry.root).tar)
        daemon = try gantry.startDaemon()
        sides = [
            ServedSide("gantry", gantry.contender, gantry.socket, daemon.pid, image: "gantry/starter:latest"),
            ServedSide("docker", docker.contender, "\(docker.root)/sock", docker.pid, image: "bench:latest"),
        ]
    }

    func close() {
        for side in sides { side.removeAll() }
        daemon.end()
        docker.close()
        gantry.close()
    }

    /// So many containers that sleep, `list0` and on, on each side.
    fileprivate func sleepers(_ count: Int) throws { for side in sides { try side.sleepers(count) } }
}

/// One daemon with docker's command line before it.
private final class ServedSide {
    let name: String
    let socketPath: String
    let pid: pid_t
    let image: String
    let contender: Contender
    private var sleeping = 0

    init(_ name: String, _ contender: Contender, _ socketPath: String, _ pid: pid_t, image: String) {
        (self.name, self.contender, self.socketPath, self.image) = (name, contender, socketPath, image)
        self.pid = pid
    }

    @discardableResult
    func docker(_ words: String...) throws -> Cost {
        try contender.run(["docker", "-H", "unix://\(socketPath)"] + words)
    }

    func sleepers(_ count: Int) throws {
        while sleeping < count {
            try docker(
                "run", "-d", "--name", "list\(sleeping)", "--network", "none", image, "/bin/sleep", "3600")
            sleeping += 1
        }
    }

    func removeAll() {
        // What cannot be removed in time goes with the contender's daemon and cgroup.
        _ = try? contender.run([
            "timeout", "60", "sh", "-c",
            "docker -H unix://\(socketPath) ps -aq | xargs -r -n 10 docker -H unix://\(socketPath) rm -f",
        ])
    }
}

private func idleMemory(_ field: ServedField) {
    print("\nresident memory of the idle daemon, MiB")
    for side in field.sides {
        let proportional = proportionalKiB(pid: Int(side.pid)) / 1024
        print(String(format: "  %@ %.1f (PSS %.1f)", side.name, residentMiB(side.pid), proportional))
    }
}

private func requests(_ field: ServedField, _ rounds: Int) throws {
    try field.sleepers(100)
    let servers = field.sides.map { AskedServer(name: $0.name, socketPath: $0.socketPath, contender: $0.contender) }
    try benchmarkRequests(servers, gantry: servers[0], rounds)
}

private func residentMiB(_ pid: pid_t) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
}

private func commands(_ field: ServedField, _ rounds: Int) throws {
    let sides = field.sides
    try field.sleepers(1)
    for (title, words) in [
        ("docker run --rm --network none IMAGE true", ["run", "--rm", "--network", "none", "IMAGE", "/bin/true"]),
        ("docker exec list0 true", ["exec", "list0", "/bin/true"]),
    ] {
        var costs = [[Cost]](repeating: [], count: sides.count)
        for _ in 0..<rounds {
            for (index, side) in sides.enumerated() {
                let own = words.map { $0 == "IMAGE" ? side.image : $0 }
                costs[index].append(try side.contender.run(["docker", "-H", "unix://\(side.socketPath)"] + own))
            }
        }
        report(
            "\(title), median (min-max) ms; CPU of client, engine and monitor together",
            sides.indices.map { index in
                (
                    sides[index].name,
                    [
                        ("wall", Spread(values: costs[index].map(\.wallMilliseconds))),
                        ("cpu", Spread(values: costs[index].map(\.cpuMilliseconds))),
                    ]
                )
            })
    }
}

/// The engine's own time while a client follows the statistics of 50 containers for ten seconds.
private func statistics(_ sides: [ServedSide]) throws {
    var figures: [(name: String, figures: [(String, Spread)])] = []
    for side in sides {
        try side.sleepers(50)
        let followers = try (0..<50).map { try PlainClient(side.socketPath, "/containers/list\($0)/stats") }
        let before = side.contender.cpuMilliseconds
        let end = DispatchTime.now() + 10
        while DispatchTime.now() < end {
            for follower in followers { follower.drain() }
            usleep(20_000)
        }
        figures.append((side.name, [("cpu", Spread(values: [side.contender.cpuMilliseconds - before]))]))
    }
    report("stats of 50 containers for 10 s, the engine's CPU in ms", figures)
}

private func streams(_ field: ServedField, _ rounds: Int) throws {
    let sides = field.sides
    // Docker reads its log back at 12 MB/s: more would take minutes, and tell nothing else.
    let megabytes = 50
    let lines =
        "yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 | head -c \(megabytes)000000"
    for side in sides {
        try side.docker("run", "--name", "logged", "--network", "none", side.image, "/bin/sh", "-c", lines)
    }
    var rates = [[Double]](repeating: [], count: sides.count)
    for _ in 0..<rounds {
        for (index, side) in sides.enumerated() {
            let cost = try side.docker("logs", "logged")
            rates[index].append(Double(megabytes) / (cost.wallMilliseconds / 1000))
        }
    }
    report(
        "docker logs of \(megabytes) MB, MB/s, median (min-max)",
        sides.indices.map { (sides[$0].name, [("rate", Spread(values: rates[$0]))]) })
}

/// What 1,000 clients cost that are attached to a container which says nothing.
private func idleConnections(_ field: ServedField) throws {
    let side = field.sides[0]
    try side.sleepers(1)
    let before = residentMiB(side.pid)
    let clients = try (0..<1000).map { _ in
        try PlainClient(side.socketPath, "/containers/list0/attach?stream=1&stdout=1", method: "POST")
    }
    for client in clients { client.awaitHead() }
    // What the requests took is given back once none has come for two seconds.
    sleep(5)
    print(String(format: "\n1,000 idle attach connections: %.1f MiB", residentMiB(side.pid) - before))
    for client in clients { client.close() }
}

/// The list of a thousand containers, a tenth of which run.
private func longList(_ field: ServedField, _ rounds: Int) throws {
    let side = field.sides[0]
    try side.sleepers(100)
    let make = "for i in $(seq 900); do docker -H unix://\(side.socketPath) create --network none \(side.image) x; done"
    try side.contender.run(["sh", "-c", make])
    let rates = try (0..<min(rounds, 5)).map { _ in
        try PlainClient.requestsPerSecond(side.socketPath, "/containers/json?all=1", 20, clients: 1)
    }
    report(
        "list of 1,000 containers, median (min-max) ms",
        [(side.name, [("list", Spread(values: rates.map { 1000 / $0 }))])])
}
