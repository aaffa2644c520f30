import EngineAPI
import Faults
import Glibc
import Linux
import LocalEngine
import Netlink
import Testing

/// The engine's process is killed at every named step of what it does with networks; the next engine finds it done or not
/// done, nothing stale, and connections that stood still stand.
@Suite(
    .enabled(
        if: EngineProbe.missing == nil, "needs root, busybox-static, a debug build, and the programs beside the tests"))
struct NetworkCrashTests {
    @Test(
        "A network's creation that is cut short leaves a network that works",
        arguments: [FaultPoint.networkCreateAfterRow, .networkCreateAfterBridge])
    func create(point: FaultPoint) async throws {
        try await Self.onBench { bench, _ in
            #expect(try EngineProbe.die(at: point, "network-create", bench, name: "fresh"))
            let engine = try await bench.open()
            let id = try await bench.create("sleep 600", on: engine) { $0.networkMode = NetworkMode(rawValue: "fresh") }
            try await engine.start(id)
            #expect(try await engine.inspect(id).networks.first?.ipv4Address.isEmpty == false)
            try await engine.remove(id, force: true, volumes: false)
            try await engine.removeNetwork("fresh")
            #expect(try Self.bridges(bench).count == 1, "the bystander's")
            await engine.close()
        }
    }

    @Test(
        "A network's removal that is cut short can be done again, and leaves nothing",
        arguments: [
            ("network-remove", FaultPoint.networkRemoveAfterRules), ("network-remove", .networkRemoveAfterBridge),
            ("network-prune", .networkRemoveAfterBridge),
        ])
    func remove(verb: String, point: FaultPoint) async throws {
        try await Self.onBench { bench, _ in
            let first = try await bench.open()
            _ = try await first.createNetwork(NetworkSpec(name: "old"))
            await first.close()
            #expect(try EngineProbe.die(at: point, verb, bench, name: "old"))
            let engine = try await bench.open()
            #expect(try await engine.networks(NetworkFilter()).contains { $0.spec.name == "old" })
            try await engine.removeNetwork("old")
            #expect(try Self.bridges(bench).count == 1)
            await engine.close()
        }
    }

    @Test(
        "A connection that is cut short is finished by the next engine, names and all",
        arguments: [FaultPoint.connectAfterIntent, .connectAfterDevice, .connectAfterNames])
    func connect(point: FaultPoint) async throws {
        try await Self.onBench { bench, bystander in
            let victim = try await Self.prepare(bench)
            #expect(try EngineProbe.die(at: point, "connect", bench, name: "side"))
            let engine = try await bench.open()
            #expect(try await engine.inspect(victim).networks.map(\.networkName) == ["bridge", "side"])
            try await Self.check(bystander, reachableFrom: victim, true, engine)
            try await engine.disconnect(victim, from: "side", force: false)
            try await Self.check(bystander, reachableFrom: victim, false, engine)
            await engine.close()
        }
    }

    @Test(
        "A disconnection that is cut short is finished by the next engine; ports and default route move on",
        arguments: [FaultPoint.disconnectAfterIntent, .disconnectAfterDevice, .disconnectAfterNames])
    func disconnect(point: FaultPoint) async throws {
        try await Self.onBench { bench, bystander in
            let victim = try await Self.prepare(bench) { spec in
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let first = try await bench.open()
            try await first.connect(victim, to: "side", EndpointSpec())
            let port = try #require(try await first.inspect(victim).ports.first?.hostPort)
            await first.close()
            #expect(try EngineProbe.die(at: point, "disconnect", bench, name: "bridge"))
            let engine = try await bench.open()
            #expect(try await engine.inspect(victim).networks.map(\.networkName) == ["side"])
            let loopback = SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port)
            #expect(try eventually { try NetworkPeer.host.ask("x\n", loopback) == "x\n" })
            try await Self.check(bystander, reachableFrom: victim, true, engine)
            await engine.close()
            // Nothing is left to be finished a second time.
            let next = try await bench.open()
            #expect(try await next.inspect(victim).ports.first?.hostPort == port)
            await next.close()
        }
    }

