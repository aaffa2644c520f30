import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Clients of published ports that send from one socket all the time, as resolvers and players do: the packet filter
/// remembers where their first datagram went.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct DatagramFlowTests {
    /// A socket on the host that is joined to a published port for its whole life.
    private struct Client {
        let socket: Descriptor

        init(_ host: IPAddress, _ port: UInt16) throws {
            socket = try InternetSocket.open(.datagram, host.family)
            _ = try InternetSocket.connect(socket, to: SocketEndpoint(host, port))
        }

        /// Whether a server gets what this sends, and this what the server answers.
        func isServed(by server: Descriptor, _ text: String) throws -> Bool {
            // A port that nobody has is refused by the next call.
            guard (try? UnixSocket.send(socket, Array(text.utf8), from: 0)) != nil else { return false }
            var buffer = [UInt8](repeating: 0, count: 64)
            guard poll(server, milliseconds: 100) else { return false }
            let (count, peer) = try InternetSocket.receive(server, into: &buffer)
            try InternetSocket.send(server, Array(buffer[..<count]), to: peer)
            guard poll(socket, milliseconds: 1000) else { return false }
            let read = try socket.read(into: &buffer)
            return String(decoding: buffer[..<read], as: UTF8.self) == text
        }

        private func poll(_ socket: Descriptor, milliseconds: Int32) -> Bool {
            var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            return Glibc.poll(&entry, 1, milliseconds) == 1
        }
    }

    /// A container with a socket of datagrams at port 9 of all its addresses.
    private final class Server {
        let id: String
        let socket: Descriptor

        init(
            _ name: String, _ engine: GantryEngine, _ bench: EngineBench, network: String = "bridge",
            _ bindings: [PortBinding]
        ) async throws {
            id = try await bench.create("sleep 600", name: name, on: engine) { spec in
                spec.networkMode = NetworkMode(rawValue: network)
                spec.portBindings = bindings
            }
            try await engine.start(id)
            let peer = try await NetworkPeer(id, engine)
            defer { peer.close() }
            socket = try peer.here { () throws(KernelError) in
                try InternetSocket.bound(.datagram, SocketEndpoint(IPAddress(.v4, 0), 9))
            }
        }

        deinit { socket.close() }
    }

    private static let loopback = IPAddress(.v4, 0x7F00_0001)

    @Test("A client that keeps its socket is served by whoever has the published port, and by nobody in between")
    func takeover() async throws {
        try await EngineBench.with { engine, bench in
            let first = try await Server("first", engine, bench, [PortBinding(ContainerPort(9, .udp))])
            let port = try #require(try await engine.inspect(first.id).ports.first?.hostPort)
            let gateway = try #require(
                try await engine.inspect(first.id).networks.first.flatMap { IPAddress($0.gateway) })
            // By loopback, and as from another machine: by an address of the machine's.
            let clients = try [Self.loopback, gateway].map { try Client($0, port) }
            defer { for client in clients { client.socket.close() } }
            for client in clients { #expect(try eventually { try client.isServed(by: first.socket, "first") }) }
            try await engine.remove(first.id, force: true, volumes: false)
            // It speaks on, which is remembered, too. (The test's own socket keeps the namespace of the first one alive.)
            for client in clients { _ = try client.isServed(by: first.socket, "between") }
            let second = try await Server(
                "second", engine, bench, [PortBinding(ContainerPort(9, .udp), hostPort: port)])
            for client in clients { #expect(try eventually { try client.isServed(by: second.socket, "second") }) }
        }
    }

    @Test(
        "A published port of datagrams that moves to another network takes the packet filter's clients along, and the shim's",
        arguments: [loopback, IPAddress(.v6, 1)])
    func disconnection(host: IPAddress) async throws {
        try await EngineBench.with { engine, bench in
            for name in ["front", "back"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            let server = try await Server(
                "server", engine, bench, network: "front", [PortBinding(ContainerPort(9, .udp))])
            try await engine.connect(server.id, to: "back", EndpointSpec())
            let port = try #require(try await engine.inspect(server.id).ports.first?.hostPort)
            let client = try Client(host, port)
            defer { client.socket.close() }
            #expect(try eventually { try client.isServed(by: server.socket, "front") })
            try await engine.disconnect(server.id, from: "front", force: false)
            #expect(try eventually { try client.isServed(by: server.socket, "back") })
        }
    }

    @Test("A client that began before the port was published is served once it is")
    func earlyClient() async throws {
        try await EngineBench.with { engine, bench in
            let probe = try InternetSocket.bound(.datagram, SocketEndpoint(Self.loopback, 0))
            let port = try InternetSocket.port(probe)
            probe.close()
            // A container with the table of the packet filter, in which flows are remembered.
            let other = try await Server("other", engine, bench, [])
            let client = try Client(Self.loopback, port)
            defer { client.socket.close() }
            #expect(try !client.isServed(by: other.socket, "early"))
            let server = try await Server(
                "server", engine, bench, [PortBinding(ContainerPort(9, .udp), hostPort: port)])
            #expect(try eventually { try client.isServed(by: server.socket, "late") })
        }
    }

    @Test("A published port of datagrams serves more clients than it remembers", .timeLimit(.minutes(2)))
    func manyClients() async throws {
        try await EngineBench.with { engine, bench in
            let server = try await Server("server", engine, bench, [PortBinding(ContainerPort(9, .udp))])
            let port = try #require(try await engine.inspect(server.id).ports.first?.hostPort)
            for number in 0..<1200 {
                // By the shim.
                let client = try Client(IPAddress(.v6, 1), port)
                defer { client.socket.close() }
                try #require(try eventually { try client.isServed(by: server.socket, "\(number)") }, "\(number)")
            }
        }
    }
}
