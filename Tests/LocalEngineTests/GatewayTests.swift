import EngineAPI
import Linux
import LocalEngine
import Testing

/// Which network a container's default route leads by, and how the devices in it are called.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(2)))
struct GatewayTests {
    /// The devices of the default routes of version 4, and all devices that routes lead by.
    private func routes(_ id: String, _ engine: GantryEngine) async throws -> (defaults: [String], all: Set<String>) {
        let pid = try await engine.inspect(id).state.pid
        let text = String(decoding: try FileContents.read("/proc/\(pid)/net/route"), as: UTF8.self)
        let rows = text.split(separator: "\n").dropFirst().map { $0.split(separator: "\t").map(String.init) }
        return (rows.filter { $0[1] == "00000000" }.map { $0[0] }, Set(rows.map { $0[0] }))
    }

    private func endpoint(_ priority: Int = 0, device: String? = nil) -> EndpointSpec {
        var endpoint = EndpointSpec()
        endpoint.gatewayPriority = priority
        if let device { endpoint.options = ["com.docker.network.endpoint.ifname": device] }
        return endpoint
    }

    @Test("The network of the highest priority has the default route, whenever it comes and goes; an inner one never")
    func priorities() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["first", "second", "third"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            var inner = NetworkSpec(name: "inner")
            inner.isInternal = true
            _ = try await engine.createNetwork(inner)
            let id = try await bench.create("exec sleep 1000", on: engine) { spec in
                spec.networkMode = NetworkMode(rawValue: "first")
                spec.networks = ["second": endpoint(5), "inner": endpoint(9)]
            }
            try await engine.start(id)
            let names = try await engine.inspect(id).networks.map(\.networkName)
            let second = "eth\(try #require(names.firstIndex(of: "second")))"
            #expect(try await routes(id, engine).defaults == [second])
            try await engine.connect(id, to: "third", endpoint(7, device: "wan"))
            #expect(try await routes(id, engine).defaults == ["wan"])
            let spec = try #require(try await engine.inspect(id).networks.first { $0.networkName == "third" }).spec
            #expect(spec.gatewayPriority == 7)
            try await engine.disconnect(id, from: "third", force: false)
            #expect(try await routes(id, engine).defaults == [second])
            try await engine.connect(id, to: "third", endpoint(-1))
            #expect(try await routes(id, engine).defaults == [second])
            try await engine.disconnect(id, from: "second", force: false)
            #expect(try await routes(id, engine).defaults == ["eth0"])
            try await engine.restart(id, signal: "KILL", timeoutSeconds: 0)
            #expect(try await routes(id, engine).defaults == ["eth0"])
        }
    }

    @Test("A device is called what its container's owner wishes, but no two alike, and nothing that is no name")
    func names() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["first", "second"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            func create(_ first: String?, _ second: String?) async throws -> String {
                try await bench.create("exec sleep 1000", on: engine) { spec in
                    spec.networkMode = NetworkMode(rawValue: "first")
                    spec.networks = ["first": endpoint(device: first), "second": endpoint(device: second)]
                }
            }
            let id = try await create("lan0", nil)
            try await engine.start(id)
            #expect(try await routes(id, engine).all == ["lan0", "eth1"])
            for (first, second, words) in [
                ("a b", nil, "invalid network interface name \"a b\""), ("lo", nil, "invalid network interface name"),
                ("a/b", nil, "invalid network interface name"), ("abcdefghijklmnop", nil, "invalid network interface"),
                ("x0", "x0", "interface name x0 is already in use"), ("eth1", nil, "interface name eth1 is already in"),
            ] as [(String?, String?, String)] {
                let error = await #expect(throws: EngineError.self) { _ = try await create(first, second) }
                #expect(error?.kind == .invalid && error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
        }
    }
}