    @Test("A device that a killed engine had not deleted yet goes with the next engine's start")
    func retiredDevice() async throws {
        try await Self.onBench { bench, bystander in
            let victim = try await Self.prepare(bench)
            let first = try await bench.open()
            try await first.connect(victim, to: "side", EndpointSpec())
            await first.close()
            #expect(try EngineProbe.die(at: .disconnectBeforeDeletion, "disconnect", bench, name: "side"))
            let engine = try await bench.open()
            #expect(try await engine.inspect(victim).networks.map(\.networkName) == ["bridge"])
            let peer = try await NetworkPeer(victim, engine)
            defer { peer.close() }
            var netlink = try NetlinkSocket(in: try #require(peer.namespace))
            #expect(try netlink.links().map(\.name) == ["lo", "eth0"])
            try await engine.connect(victim, to: "side", EndpointSpec())
            try await Self.check(bystander, reachableFrom: victim, true, engine)
            await engine.close()
        }
    }

    @Test(
        "A start that is cut short in its networks gives addresses, ports and names back",
        arguments: [FaultPoint.endpointAfterAddresses, .endpointAfterDevices, .endpointAfterPorts])
    func start(point: FaultPoint) async throws {
        try await Self.onBench { bench, bystander in
            let victim = try await Self.prepare(bench, running: false) { spec in
                spec.networkMode = NetworkMode(rawValue: "side")
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            #expect(try EngineProbe.die(at: point, "start", bench))
            let engine = try await bench.open()
            #expect(try await engine.inspect(victim).state.status == .created)
            let members = try await engine.inspectNetwork("side").members
            #expect(members.keys.sorted() == [bystander.id])
            let peer = try await NetworkPeer(bystander.id, engine)
            defer { peer.close() }
            #expect(try peer.resolve("victim") == nil)
            try await engine.start(victim)
            #expect(try peer.resolve("victim")?.count == 1)
            let port = try #require(try await engine.inspect(victim).ports.first?.hostPort)
            let loopback = SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port)
            #expect(try eventually { try NetworkPeer.host.ask("x\n", loopback) == "x\n" })
            await engine.close()
        }
    }

    /// A container in the network `side` that echoes, published, with a connection to it that stands.
    struct Bystander {
        let id: String
        let address: SocketEndpoint
        let connection: Descriptor
    }

    private static let echo = "busybox nc -ll -p 7 -e cat"

    /// Runs a test beside a connection that must outlast it.
    private static func onBench(_ body: (EngineBench, Bystander) async throws -> Void) async throws {
        let bench = try EngineBench()
        do {
            let engine = try await bench.open()
            _ = try await engine.createNetwork(NetworkSpec(name: "side"))
            let id = try await bench.create(echo, name: "bystander", on: engine) { spec in
                spec.networkMode = NetworkMode(rawValue: "side")
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            try await engine.start(id)
            let details = try await engine.inspect(id)
            let port = SocketEndpoint(IPAddress(.v4, 0x7F00_0001), try #require(details.ports.first?.hostPort))
            #expect(try eventually { try NetworkPeer.host.ask("up\n", port) == "up\n" })
            let client = try InternetSocket.open(.stream, .v4)
            defer { client.close() }
            _ = try InternetSocket.connect(client, to: port)
            #expect(NetworkPeer.wait(client, POLLOUT, 5))
            #expect(try NetworkPeer.exchange("before\n", client) == "before\n")
            await engine.close()
            let address = try #require(IPAddress(details.networks.first?.ipv4Address ?? ""))
            try await body(bench, Bystander(id: id, address: SocketEndpoint(address, 7), connection: client))
            #expect(try NetworkPeer.exchange("after\n", client) == "after\n")
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    private static func prepare(
        _ bench: EngineBench, running: Bool = true, _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        let engine = try await bench.open()
        let id = try await bench.create(echo, name: "victim", on: engine) { spec in
            spec.networkMode = .bridge
            change(&spec)
        }
        if running { try await engine.start(id) }
        await engine.close()
        return id
    }

    private static func check(
        _ bystander: Bystander, reachableFrom id: String, _ isReachable: Bool, _ engine: GantryEngine
    ) async throws {
        let peer = try await NetworkPeer(id, engine)
        defer { peer.close() }
        #expect(try peer.resolve("bystander") == (isReachable ? [.address(bystander.address.address)] : nil))
        #expect(try peer.reaches(bystander.address, seconds: isReachable ? 5 : 1) == isReachable)
        let other = try await NetworkPeer(bystander.id, engine)
        defer { other.close() }
        #expect(try other.resolve("victim")?.count == (isReachable ? 1 : nil))
    }

    private static func bridges(_ bench: EngineBench) throws -> [String] {
        var netlink = try NetlinkSocket()
        return try netlink.links().filter { $0.alias == "gantry \(bench.root)/data" }.map(\.name)
    }
}
