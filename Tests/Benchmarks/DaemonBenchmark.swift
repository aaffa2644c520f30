import Foundation

/// Docker's API served by `gantry daemon` and by dockerd, asked by the same clients: requests a second, commands of
/// docker's command line, the engine's own time for statistics, streams in MB a second, memory of idle connections.
func benchmarkDaemon(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let tar = try makeRootFileSystem(below: gantry.root).tar
    let docker = try DockerContestant(rootTar: tar)
    defer { docker.close() }
    let daemon = try gantry.contender.spawn(gantry.command("daemon"), output: gantry.root + "/daemon.log")
    defer { daemon.end() }
    // Asked by docker's client: a command of ours would host the engine itself, were it faster than the daemon.
    let version = ["docker", "-H", "unix://\(gantry.root)/run/gantry.sock", "version"]
    var tries = 0
    while (try? gantry.contender.run(version)) == nil {
        tries += 1
        guard tries < 100 else { throw BenchmarkError("the daemon does not answer: see \(gantry.root)/daemon.log") }
        usleep(100_000)
    }
    let sides = [
        ServedSide("gantry", gantry.contender, "\(gantry.root)/run/gantry.sock", image: "gantry/starter:latest"),
        ServedSide("docker", docker.contender, "\(docker.root)/sock", image: "bench:latest"),
    ]
    defer { for side in sides { side.removeAll() } }
    idleMemory(daemon.pid, docker: docker.pid)
    try requests(sides, rounds)
    try commands(sides, rounds)
    try statistics(sides)
    try streams(sides, min(rounds, 5))
    try idleConnections(sides[0], daemon.pid)
}

/// One daemon with docker's command line before it.
private final class ServedSide {
    let name: String
    let socketPath: String
    let image: String
    let contender: Contender

    init(_ name: String, _ contender: Contender, _ socketPath: String, image: String) {
        (self.name, self.contender, self.socketPath, self.image) = (name, contender, socketPath, image)
    }

    @discardableResult
    func docker(_ words: String...) throws -> Cost {
        try contender.run(["docker", "-H", "unix://\(socketPath)"] + words)
    }

    func start(_ count: Int, _ prefix: String) throws {
        for index in 0..<count {
            try docker("run", "-d", "--name", "\(prefix)\(index)", "--network", "none", image, "/bin/sleep", "3600")
        }
    }

    func removeAll() {
        // What cannot be removed goes with the contender's cgroup.
        _ = try? contender.run([
            "sh", "-c", "docker -H unix://\(socketPath) ps -aq | xargs -r docker -H unix://\(socketPath) rm -f",
        ])
    }
}

private func idleMemory(_ pid: pid_t, docker: pid_t) {
    print("\nresident memory of the idle daemon, MiB")
    for (name, pid) in [("gantry", pid), ("docker", docker)] {
        print(String(format: "  %@ %.1f (PSS %.1f)", name, residentMiB(pid), proportionalKiB(pid: Int(pid)) / 1024))
    }
}

private func residentMiB(_ pid: pid_t) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
}

/// One connection that is kept, one request after the other; then eight of them at once.
private func requests(_ sides: [ServedSide], _ rounds: Int) throws {
    for side in sides { try side.start(100, "list") }
    for (title, target, count) in [
        ("GET /_ping", "/_ping", 2000), ("GET /containers/json of 100 running", "/containers/json", 50),
        ("GET /containers/ID/json", "/containers/list7/json", 300),
    ] {
        var rates = [[Double]](repeating: [], count: sides.count)
        var together = rates
        for _ in 0..<min(rounds, 5) {
            for (index, side) in sides.enumerated() {
                rates[index].append(try PlainClient.requestsPerSecond(side.socketPath, target, count, clients: 1))
                together[index].append(
                    try PlainClient.requestsPerSecond(side.socketPath, target, count, clients: 8))
            }
        }
        report(
            "\(title), requests a second, median (min-max)",
            sides.indices.map { index in
                (
                    sides[index].name,
                    [("one", Spread(values: rates[index])), ("eight", Spread(values: together[index]))]
                )
            })
    }
}

private func commands(_ sides: [ServedSide], _ rounds: Int) throws {
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

private func streams(_ sides: [ServedSide], _ rounds: Int) throws {
    let megabytes = 200
    let lines =
        "yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 | head -c \(megabytes)000000"
    for side in sides {
        try side.docker("run", "--name", "logged", "--network", "none", side.image, "/bin/sh", "-c", lines)
    }
    for (title, words) in [
        ("docker logs of \(megabytes) MB", ["logs", "logged"]),
        ("docker exec that writes \(megabytes) MB", ["exec", "list1", "/bin/sh", "-c", lines]),
        (
            "docker run attached, no log, \(megabytes) MB",
            ["run", "--rm", "--network", "none", "--log-driver", "none", "IMAGE", "/bin/sh", "-c", lines]
        ),
    ] {
        var rates = [[Double]](repeating: [], count: sides.count)
        for _ in 0..<rounds {
            for (index, side) in sides.enumerated() {
                let own = words.map { $0 == "IMAGE" ? side.image : $0 }
                let cost = try side.contender.run(["docker", "-H", "unix://\(side.socketPath)"] + own)
                rates[index].append(Double(megabytes) / (cost.wallMilliseconds / 1000))
            }
        }
        report(
            "\(title), MB/s, median (min-max)",
            sides.indices.map { (sides[$0].name, [("rate", Spread(values: rates[$0]))]) })
    }
}

/// What 1,000 clients cost that are attached to a container which says nothing.
private func idleConnections(_ side: ServedSide, _ pid: pid_t) throws {
    let before = residentMiB(pid)
    let clients = try (0..<1000).map { _ in
        try PlainClient(side.socketPath, "/containers/list0/attach?stream=1&stdout=1", method: "POST")
    }
    for client in clients { client.awaitHead() }
    print(String(format: "\n1,000 idle attach connections: %.1f MiB", residentMiB(pid) - before))
    for client in clients { client.close() }
}
