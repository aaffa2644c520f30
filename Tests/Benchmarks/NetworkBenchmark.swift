import Foundation
import Linux

/// Networks beside docker's, and the run of a container beside podman's, too. All engines' bridges, rules and switches are
/// in a network namespace of the benchmark's own, so that none meets the other's, nor the machine's.
func benchmarkNetwork(rounds: Int) throws {
    let field = try NetworkField()
    defer { field.close() }
    try benchmarkBridgeRun(field, rounds)
    try benchmarkConnecting(field, rounds)
    try benchmarkTraffic(field)
    try benchmarkNames(field)
    try benchmarkManyNetworks(field)
}

/// The namespace, and the two engines in it.
final class NetworkField {
    let holder: RunningCommand
    let gantry: GantryContestant
    let docker: DockerContestant
    let podman: PodmanContestant
    /// Podman's command line, in the namespace.
    private let podmanSide: NetworkSide
    private let daemon: RunningCommand

    init() throws {
        holder = RunningCommand(
            pid: try Spawn(
                program: "/usr/bin/unshare",
                arguments: ["unshare", "-n", "sh", "-c", "ip link set lo up; exec sleep 1000000"]
            ).start())
        // Until it has left this process's namespace.
        while try namespace(of: holder.pid) == namespace(of: getpid()) { usleep(10_000) }
        gantry = try GantryContestant()
        let inside = Self.enter(holder.pid)
        let tar = try makeRootFileSystem(below: gantry.root).tar
        let iperf = try makeIperfFileSystem(below: gantry.root)
        docker = try DockerContestant(rootTar: tar, prefix: inside, options: [])
        try docker.contender.run(docker.command("import", iperf, "iperf:latest"))
        podman = try PodmanContestant(in: "/tmp")
        podmanSide = NetworkSide(
            name: "podman", contender: podman.contender, prefix: inside + (try podman.containerCommand()), socket: "")
        try podmanSide.run("import", tar, "bench:latest")
        daemon = try gantry.contender.spawn(
            inside + gantry.command("daemon"), output: gantry.root + "/daemon.log")
        while !FileManager.default.fileExists(atPath: gantry.root + "/run/gantry.sock") { usleep(50_000) }
        try gantry.contender.run(gantry.command("import", tar, "bench:latest"))
        try gantry.contender.run(gantry.command("import", iperf, "iperf:latest"))
    }

    static func enter(_ pid: pid_t) -> [String] { ["nsenter", "-t", "\(pid)", "-n", "--"] }

    /// The two, by what they are called and what stands before their commands.
    var sides: [NetworkSide] {
        [
            NetworkSide(
                name: "gantry", contender: gantry.contender, prefix: gantry.command([]),
                socket: gantry.root + "/run/gantry.sock"),
            NetworkSide(
                name: "docker", contender: docker.contender, prefix: docker.command([]), socket: docker.root + "/sock"),
        ]
    }

    /// Those that run a container.
    var runners: [NetworkSide] { sides + [podmanSide] }

    func close() {
        for side in sides {
            for id in (try? side.output("ps", "-aq"))?.split(separator: "\n") ?? [] {
                _ = try? side.run("rm", "-f", String(id))
            }
        }
        daemon.end()
        docker.close()
        podman.close()
        gantry.close()
        holder.end()
    }
}

private func namespace(of pid: pid_t) throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
}

/// One engine's command line and socket.
struct NetworkSide {
    let name: String
    let contender: Contender
    let prefix: [String]
    let socket: String

    @discardableResult
    func run(_ words: String...) throws -> Cost { try contender.run(prefix + words) }

    func output(_ words: String...) throws -> String { try contender.output(of: prefix + words) }

    func inspect(_ container: String, _ format: String) throws -> String {
        try output("inspect", "-f", format, container)
    }

    /// Wall time of one request of the API, without a command line.
    func post(_ path: String, _ body: String) throws -> Double {
        let (folder, file) = PathName.split(socket)
        let directory = OwnedDescriptor(try Descriptor.open(folder, O_PATH | O_DIRECTORY))
        let socket = OwnedDescriptor(try UnixSocket.connect(in: directory.descriptor, name: file))
        let begin = DispatchTime.now()
        let request =
            "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
            + "\(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        try socket.descriptor.writeAll(Array(request.utf8))
        var entry = pollfd(fd: socket.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 10_000) == 1 else { throw BenchmarkError("\(name): POST \(path): no answer") }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try socket.descriptor.read(into: &buffer)
        let wall = Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e6
        let line = String(decoding: buffer[..<count].prefix { $0 != 13 }, as: UTF8.self)
        guard line.contains(" 2") else { throw BenchmarkError("\(name): POST \(path): \(line)") }
        return wall
    }
}

