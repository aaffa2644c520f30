import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Published ports of SCTP, where the kernel has that protocol.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .enabled(if: KernelProtocols.hasSCTP, "the kernel has no SCTP"))
struct AssociationTests {
    @Test("A published port of SCTP is reached by loopback, by both versions' addresses, and from another container")
    func published() async throws {
        try await EngineBench.with { engine, bench in
            let server = try await bench.create("sleep 100", name: "server", on: engine) { spec in
                (spec.networkMode, spec.portBindings) = (nil, [PortBinding(ContainerPort(9, .sctp))])
            }
            let other = try await bench.create("sleep 100", name: "other", on: engine) { $0.networkMode = nil }
            for id in [server, other] { try await engine.start(id) }
            let inside = try await NetworkPeer(server, engine)
            defer { inside.close() }
            let neighbour = try await NetworkPeer(other, engine)
            defer { neighbour.close() }
            let socket = try inside.here { () throws(KernelError) in
                try InternetSocket.bound(.sctp, SocketEndpoint(IPAddress(.v4, 0), 9))
            }
            defer { socket.close() }
            let details = try await engine.inspect(server)
            let port = try #require(details.ports.first?.hostPort)
            let network = try #require(details.networks.first)
            let address = try #require(IPAddress(network.ipv4Address))
            let gateway = try #require(IPAddress(network.gateway))
            for (from, host, port) in [
                (NetworkPeer.host, address, UInt16(9)), (.host, IPAddress(.v4, 0x7F00_0001), port),
                (.host, IPAddress(.v6, 1), port), (neighbour, gateway, port),
            ] {
                let client = try from.here { () throws(KernelError) in
                    try InternetSocket.open(.sctp, host.family)
                }
                defer { client.close() }
                if try !InternetSocket.connect(client, to: SocketEndpoint(host, port)) {
                    #expect(NetworkPeer.wait(client, POLLOUT, 10), "\(host)")
                    #expect(try InternetSocket.pendingError(client) == nil, "\(host)")
                }
                #expect(NetworkPeer.wait(socket, POLLIN, 10), "\(host)")
                let accepted = OwnedDescriptor(
                    Descriptor(rawValue: try kernelCall("accept") { accept(socket.rawValue, nil, nil) }))
                #expect(try Self.passes("ping", from: client, to: accepted.descriptor), "\(host)")
                #expect(try Self.passes("pong", from: accepted.descriptor, to: client), "\(host)")
            }
        }
    }

    private static func passes(_ text: String, from sender: Descriptor, to receiver: Descriptor) throws -> Bool {
        _ = try UnixSocket.send(sender, Array(text.utf8), from: 0)
        guard NetworkPeer.wait(receiver, POLLIN, 10) else { return false }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = try receiver.read(into: &buffer)
        return String(decoding: buffer[..<count], as: UTF8.self) == text
    }
}

private enum KernelProtocols {
    static let hasSCTP: Bool = {
        guard let socket = try? InternetSocket.open(.sctp, .v4) else { return false }
        socket.close()
        return true
    }()
}
