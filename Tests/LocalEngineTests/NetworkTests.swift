import EngineAPI
import Glibc
import Linux
import LocalEngine
import NameService
import Netlink
import Testing

/// Real traffic between containers, the host and published ports, on networks of the engine.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct NetworkTests {
    /// Answers each connection with what it got, until it is ended.
    private static let echo = "busybox nc -ll -p 7 -e cat"

    private func container(
        _ engine: GantryEngine, _ bench: EngineBench, _ name: String, _ script: String = echo,
        on network: String? = nil,
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> String {
        let id = try await bench.create(script, name: name, on: engine) { spec in
            spec.networkMode = network.map { NetworkMode(rawValue: $0) }
            change(&spec)
        }
        try await engine.start(id)
        return id
    }

    private func address(_ id: String, _ engine: GantryEngine, _ network: String = "bridge") async throws -> IPAddress {
        let endpoint = try await engine.inspect(id).networks.first { $0.networkName == network }
        return try #require(endpoint.flatMap { IPAddress($0.ipv4Address) })
    }

    @Test("Containers of the default network reach each other and the host, and the host them")
    func defaultNetwork() async throws {
        try await EngineBench.with { engine, bench in
            let server = try await container(engine, bench, "server")
            let client = try await container(engine, bench, "client", "sleep 100")
            let peer = try await NetworkPeer(client, engine)
            defer { peer.close() }
            let target = SocketEndpoint(try await address(server, engine), 7)
            #expect(try eventually { try peer.reaches(target) })
            #expect(try peer.ask("hello\n", target) == "hello\n")
            #expect(try NetworkPeer.host.ask("hello\n", target) == "hello\n")
            let details = try await engine.inspect(client)
            let gateway = try #require(details.networks.first.flatMap { IPAddress($0.gateway) })
            let listener = try InternetSocket.bound(.stream, SocketEndpoint(gateway, 0))
            defer { listener.close() }
            #expect(try peer.reaches(SocketEndpoint(gateway, InternetSocket.port(listener))))
        }
    }

    @Test("A network's containers have names, aliases and short ids, forwards and backwards")
    func names() async throws {
        try await EngineBench.with { engine, bench in
            var network = NetworkSpec(name: "front")
            network.enablesIPv6 = true
            _ = try await engine.createNetwork(network)
            let web = try await container(engine, bench, "web", on: "front") { spec in
                spec.networks["front"] = EndpointSpec(aliases: ["www", "service"])
            }
            let other = try await container(engine, bench, "other", on: "front") { spec in
                spec.networks["front"] = EndpointSpec(aliases: ["service"])
            }
            let peer = try await NetworkPeer(other, engine)
            defer { peer.close() }
            let address = try await address(web, engine, "front")
            for name in ["web", "WWW", String(web.prefix(12)), "web.front"] {
                #expect(try peer.resolve(name) == [.address(address)], "\(name)")
            }
            #expect(try peer.resolve("service")?.count == 2)
            #expect(try peer.resolve("nobody.invalid.front") == nil)
            let endpoint = try #require(try await engine.inspect(web).networks.first)
            let version6 = try #require(IPAddress(endpoint.ipv6Address))
            #expect(try peer.resolve("web", DNSQuery.typeAAAA) == [.address(version6)])
            let reverse = try #require(ReverseName.name(address))
            #expect(
                try peer.resolve(reverse.description, DNSQuery.typePTR) == [.pointer(#require(DNSName("web.front")))])
            // And by version 6 the traffic goes, too.
            #expect(try eventually { try peer.reaches(SocketEndpoint(address, 7)) })
            let listener = try await NetworkPeer(web, engine)
            defer { listener.close() }
            let socket = try listener.here { () throws(KernelError) in
                try InternetSocket.bound(.stream, SocketEndpoint(version6, 8))
            }
            defer { socket.close() }
            #expect(try peer.reaches(SocketEndpoint(version6, 8)))
            try await engine.rename(web, to: "renamed")
            #expect(try peer.resolve("renamed") == [.address(address)])
            #expect(try peer.resolve("web") == nil)
        }
    }

    @Test("A published port leads to the container from loopback of both versions, and from other networks")
    func publishedPort() async throws {
        try await EngineBench.with { engine, bench in
            _ = try await engine.createNetwork(NetworkSpec(name: "front"))
            let server = try await container(engine, bench, "server", on: "front") { spec in
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let client = try await container(engine, bench, "client", "sleep 100")
            let port = try #require(try await engine.inspect(server).ports.first?.hostPort)
            let loopback = SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port)
            #expect(try eventually { try NetworkPeer.host.ask("a\n", loopback) == "a\n" })
            if access("/proc/net/if_inet6", F_OK) == 0 {
                #expect(try NetworkPeer.host.ask("b\n", SocketEndpoint(IPAddress(.v6, 1), port)) == "b\n")
            }
            let peer = try await NetworkPeer(client, engine)
            defer { peer.close() }
            let gateway = try #require(
                try await engine.inspect(client).networks.first.flatMap { IPAddress($0.gateway) })
            #expect(try peer.ask("c\n", SocketEndpoint(gateway, port)) == "c\n")
            // Past the published port there is no way from one network into the other.
            #expect(try !peer.reaches(SocketEndpoint(try await address(server, engine, "front"), 7), seconds: 1))
            // Nor to what listens on the host's loopback alone.
            let secret = try InternetSocket.bound(.stream, SocketEndpoint(IPAddress(.v4, 0x7F00_0001), 0))
            defer { secret.close() }
            try await engine.stop(server, signal: "KILL", timeoutSeconds: 5)
            #expect(try NetworkPeer.host.ask("d\n", loopback) == nil)
        }
    }

    @Test("Ports are published where a network leads outside, also where the container's first one does not")
    func publishedBesideInternal() async throws {
        try await EngineBench.with { engine, bench in
            var spec = NetworkSpec(name: "aint")
            spec.isInternal = true
            _ = try await engine.createNetwork(spec)
            for name in ["ext", "second"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            let server = try await container(engine, bench, "server", on: "aint") { spec in
                for name in ["aint", "ext", "second"] { spec.networks[name] = EndpointSpec() }
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let other = try await container(engine, bench, "other", "sleep 100")
            let port = try #require(try await engine.inspect(server).ports.first?.hostPort)
            let gateway = try #require(try await engine.inspect(other).networks.first.flatMap { IPAddress($0.gateway) })
            let peer = try await NetworkPeer(other, engine)
            defer { peer.close() }
            #expect(try eventually { try peer.ask("a\n", SocketEndpoint(gateway, port)) == "a\n" })
            #expect(try NetworkPeer.host.ask("b\n", SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port)) == "b\n")
            // Its own port, by the shim; the other way would lead a bridge to send back what came from the same port of it.
            let own = try await NetworkPeer(server, engine)
            defer { own.close() }
            #expect(try own.ask("own\n", SocketEndpoint(gateway, port)) == "own\n")
            // The heir is one that leads outside as well.
            try await engine.disconnect(server, from: "ext", force: false)
            #expect(try eventually { try peer.ask("c\n", SocketEndpoint(gateway, port)) == "c\n" })
        }
    }

    @Test("A published port of datagrams leads to the container and back")
    func publishedDatagrams() async throws {
        try await EngineBench.with { engine, bench in
            let server = try await container(engine, bench, "server", "sleep 100") { spec in
                spec.portBindings = [PortBinding(ContainerPort(9, .udp))]
            }
            let inside = try await NetworkPeer(server, engine)
            defer { inside.close() }
            let socket = try inside.here { () throws(KernelError) in
                try InternetSocket.bound(.datagram, SocketEndpoint(IPAddress(.v4, 0), 9))
            }
            defer { socket.close() }
            let port = try #require(try await engine.inspect(server).ports.first?.hostPort)
            for host in [IPAddress(.v4, 0x7F00_0001), IPAddress(.v6, 1)] {
                let client = try InternetSocket.open(.datagram, host.family)
                defer { client.close() }
                _ = try InternetSocket.connect(client, to: SocketEndpoint(host, port))
                _ = try UnixSocket.send(client, Array("ping".utf8), from: 0)
                guard NetworkPeer.wait(socket, POLLIN, 3) else {
                    Issue.record("nothing came from \(host)")
                    continue
                }
                var buffer = [UInt8](repeating: 0, count: 64)
                let (count, from) = try InternetSocket.receive(socket, into: &buffer)
                #expect(String(decoding: buffer[..<count], as: UTF8.self) == "ping")
                try InternetSocket.send(socket, Array("pong".utf8), to: from)
                #expect(NetworkPeer.wait(client, POLLIN, 3), "\(host)")
            }
        }
    }

    @Test("Connections, names and ports last while no engine runs, and the next engine takes them over")
    func withoutEngine() async throws {
        let bench = try EngineBench()
        do {
            let first = try await bench.open()
            _ = try await first.createNetwork(NetworkSpec(name: "front"))
            let server = try await container(first, bench, "server", on: "front") { spec in
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let port = try #require(try await first.inspect(server).ports.first?.hostPort)
            let endpoint = SocketEndpoint(IPAddress(.v4, 0x7F00_0001), port)
            #expect(try eventually { try NetworkPeer.host.ask("a\n", endpoint) == "a\n" })
            let peer = try await NetworkPeer(server, first)
            defer { peer.close() }
            let client = try InternetSocket.open(.stream, .v4)
            defer { client.close() }
            _ = try InternetSocket.connect(client, to: endpoint)
            #expect(NetworkPeer.wait(client, POLLOUT, 5))
            #expect(try NetworkPeer.exchange("before\n", client) == "before\n")
            let before = try await first.inspect(server).networks
            await first.close()
            #expect(try NetworkPeer.exchange("between\n", client) == "between\n")
            #expect(try peer.resolve("server")?.count == 1)
            #expect(try NetworkPeer.host.ask("new\n", endpoint) == "new\n")
            let second = try await bench.open()
            #expect(try await second.inspect(server).networks == before)
            // A further container: the rules are set anew, and the old connection lives.
            _ = try await container(second, bench, "more", on: "front")
            #expect(try NetworkPeer.exchange("after\n", client) == "after\n")
            #expect(try peer.resolve("more")?.count == 1)
            await second.close()
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    @Test("A network is joined and left while the container runs")
    func liveConnection() async throws {
        try await EngineBench.with { engine, bench in
            _ = try await engine.createNetwork(NetworkSpec(name: "one"))
            _ = try await engine.createNetwork(NetworkSpec(name: "two"))
            let mover = try await container(engine, bench, "mover", "sleep 100", on: "one")
            let server = try await container(engine, bench, "server", on: "two")
            let peer = try await NetworkPeer(mover, engine)
            defer { peer.close() }
            let target = SocketEndpoint(try await address(server, engine, "two"), 7)
            #expect(try !peer.reaches(target, seconds: 1))
            try await engine.connect(mover, to: "two", EndpointSpec(aliases: ["guest"]))
            #expect(try peer.resolve("server") == [.address(target.address)])
            #expect(try eventually { try peer.reaches(target) })
            #expect(try await engine.inspect(mover).networks.map(\.networkName) == ["one", "two"])
            await #expect(throws: EngineError.self) { try await engine.connect(mover, to: "two", EndpointSpec()) }
            await #expect(throws: EngineError.self) { try await engine.removeNetwork("two") }
            try await engine.disconnect(mover, from: "two", force: false)
            #expect(try peer.resolve("server") == nil)
            #expect(try !peer.reaches(target, seconds: 1))
            try await engine.remove(server, force: true, volumes: false)
            try await engine.removeNetwork("two")
        }
    }

    @Test("A container whose network somebody holds after its end leaves no port, and starts again beside what is left")
    func heldNamespace() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await container(engine, bench, "held", "sleep 100")
            var host = try NetlinkSocket()
            func ports() throws -> [String] {
                try host.links().map(\.name).filter { $0.hasPrefix("gv\(id.prefix(6))") }
            }
            let peer = try await NetworkPeer(id, engine)
            defer { peer.close() }
            let first = try ports()
            #expect(first.count == 1)
            try await engine.stop(id, signal: "KILL", timeoutSeconds: 0)
            try await engine.start(id)
            #expect(try ports().contains { !first.contains($0) })
            #expect(try eventually { try ports().count == 1 && ports() != first })
            var inside = try NetlinkSocket(in: try #require(peer.namespace))
            #expect(try inside.links().map(\.name) == ["lo"], "its other end went with it")
        }
    }

    @Test("An internal network has no way out; a container that joins another's network has the same one")
    func internalAndShared() async throws {
        try await EngineBench.with { engine, bench in
            var spec = NetworkSpec(name: "closed")
            spec.isInternal = true
            _ = try await engine.createNetwork(spec)
            let outside = try await container(engine, bench, "outside")
            let inside = try await container(engine, bench, "inside", on: "closed") { spec in
                spec.hostname = "known.example.org"
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let details = try await engine.inspect(inside)
            #expect(details.ports.filter { $0.hostPort != 0 } == [], "nothing is published of who is inside alone")
            #expect(details.networks.first?.dnsNames.last == "known.example.org")
            let peer = try await NetworkPeer(inside, engine)
            defer { peer.close() }
            #expect(try !peer.reaches(SocketEndpoint(try await address(outside, engine), 7), seconds: 1))
            let joined = try await container(engine, bench, "joined", "sleep 100", on: "container:inside")
            let shared = try await NetworkPeer(joined, engine)
            defer { shared.close() }
            #expect(try eventually { try shared.reaches(SocketEndpoint(IPAddress(.v4, 0x7F00_0001), 7)) })
        }
    }

    @Test("What cannot be is refused, with nothing left behind")
    func refusals() async throws {
        try await EngineBench.with { engine, bench in
            let holder = try await container(engine, bench, "holder") { spec in
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let port = try #require(try await engine.inspect(holder).ports.first?.hostPort)
            let second = try await bench.create("true", name: "second", on: engine) { spec in
                spec.networkMode = .bridge
                spec.portBindings = [PortBinding(ContainerPort(7), hostPort: port)]
            }
            let taken = await #expect(throws: EngineError.self) { try await engine.start(second) }
            #expect(taken?.message.contains("port is already allocated (by container holder)") == true)
            #expect(try await engine.inspect(second).networks.first?.ipv4Address == "")
            await #expect(throws: EngineError.self) {
                try await bench.create("true", on: engine) { $0.networkMode = NetworkMode(rawValue: "nowhere") }
            }
            var overlapping = NetworkSpec(name: "overlapping")
            let pool = try #require(try await engine.inspectNetwork("bridge").spec.pools.first)
            overlapping.pools = [pool]
            await #expect(throws: EngineError.self) { try await engine.createNetwork(overlapping) }
            for name in ["bridge", "host", "none"] {
                await #expect(throws: EngineError.self) { try await engine.removeNetwork(name) }
            }
            _ = try await engine.createNetwork(NetworkSpec(name: "front"))
            for alias in ["my db", "x\n172.30.0.9 evil", "", "a\u{2028}b"] {
                let refusal = await #expect(throws: EngineError.self) {
                    try await engine.connect(holder, to: "front", EndpointSpec(aliases: [alias]))
                }
                #expect(refusal?.kind == .invalid && refusal?.message.contains("invalid alias") == true)
            }
            try await engine.removeNetwork("front")
            #expect(try await engine.networks(NetworkFilter()).map(\.spec.name) == ["bridge", "host", "none"])
            #expect(try await engine.containers(ContainerFilter(all: true)).count == 2)
        }
    }

    @Test("What containers of a network do not know the host's resolvers answer, over datagrams and connections")
    func forwarding() async throws {
        try await EngineBench.with { engine, bench in
            var spec = NetworkSpec(name: "front")
            spec.pools = [AddressPool(subnet: "10.213.9.0/24")]
            _ = try await engine.createNetwork(spec)
            let resolver = try FakeResolver(SocketEndpoint(IPAddress(.v4, 0x0AD5_0901), 53))
            defer { resolver.close() }
            let id = try await container(engine, bench, "asker", "sleep 100", on: "front") { spec in
                (spec.dnsServers, spec.dnsSearch, spec.dnsOptions) = (["10.213.9.1"], ["example.org"], ["attempts:1"])
            }
            let peer = try await NetworkPeer(id, engine)
            defer { peer.close() }
            async let served: Void = resolver.serve(datagrams: 1, connections: 1)
            #expect(
                try await EngineBench.blocking { try peer.resolve("elsewhere.example") } == [
                    .address(FakeResolver.answer)
                ])
            let server = SocketEndpoint(IPAddress(.v4, 0x7F00_000B), 53)
            let name = try #require(DNSName("elsewhere.example"))
            let question = DNSQuery(id: 9, name: name, type: DNSQuery.typeA).encoded
            let reply = try await EngineBench.blocking {
                try peer.ask(bytes: [0, UInt8(question.count)] + question, server)
            }
            let records = try DNSResponse(parsing: Array(try #require(reply).dropFirst(2))).records
            #expect(records == [.address(FakeResolver.answer)])
            try await served
            let file = try await EngineBench.text(of: "/etc/resolv.conf", id, engine)
            #expect(file.contains("nameserver 127.0.0.11\nsearch example.org\noptions attempts:1 ndots:0"))
        }
    }

    @Test(
        "Members of a network without communication reach the host and not each other; packets are as long as it says")
    func isolatedMembers() async throws {
        try await EngineBench.with { engine, bench in
            var network = NetworkSpec(name: "apart")
            network.options = [
                "com.docker.network.bridge.enable_icc": "false", "com.docker.network.driver.mtu": "1300",
            ]
            _ = try await engine.createNetwork(network)
            let server = try await container(engine, bench, "server", on: "apart") { spec in
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let client = try await container(engine, bench, "client", "sleep 100", on: "apart")
            let peer = try await NetworkPeer(client, engine)
            defer { peer.close() }
            let target = SocketEndpoint(try await address(server, engine, "apart"), 7)
            #expect(try eventually { try NetworkPeer.host.ask("x\n", target) == "x\n" })
            #expect(try !peer.reaches(target, seconds: 1))
            // A published port is open to all, neighbours too.
            let port = try #require(try await engine.inspect(server).ports.first?.hostPort)
            let gateway = try #require(
                try await engine.inspect(client).networks.first.flatMap { IPAddress($0.gateway) })
            #expect(try peer.ask("y\n", SocketEndpoint(gateway, port)) == "y\n")
            #expect(try await EngineBench.text(of: "/sys/class/net/eth0/mtu", client, engine) == "1300\n")
        }
    }

    @Test("A subnet whose addresses are all given out says so, and a start that got none leaves nothing")
    func exhausted() async throws {
        try await EngineBench.with { engine, bench in
            var network = NetworkSpec(name: "tiny")
            network.pools = [AddressPool(subnet: "10.213.8.0/30")]
            _ = try await engine.createNetwork(network)
            let first = try await container(engine, bench, "first", "sleep 100", on: "tiny")
            let second = try await bench.create("true", name: "second", on: engine) { spec in
                spec.networkMode = NetworkMode(rawValue: "tiny")
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            let refusal = await #expect(throws: EngineError.self) { try await engine.start(second) }
            let words = "no available IPv4 addresses on this network's address pools: tiny"
            #expect(refusal?.message.contains(words) == true, "\(refusal?.message ?? "")")
            #expect(try await engine.inspect(second).ports == [])
            try await engine.remove(first, force: true, volumes: false)
            try await engine.start(second)
        }
    }

    @Test("A static address is had, and kept over a restart; another may not have it")
    func staticAddress() async throws {
        try await EngineBench.with { engine, bench in
            var network = NetworkSpec(name: "mine")
            network.pools = [AddressPool(subnet: "10.213.7.0/29")]
            _ = try await engine.createNetwork(network)
            let fixed = try await container(engine, bench, "fixed", on: "mine") { spec in
                spec.networks["mine"] = EndpointSpec(ipv4Address: "10.213.7.5")
            }
            #expect(try await address(fixed, engine, "mine").description == "10.213.7.5")
            let free = try await container(engine, bench, "free", on: "mine")
            let before = try await address(free, engine, "mine")
            try await engine.restart(free, signal: "KILL", timeoutSeconds: 5)
            try await engine.restart(fixed, signal: "KILL", timeoutSeconds: 5)
            #expect(try await address(fixed, engine, "mine").description == "10.213.7.5")
            #expect(try await address(free, engine, "mine") == before)
            await #expect(throws: EngineError.self) {
                try await bench.create("true", on: engine) { spec in
                    spec.networkMode = .bridge
                    spec.networks["bridge"] = EndpointSpec(ipv4Address: "172.17.0.9")
                }
            }
        }
    }
}

extension EndpointSpec {
    fileprivate init(aliases: [String] = [], ipv4Address: String? = nil) {
        self.init()
        self.aliases = aliases
        self.ipv4Address = ipv4Address
    }
}