/// `run --rm` of `true` on the default bridge, and what the bridge adds to a run without a network.
private func benchmarkBridgeRun(_ field: NetworkField, _ rounds: Int) throws {
    var figures: [String: [Double]] = [:]
    for round in 0...rounds {
        for side in field.runners {
            for network in ["bridge", "none"] {
                let name = side.name == "podman" && network == "bridge" ? "podman" : network
                let cost = try side.run("run", "--rm", "--network", name, "bench:latest", "/bin/true")
                // The first makes bridges and loads libraries.
                if round > 0 { figures["\(side.name) \(network)", default: []].append(cost.wallMilliseconds) }
            }
        }
    }
    let engines = field.runners.map(\.name)
    let names = ["bridge", "none"].flatMap { network in engines.map { "\($0) \(network)" } }
    report(
        "run --rm IMAGE true, engine running, \(rounds) rounds, median (min-max) ms",
        names.map { ($0, [("wall", Spread(values: figures[$0] ?? []))]) })
    for name in engines {
        let added = zip(figures["\(name) bridge"] ?? [], figures["\(name) none"] ?? []).map { $0 - $1 }
        print("  the bridge adds, \(name): \(Spread(values: added))")
    }
}

/// Connecting a running container to a network and taking it out again, by the API.
private func benchmarkConnecting(_ field: NetworkField, _ rounds: Int) throws {
    var rows: [(name: String, figures: [(String, Spread)])] = []
    for side in field.sides {
        try side.run("network", "create", "connecting")
        try side.run("run", "-d", "--name", "mover", "bench:latest", "/bin/sleep", "3600")
        var (joining, leaving): ([Double], [Double]) = ([], [])
        for _ in 0..<rounds {
            joining.append(try side.post("/v1.41/networks/connecting/connect", #"{"Container":"mover"}"#))
            leaving.append(try side.post("/v1.41/networks/connecting/disconnect", #"{"Container":"mover"}"#))
        }
        rows.append((side.name, [("connect", Spread(values: joining)), ("disconnect", Spread(values: leaving))]))
        try side.run("rm", "-f", "mover")
        try side.run("network", "rm", "connecting")
    }
    report("connect and disconnect a running container, by the API, \(rounds) rounds, median (min-max) ms", rows)
}

/// 200 networks with 500 endpoints: what making a network and a container takes at the beginning and at the end.
private func benchmarkManyNetworks(_ field: NetworkField) throws {
    let side = field.sides[0]
    func figures(_ networks: ArraySlice<Double>, _ containers: ArraySlice<Double>) -> [(String, Spread)] {
        [("network", Spread(values: Array(networks))), ("run", Spread(values: Array(containers)))]
    }
    var (networks, containers): ([Double], [Double]) = ([], [])
    for index in 0..<200 {
        let subnet = "10.\(100 + index / 100).\(index % 100).0/24"
        networks.append(try side.run("network", "create", "--subnet", subnet, "n\(index)").wallMilliseconds)
    }
    for index in 0..<100 {
        containers.append(
            try side.run(
                "run", "-d", "--name", "c\(index)", "--network", "n\(index)", "bench:latest", "/bin/sleep", "3600"
            ).wallMilliseconds)
        for step in 1..<5 {
            _ = try side.post(
                "/v1.41/networks/n\((index + step * 40) % 200)/connect", "{\"Container\":\"c\(index)\"}")
        }
    }
    report(
        "gantry: 200 networks, then 100 containers in five of them each, median (min-max) ms",
        [
            ("last 20", figures(networks.suffix(20), containers.suffix(20))),
            ("first 20", figures(networks.prefix(20), containers.prefix(20))),
        ])
    for index in 0..<100 { try side.run("rm", "-f", "c\(index)") }
    for index in 0..<200 { try side.run("network", "rm", "n\(index)") }
}
