import Foundation

/// A gibibyte out of a container to its client, one in, and some of it by a terminal: our command and docker's on our engine, docker's on its own where
/// that runs, beside a pipe, and beside a chain of plain copies; docker's client also on the least that an engine can be, which
/// tells what of a figure is the client's.
func benchmarkStreams(rounds: Int) throws {
    let rounds = max(3, rounds / 5)
    let gantry = try GantryContestant()
    defer { gantry.close() }
    let daemon = try gantry.startDaemon()
    defer { daemon.end() }
    let tar = try makeRootFileSystem(below: gantry.root).tar
    // Docker's engine is for comparison only.
    let docker = try? DockerContestant(rootTar: tar)
    defer { docker?.close() }
    let plain = try Contender("plain")
    defer { plain.close() }

    let floorSocket = gantry.root + "/floor.sock"
    let floorServer = try gantry.contender.spawn(["/proc/\(getpid())/exe", FloorStreams.command, floorSocket])
    defer { floorServer.end() }

    let sides = streamSides(gantry, docker, floorSocket)
    for side in sides.unique { try side.start() }
    defer { for side in sides.unique { side.remove() } }
    for way in StreamSide.Way.allCases {
        var floors: [(name: String, words: [String])] = []
        floors.append(("pipe", ["sh", "-c", "\(way.writer) | cat >/dev/null"]))
        floors.append(("four in a chain", ["sh", "-c", "\(way.writer) | cat | cat | cat >/dev/null"]))
        let taking = sides.all.filter { way.isServedByFloor || !$0.isFloor }
        var costs = [[Cost]](repeating: [], count: floors.count + taking.count)
        for _ in 0..<rounds {
            for (index, floor) in floors.enumerated() { costs[index].append(try plain.run(floor.words)) }
            for (index, side) in taking.enumerated() {
                costs[floors.count + index].append(try side.contender.run(side.command(way)))
            }
        }
        let names = floors.map(\.name) + taking.map(\.name)
        report(
            "\(way.mebibytes) MiB by \(way.title), MB/s and CPU ms of all processes on the way, median (min-max)",
            zip(names, costs).map { name, costs in
                (
                    name,
                    [
                        ("rate", Spread(values: costs.map { way.megabytes / ($0.wallMilliseconds / 1000) })),
                        ("cpu", Spread(values: costs.map(\.cpuMilliseconds))),
                    ]
                )
            })
    }
}

private func streamSides(
    _ gantry: GantryContestant, _ docker: DockerContestant?, _ floorSocket: String
) -> (all: [StreamSide], unique: [StreamSide]) {
    let ours = StreamSide("gantry", gantry.contender, gantry.command(), image: "gantry/starter:latest")
    let theirClient = StreamSide(
        "docker on gantry", gantry.contender, ["docker", "-H", "unix://\(gantry.socket)"], image: ours.image)
    var floor = StreamSide(
        "docker on floor", gantry.contender, ["docker", "-H", "unix://\(floorSocket)"], image: ours.image)
    floor.isFloor = true
    guard let docker else { return ([ours, theirClient, floor], [ours]) }
    let theirs = StreamSide("docker", docker.contender, docker.command(), image: "bench:latest")
    return ([ours, theirClient, floor, theirs], [ours, theirs])
}

/// A client before an engine, with a container that sleeps.
private struct StreamSide {
    enum Way: CaseIterable {
        case exec, run, input, terminal

        var title: String {
            switch self {
            case .exec: "`exec`"
            case .run: "`run` attached, without a log"
            case .input: "`exec -i`, upwards"
            case .terminal: "`exec -t`"
            }
        }

        /// A terminal passes on by 4 KiB at most.
        var mebibytes: Int { self == .terminal ? 128 : 1024 }
        var megabytes: Double { Double(mebibytes) * 1.048576 }
        var writer: String { "dd if=/dev/zero bs=64k count=\(16 * mebibytes) 2>/dev/null" }
        var isServedByFloor: Bool { self == .exec || self == .input }
    }

    let name: String
    let contender: Contender
    let client: [String]
    let image: String
    /// It can do nothing but give and take.
    var isFloor = false

    init(_ name: String, _ contender: Contender, _ client: [String], image: String) {
        (self.name, self.contender, self.client, self.image) = (name, contender, client, image)
    }

    func start() throws {
        try contender.run(client + ["run", "-d", "--name", "stream", "--network", "none", image, "sleep", "3600"])
    }

    func remove() { _ = try? contender.run(client + ["rm", "-f", "stream"]) }

    func command(_ way: Way) -> [String] {
        switch way {
        case .exec: client + ["exec", "stream", "sh", "-c", way.writer]
        case .run:
            client + ["run", "--rm", "--network", "none", "--log-driver", "none", image, "sh", "-c", way.writer]
        case .terminal: client + ["exec", "-t", "stream", "sh", "-c", way.writer]
        case .input:
            ["sh", "-c", "\(way.writer) | \"$0\" \"$@\""] + client
                + ["exec", "-i", "stream", "sh", "-c", "cat >/dev/null"]
        }
    }
}
