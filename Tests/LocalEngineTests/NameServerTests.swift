import EngineAPI
import Linux
import LocalEngine
import NameService
import Testing

/// The name server of a container, where others do not do as they should.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct NameServerTests {
    private static let server = SocketEndpoint(IPAddress(.v4, 0x7F00_000B), 53)

    private func asker(
        _ engine: GantryEngine, _ bench: EngineBench, _ subnet: String, _ servers: [String] = []
    ) async throws -> NetworkPeer {
        var network = NetworkSpec(name: "front")
        network.pools = [AddressPool(subnet: subnet)]
        _ = try await engine.createNetwork(network)
        let id = try await bench.create("sleep 600", name: "asker", on: engine) { spec in
            spec.networkMode = NetworkMode(rawValue: "front")
            spec.dnsServers = servers
        }
        try await engine.start(id)
        return try await NetworkPeer(id, engine)
    }

    @Test("A resolver that cannot answer, or will not, is followed by the next; if none can, its words are passed on")
    func refusals() async throws {
        try await EngineBench.with { engine, bench in
            let peer = try await asker(engine, bench, "10.213.6.0/24", ["10.213.6.1", "10.213.6.1", "10.213.6.1"])
            defer { peer.close() }
            let resolver = try FakeResolver(SocketEndpoint(IPAddress(.v4, 0x0AD5_0601), 53))
            defer { resolver.close() }
            async let served: Void = resolver.serve(
                datagrams: 3, connections: 0, refusals: [.serverFailure, .notImplemented])
            #expect(
                try await EngineBench.blocking { try peer.resolve("elsewhere.example") } == [
                    .address(FakeResolver.answer)
                ])
            try await served
            async let refused: Void = resolver.serve(
                datagrams: 3, connections: 0, refusals: [.refused, .serverFailure, .serverFailure])
            #expect(try await EngineBench.blocking { try peer.code("nowhere.example") } == .refused)
            try await refused
        }
    }

    @Test("Who sends by a connection what is no question is hung up on, and takes nobody's place for that")
    func badMessages() async throws {
        try await EngineBench.with { engine, bench in
            let peer = try await asker(engine, bench, "10.213.5.0/24")
            defer { peer.close() }
            // An answer.
            let bad: [UInt8] = [0, 12, 0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            for _ in 0..<70 { #expect(try peer.ask(bytes: bad, Self.server) == []) }
            let name = try #require(DNSName("asker"))
            let question = DNSQuery(id: 9, name: name, type: DNSQuery.typeA).encoded
            let reply = try #require(try peer.ask(bytes: [0, UInt8(question.count)] + question, Self.server))
            #expect(try DNSResponse(parsing: Array(reply.dropFirst(2))).records.count == 1)
        }
    }
}

extension NetworkPeer {
    /// How the name server of this container ends a question for addresses; nil where it says nothing.
    fileprivate func code(_ name: String) throws -> DNSResponseCode? {
        guard let name = DNSName(name) else { return nil }
        let socket = OwnedDescriptor(try here { () throws(KernelError) in try InternetSocket.open(.datagram, .v4) })
        let server = SocketEndpoint(IPAddress(.v4, 0x7F00_000B), 53)
        let question = DNSQuery(id: 78, name: name, type: DNSQuery.typeA).encoded
        try InternetSocket.send(socket.descriptor, question, to: server)
        guard Self.wait(socket.descriptor, Int32(1), 5) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try socket.descriptor.read(into: &buffer)
        return try DNSResponse(parsing: Array(buffer[..<count])).code
    }
}
