import Foundation

/// `run --rm --network none` of `true`, whole process, against docker's CLI and engine.
func benchmarkRun(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let tar = try makeRootFileSystem(below: gantry.root).tar
    let docker = try DockerContestant(rootTar: tar)
    defer { docker.close() }
    let ours = gantry.command("run", "--rm", "--network", "none", "gantry/starter:latest", "true")
    let theirs = docker.command("run", "--rm", "--network", "none", "bench:latest", "/bin/true")
    try gantry.contender.run(ours)
    try docker.contender.run(theirs)
    var costs: [(Cost, Cost)] = []
    for _ in 0..<rounds { costs.append((try gantry.contender.run(ours), try docker.contender.run(theirs))) }
    report(
        "run --rm --network none IMAGE true, \(rounds) rounds, median (min-max) ms",
        [
            ("gantry", figures(costs.map(\.0))), ("docker", figures(costs.map(\.1))),
        ])
}

func figures(_ costs: [Cost]) -> [(String, Spread)] {
    [
        ("wall", Spread(values: costs.map(\.wallMilliseconds))),
        ("cpu", Spread(values: costs.map(\.cpuMilliseconds))),
    ]
}

/// Memory of 50 sleeping containers: each shim against each conmon; engine and shims together.
func benchmarkShims(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let daemon = try gantry.startDaemon()
    defer {
        daemon.end()
    }
    let count = 50
    for index in 0..<count {
        try startWaiting(gantry, "bench\(index)")
    }
    let conmon = try Contender("conmon")
    let bundles = try ConmonBundles(below: gantry.root)
    defer {
        bundles.close()
        conmon.close()
    }
    for index in 0..<count { try conmon.run(bundles.command("sleeper\(index)", ["/bin/sleep", "3600"])) }
    let ours = processes(named: "gantry-shim", matching: gantry.root).map(proportionalKiB)
    let theirs = processes(named: "conmon", matching: gantry.root).map(proportionalKiB)
    report(
        "\(count) sleeping containers, PSS KiB of each monitor, median (min-max)",
        [
            ("gantry-shim", [("pss", Spread(values: ours))]), ("conmon", [("pss", Spread(values: theirs))]),
        ])
    let engine = processes(named: "gantry", matching: gantry.root).map(proportionalKiB).reduce(0, +)
    let total = engine + ours.reduce(0, +)
    print(String(format: "  engine %.1f MiB, engine and shims together %.1f MiB", engine / 1024, total / 1024))
    for index in 0..<count { try gantry.contender.run(gantry.command("rm", "-f", "bench\(index)")) }
}

/// The first command may come while the daemon is still opening its socket: the command waits for it by itself.
func startWaiting(_ gantry: GantryContestant, _ name: String) throws {
    try gantry.contender.run(
        gantry.command("run", "-d", "--name", name, "--network", "none", "gantry/starter:latest", "sleep", "3600"))
}

/// 200 MB of lines through the shim into the log, against conmon into its k8s-file log. The container does nothing but
/// `cat` a file, which its writer alone, and a pipe to another file, are measured with beside it.
func benchmarkLog(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let daemon = try gantry.startDaemon()
    defer {
        daemon.end()
    }
    let conmon = try Contender("conmon")
    let bundles = try ConmonBundles(below: gantry.root)
    let plain = try Contender("plain")
    defer {
        bundles.close()
        conmon.close()
        plain.close()
    }
    let lines = gantry.root + "/lines"
    let line = String(repeating: "x", count: 99)
    guard try Contender.shell("yes \(line) | head -c 200000000 > \(lines)") == 0 else {
        throw BenchmarkError("no room for 200 MB in \(gantry.root)")
    }
    try bundles.place(lines, as: "lines")
    var costs: [(gantry: Cost, conmon: Cost, pipe: Cost, writer: Cost)] = []
    for round in 0..<max(3, rounds / 5) {
        let begin = gantry.contender.cpuMilliseconds
        let clock = DispatchTime.now()
        try gantry.contender.run(
            gantry.command(
                "run", "-d", "--name", "log\(round)", "--network", "none", "-v", "\(lines):/lines:ro",
                "gantry/starter:latest", "cat", "/lines"))
        try gantry.contender.run(gantry.command("wait", "log\(round)"))
        let ours = Cost(
            wallMilliseconds: Double(DispatchTime.now().uptimeNanoseconds - clock.uptimeNanoseconds) / 1e6,
            cpuMilliseconds: gantry.contender.cpuMilliseconds - begin)
        let theirs = try bundles.runToEnd(conmon, "log\(round)", ["/bin/cat", "/lines"])
        try gantry.contender.run(gantry.command("rm", "-f", "log\(round)"))
        let pipe = try plain.run(["sh", "-c", "busybox cat \(lines) | cat > \(lines).copy; rm \(lines).copy"])
        let writer = try plain.run(["sh", "-c", "busybox cat \(lines) | cat > /dev/null"])
        costs.append((ours, theirs, pipe, writer))
    }
    report(
        "200 MB of 100-byte lines into the log, until the container has ended, median (min-max) ms",
        [
            ("gantry", figures(costs.map(\.gantry))), ("conmon", figures(costs.map(\.conmon))),
            ("cat | cat > file", figures(costs.map(\.pipe))), ("cat | cat", figures(costs.map(\.writer))),
        ])
}

/// `logs` of a container that wrote 200 MB, against docker's.
func benchmarkReadBack(rounds: Int) throws {
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let docker = try DockerContestant(rootTar: try makeRootFileSystem(below: gantry.root).tar)
    defer { docker.close() }
    let daemon = try gantry.startDaemon()
    defer { daemon.end() }
    let writer = ["/bin/sh", "-c", "yes \(String(repeating: "x", count: 99)) | head -c 200000000"]
    try gantry.contender.run(
        gantry.command(["run", "-d", "--name", "long", "--network", "none", "gantry/starter:latest"] + writer))
    try docker.contender.run(
        docker.command(["run", "-d", "--name", "long", "--network", "none", "bench:latest"] + writer))
    try gantry.contender.run(gantry.command("wait", "long"))
    try docker.contender.run(docker.command("wait", "long"))
    var costs: [(Cost, Cost)] = []
    for _ in 0..<max(3, rounds / 5) {
        costs.append(
            (
                try gantry.contender.run(gantry.command("logs", "long")),
                try docker.contender.run(docker.command("logs", "long"))
            ))
    }
    report(
        "200 MB of 100-byte lines read back by `logs`, median (min-max) ms",
        [
            ("gantry", figures(costs.map(\.0))), ("docker", figures(costs.map(\.1))),
        ])
    try gantry.contender.run(gantry.command("rm", "-f", "long"))
}
