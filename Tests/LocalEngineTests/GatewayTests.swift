import EngineAPI
import Linux
import LocalEngine
import Netlink
import Testing

/// Which network a container's default route leads by, and how the devices in it are called and set.
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

    @Test("Published ports lead by the network of the default route, and move with it while the container runs")
    func ports() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["first", "second"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            let id = try await bench.create("exec busybox nc -ll -p 7 -e cat", on: engine) { spec in
                spec.networkMode = NetworkMode(rawValue: "first")
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            try await engine.start(id)
            let other = try await bench.create("exec sleep 1000", on: engine) { $0.networkMode = .bridge }
            try await engine.start(other)
            let gateway = try #require(try await engine.inspect(other).networks.first.flatMap { IPAddress($0.gateway) })
            let port = try #require(try await engine.inspect(id).ports.first?.hostPort)
            let peer = try await NetworkPeer(other, engine)
            defer { peer.close() }
            func answers() async throws -> Bool {
                let published = Set(try await engine.inspect(id).ports.map(\.hostPort))
                let isNear = try eventually { try peer.ask("a\n", SocketEndpoint(gateway, port)) == "a\n" }
                let loopback = SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port)
                return try published == [port] && isNear && NetworkPeer.host.ask("b\n", loopback) == "b\n"
            }
            #expect(try await answers())
            try await engine.connect(id, to: "second", endpoint(3, device: "wan"))
            #expect(try await routes(id, engine).defaults == ["wan"])
            #expect(try await answers())
            await engine.close()
            let next = try await bench.open()
            #expect(Set(try await next.inspect(id).ports.map(\.hostPort)) == [port])
            try await next.disconnect(id, from: "second", force: false)
            #expect(try await routes(id, next).defaults == ["eth0"])
            #expect(try eventually { try peer.ask("c\n", SocketEndpoint(gateway, port)) == "c\n" })
            await next.close()
        }
    }

    @Test("A container's device has the addresses and the settings that were asked for, also when it comes later")
    func settings() async throws {
        try await EngineBench.with { engine, bench in
            var second = NetworkSpec(name: "second")
            second.enablesIPv6 = true
            for spec in [NetworkSpec(name: "first"), second] { _ = try await engine.createNetwork(spec) }
            var wanted = EndpointSpec()
            wanted.linkLocalAddresses = ["169.254.8.8", "fe80::8"]
            wanted.options = [
                "com.docker.network.endpoint.sysctls":
                    "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.gc_stale_time=77"
            ]
            let id = try await bench.create("exec sleep 1000", on: engine) { spec in
                spec.networkMode = NetworkMode(rawValue: "first")
                spec.networks = ["first": wanted]
            }
            try await engine.start(id)
            try await engine.connect(id, to: "second", wanted)
            let peer = try await NetworkPeer(id, engine)
            defer { peer.close() }
            for device in ["eth0", "eth1"] {
                var netlink = try NetlinkSocket(in: try #require(peer.namespace))
                let addresses = try netlink.addresses(of: netlink.link(device).index).map {
                    "\($0.address)/\($0.prefixLength)"
                }
                #expect(addresses.contains("169.254.8.8/16") && addresses.contains("fe80::8/64"), "\(addresses)")
                let settings = [("conf/\(device)/log_martians", "1\n"), ("neigh/\(device)/gc_stale_time", "77\n")]
                for (path, value) in settings {
                    let text = try peer.here { () throws(KernelError) in
                        try FileContents.read("/proc/sys/net/ipv4/\(path)")
                    }
                    #expect(String(decoding: text, as: UTF8.self) == value)
                }
            }
            #expect(try await engine.inspect(id).networks.map(\.spec) == [wanted, wanted])
            for (settings, words) in [
                ("net.ipv4.conf.IFNAME.nothing=1", "/proc/sys/net/ipv4/conf/eth1/nothing is not a sysctl file"),
                ("net.ipv4.conf.IFNAME.log_martians=x", "invalid argument"),
            ] {
                try await engine.disconnect(id, from: "second", force: false)
                wanted.options = ["com.docker.network.endpoint.sysctls": settings]
                let error = await #expect(throws: EngineError.self) {
                    try await engine.connect(id, to: "second", wanted)
                }
                #expect(error?.kind == .invalid && error?.message.contains(words) == true, "\(error?.message ?? "")")
                #expect(try await engine.inspect(id).networks.map(\.networkName) == ["first"])
                // What came to nothing has taken nothing away.
                #expect(try await routes(id, engine).defaults == ["eth0"])
                wanted.options = [:]
                try await engine.connect(id, to: "second", wanted)
            }
            // What its settings take from a device is no way out of it.
            wanted.linkLocalAddresses = []
            wanted.options = ["com.docker.network.endpoint.sysctls": "net.ipv6.conf.IFNAME.disable_ipv6=1"]
            try await engine.disconnect(id, from: "second", force: false)
            try await engine.connect(id, to: "second", wanted)
            #expect(try await routes(id, engine).all == ["eth0", "eth1"])
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
