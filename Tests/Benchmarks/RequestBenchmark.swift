import Foundation

/// A server that is asked: its name, its socket, and whose processor time it uses.
struct AskedServer {
    let name: String
    let socketPath: String
    let contender: Contender
}

/// One connection that is kept, one request after the other; then eight of them at once. Beside the daemons stands the
/// least of servers, which gives Gantry's own answer.
func benchmarkRequests(_ sides: [AskedServer], gantry: AskedServer, _ rounds: Int) throws {
    for (title, target, count) in [
        ("GET /_ping", "/_ping", 2000), ("GET /containers/json of 100 running", "/containers/json", 50),
        ("GET /containers/ID/json", "/containers/list7/json", 300),
    ] {
        let floor = try RunningFloor(answer: try PlainClient.answer(gantry.socketPath, target))
        defer { floor.close() }
        try measure(title, target, count, sides + [floor.server], min(rounds, 7))
    }
}

private func measure(_ title: String, _ target: String, _ count: Int, _ sides: [AskedServer], _ rounds: Int) throws {
    var (alone, together) = (
        [[Double]](repeating: [], count: sides.count), [[Double]](repeating: [], count: sides.count)
    )
    var (costs, commonCosts) = (alone, alone)
    for _ in 0..<rounds {
        for (index, side) in sides.enumerated() {
            func rate(clients: Int) throws -> (Double, Double) {
                let before = side.contender.cpuMilliseconds
                let rate = try PlainClient.requestsPerSecond(side.socketPath, target, count, clients: clients)
                return (rate, (side.contender.cpuMilliseconds - before) * 1000 / Double(count))
            }
            let (one, cost) = try rate(clients: 1)
            let (eight, commonCost) = try rate(clients: 8)
            alone[index].append(one)
            costs[index].append(cost)
            together[index].append(eight)
            commonCosts[index].append(commonCost)
        }
    }
    report(
        "\(title), requests a second by one client and by eight, and the server's CPU for a request in µs, "
            + "median (min-max)",
        sides.indices.map { index in
            (
                sides[index].name,
                [
                    ("one", Spread(values: alone[index])), ("cpu", Spread(values: costs[index])),
                    ("eight", Spread(values: together[index])), ("cpu", Spread(values: commonCosts[index])),
                ]
            )
        })
}

/// The least of servers as a process of its own.
private final class RunningFloor {
    let server: AskedServer
    private let process: RunningCommand
    private let root = "/tmp/gantry-bench-floor-\(getpid())"

    init(answer: [UInt8]) throws {
        let socket = root + "/sock"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try Data(answer).write(to: URL(fileURLWithPath: root + "/answer"))
        server = AskedServer(name: "floor", socketPath: socket, contender: try Contender("floor"))
        process = try server.contender.spawn(["/proc/\(getpid())/exe", FloorServer.command, socket, root + "/answer"])
        for _ in 0..<500 where !FileManager.default.fileExists(atPath: socket) { usleep(10_000) }
    }

    func close() {
        process.end()
        server.contender.close()
        try? FileManager.default.removeItem(atPath: root)
    }
}
