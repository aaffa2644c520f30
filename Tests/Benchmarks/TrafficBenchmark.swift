import Foundation
import Linux
import NameService
import Netlink

/// Debian's iperf3 with the libraries that it loads, as a tar archive.
func makeIperfFileSystem(below directory: String) throws -> String {
    let tar = directory + "/iperf.tar"
    let script = """
        set -e
        mkdir -p \(directory)/iperf && cd \(directory)/iperf && mkdir -p bin tmp etc
        for file in $(command -v iperf3) $(ldd $(command -v iperf3) | grep -o '/[^ )]*'); do
            mkdir -p .${file%/*} && cp -L $file .$file
        done
        tar -cf \(tar) .
        """
    guard try Contender.shell(script) == 0 else { throw BenchmarkError("no iperf3: apt-get install iperf3") }
    return tar
}

/// Between two containers of a network, and through a published port from the host, by iperf3.
func benchmarkTraffic(_ field: NetworkField) throws {
    var rows: [(name: String, figures: [(String, Spread)])] = []
    for side in field.sides { rows.append((side.name, try throughputs(side, field))) }
    report("iperf3, 2 s each, three times: Gbit/s, median (min-max); more is better", rows)
}

private func throughputs(_ side: NetworkSide, _ field: NetworkField) throws -> [(String, Spread)] {
    try side.run("network", "create", "traffic")
    try side.run(
        "run", "-d", "--name", "server", "--network", "traffic", "-p", "5201:5201", "iperf:latest", "/usr/bin/iperf3",
        "-s")
    usleep(500_000)
    defer {
        _ = try? side.run("rm", "-f", "server")
        _ = try? side.run("network", "rm", "traffic")
    }
    let gateway = try side.inspect("server", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}")
    let inside = NetworkField.enter(field.holder.pid)
    let between =
        side.prefix + ["run", "--rm", "--network", "traffic", "iperf:latest", "/usr/bin/iperf3", "-c", "server"]
    let ways: [(String, [String])] = [
        ("containers", between), ("published port", inside + ["iperf3", "-c", gateway]),
        ("by loopback", inside + ["iperf3", "-c", "127.0.0.1"]),
    ]
    return try ways.map { name, command in
        let values = try (0..<3).map { _ in
            try gigabits(side.contender.output(of: command + ["-t", "2", "-J"]), "\(side.name), \(name)")
        }
        return (name, Spread(values: values))
    }
}

/// What the receiver counted, from iperf3's JSON.
private func gigabits(_ text: String, _ what: String) throws -> Double {
    let value = try? JSONSerialization.jsonObject(with: Data(text.utf8))
    let end = (value as? [String: Any])?["end"] as? [String: Any]
    guard let rate = (end?["sum_received"] as? [String: Any])?["bits_per_second"] as? Double else {
        throw BenchmarkError("iperf3: \(what): \(text.prefix(300))")
    }
    return rate / 1e9
}

/// Answers of the containers' name server: one question after another, and many at a time.
func benchmarkNames(_ field: NetworkField) throws {
    var latencies: [(name: String, figures: [(String, Spread)])] = []
    var rates: [(name: String, figures: [(String, Spread)])] = []
    for side in field.sides {
        try side.run("network", "create", "names")
        try side.run("run", "-d", "--name", "asker", "--network", "names", "bench:latest", "/bin/sleep", "3600")
        let pid = Int32(try side.inspect("asker", "{{.State.Pid}}")) ?? 0
        let ticks = try ProcessStat.read(pid: pid).startTicks
        let namespace = OwnedDescriptor(try NetworkNamespace.open(pid: pid, startTicks: ticks))
        let socket = OwnedDescriptor(
            try NetworkNamespace.run(in: namespace.descriptor) { () throws(KernelError) in
                let socket = try InternetSocket.open(.datagram, .v4)
                _ = try InternetSocket.connect(socket, to: SocketEndpoint(IPAddress(.v4, 0x7F00_000B), 53))
                return socket
            })
        let asker = NameAsker(socket: socket.descriptor, name: "asker")
        latencies.append((side.name, [("answer", Spread(values: try (0..<5000).map { _ in try asker.ask() }))]))
        rates.append((side.name, [("rate", Spread(values: try (0..<5).map { _ in try asker.askMany(20_000) }))]))
        try side.run("rm", "-f", "asker")
        try side.run("network", "rm", "names")
    }
    report("a name's answer at 127.0.0.11, 5,000 one after another, median (min-max) µs", latencies)
    report("answers a second, 32 questions at a time; more is better", rates)
}

/// Questions to a name server over a connected socket of datagrams.
struct NameAsker {
    let socket: Descriptor
    private let question: [UInt8]

    init(socket: Descriptor, name: String) {
        self.socket = socket
        question = DNSName(name).map { DNSQuery(id: 7, name: $0, type: DNSQuery.typeA).encoded } ?? []
    }

    /// Microseconds until the answer.
    func ask() throws -> Double {
        var buffer = [UInt8](repeating: 0, count: 512)
        let begin = DispatchTime.now()
        _ = try UnixSocket.send(socket, question, from: 0)
        try receive(&buffer)
        return Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e3
    }

    /// Answers a second.
    func askMany(_ count: Int) throws -> Double {
        var buffer = [UInt8](repeating: 0, count: 512)
        let begin = DispatchTime.now()
        var (sent, received) = (0, 0)
        while received < count {
            while sent < count, sent - received < 32 {
                _ = try UnixSocket.send(socket, question, from: 0)
                sent += 1
            }
            try receive(&buffer)
            received += 1
        }
        return Double(count) / (Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e9)
    }

    private func receive(_ buffer: inout [UInt8]) throws {
        var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 2000) == 1 else { throw BenchmarkError("the name server does not answer") }
        let count = try socket.read(into: &buffer)
        guard count > 12, buffer[3] & 15 == 0 else { throw BenchmarkError("the name server does not know the name") }
    }
}
