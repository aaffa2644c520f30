import EngineAPI
import LocalEngine
import Netlink
import Testing

@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct NetworkConfigurationTests {
    private static func create(
        _ name: String, _ role: NetworkConfigurationRole, _ engine: GantryEngine,
        _ change: (inout NetworkSpec) -> Void = { _ in }
    ) async throws {
        var spec = NetworkSpec(name: name)
        spec.configuration = role
        change(&spec)
        _ = try await engine.createNetwork(spec)
    }

    private static func names(_ engine: GantryEngine) async throws -> [String] {
        try await engine.networks(NetworkFilter()).map(\.spec.name).filter { !["bridge", "host", "none"].contains($0) }
    }

    @Test("A configuration is nothing in the kernel; the network that takes it is, and keeps it from being removed")
    func configuration() async throws {
        try await EngineBench.with { engine, bench in
            try await Self.create("plan", .only, engine) { spec in
                spec.pools = [AddressPool(subnet: "10.213.71.0/24")]
                spec.options = ["com.docker.network.driver.mtu": "1399"]
            }
            #expect(try await engine.inspectNetwork("plan").hostInterface == nil)
            await #expect(throws: EngineError.self) {
                try await bench.create("true", on: engine) { $0.networkMode = NetworkMode(rawValue: "plan") }
            }
            try await Self.create("taken", .from("plan"), engine)
            let device = try #require(try await engine.inspectNetwork("taken").hostInterface)
            var netlink = try NetlinkSocket()
            let bridge = try netlink.link(device)
            #expect(bridge.mtu == 1399)
            let id = try await bench.create("sleep 600", on: engine) { $0.networkMode = NetworkMode(rawValue: "taken") }
            try await engine.start(id)
            #expect(try await engine.inspect(id).networks.first?.ipv4Address.hasPrefix("10.213.71.") == true)
            let refusal = await #expect(throws: EngineError.self) {
                try await engine.connect(id, to: "plan", EndpointSpec())
            }
            #expect(refusal?.message == "cannot create endpoint on configuration-only network")
            try await engine.remove(id, force: true, volumes: false)

            let taken = await #expect(throws: EngineError.self) { try await engine.removeNetwork("plan") }
            #expect(taken?.kind == .denied)
            #expect(taken?.message == "error while removing network: configuration network \"plan\" is in use")
            await engine.close()
            let next = try await bench.open()
            #expect(try await next.inspectNetwork("taken").spec.configuration == .from("plan"))
            #expect(try await next.pruneNetworks(NetworkFilter()).removed == ["taken"])
            #expect(try await Self.names(next) == ["plan"])
            try await next.removeNetwork("plan")
            #expect(try await Self.names(next).isEmpty)
            await next.close()
        }
    }
}
