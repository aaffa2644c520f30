import EngineAPI
import Glibc
import Linux
import LocalEngine
import Netlink
import Testing

/// Containers that are taken out of all their networks, and come back into one.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct ReconnectionTests {
    private var guest: EndpointSpec {
        var spec = EndpointSpec()
        spec.aliases = ["guest"]
        return spec
    }

    @Test("A container that was started without a network joins one while it runs, also after an engine's end")
    func startedWithout() async throws {
        let bench = try EngineBench()
        do {
            let first = try await bench.open()
            _ = try await first.createNetwork(NetworkSpec(name: "front"))
            let mover = try await sleeper(first, bench, "mover", "front")
            try await first.disconnect(mover, from: "front", force: false)
            #expect(try await first.inspect(mover).networks.isEmpty)
            try await first.stop(mover, signal: "KILL", timeoutSeconds: 5)
            try await first.start(mover)
            #expect(try await first.inspect(mover).networks.isEmpty)
            try await joins(mover, first)
            try await first.disconnect(mover, from: "front", force: false)
            try await first.stop(mover, signal: "KILL", timeoutSeconds: 5)
            try await first.start(mover)
            await first.close()
            let second = try await bench.open()
            try await joins(mover, second)
            await second.close()
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    @Test("A container that stands still and joins a network starts with it")
    func joinedBeforeStart() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["front", "back"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            let mover = try await sleeper(engine, bench, "mover", "front")
            try await engine.disconnect(mover, from: "front", force: false)
            try await engine.stop(mover, signal: "KILL", timeoutSeconds: 5)
            try await engine.connect(mover, to: "back", guest)
            try await engine.start(mover)
            #expect(try await engine.inspect(mover).networks.map(\.networkName) == ["back"])
            let peer = try await NetworkPeer(mover, engine)
            defer { peer.close() }
            #expect(try peer.resolve("guest")?.count == 1)
        }
    }

    @Test("The moment a network is left no packet passes to it or from it; it is joined again at once, device and all")
    func leftAtOnce() async throws {
        try await EngineBench.with { engine, bench in
            for name in ["front", "back"] { _ = try await engine.createNetwork(NetworkSpec(name: name)) }
            let mover = try await sleeper(engine, bench, "mover", "front")
            let other = try await sleeper(engine, bench, "other", "back")
            let (peer, neighbour) = (try await NetworkPeer(mover, engine), try await NetworkPeer(other, engine))
            defer {
                peer.close()
                neighbour.close()
            }
            let namespace = try #require(peer.namespace)
            let theirs = try await address(other, "back", engine)
            let listener = try neighbour.here { () throws(KernelError) in
                try InternetSocket.bound(.datagram, SocketEndpoint(theirs, 9))
            }
            defer { listener.close() }
            for _ in 0..<4 {
                try await engine.connect(mover, to: "back", guest)
                let mine = try await address(mover, "back", engine)
                let socket = try peer.here { () throws(KernelError) in
                    try InternetSocket.bound(.datagram, SocketEndpoint(mine, 9))
                }
                defer { socket.close() }
                try InternetSocket.send(socket, Array("out".utf8), to: SocketEndpoint(theirs, 9))
                #expect(try Self.received(listener, 5) == "out")
                try InternetSocket.send(listener, Array("in".utf8), to: SocketEndpoint(mine, 9))
                #expect(try Self.received(socket, 5) == "in")
                try await engine.disconnect(mover, from: "back", force: false)
                // Of what is sent now the kernel may refuse the way; what it takes must come to nothing.
                try? InternetSocket.send(socket, Array("late".utf8), to: SocketEndpoint(theirs, 9))
                try? InternetSocket.send(listener, Array("late".utf8), to: SocketEndpoint(mine, 9))
                #expect(try Self.received(listener, 0) == nil && Self.received(socket, 0) == nil)
                var netlink = try NetlinkSocket(in: namespace)
                #expect(try netlink.links().filter(\.isUp).map(\.name) == ["lo", "eth0"])
                #expect(try !netlink.addresses().map(\.address).contains(mine))
                #expect(try Self.received(listener, 1) == nil && Self.received(socket, 0) == nil)
            }
            try await engine.connect(mover, to: "back", guest)
            try await engine.disconnect(mover, from: "back", force: false)
            await engine.close()
            var netlink = try NetlinkSocket(in: namespace)
            #expect(try netlink.links().map(\.name) == ["lo", "eth0"], "an engine that ends leaves nothing behind")
        }
    }

    private static func received(_ socket: Descriptor, _ seconds: Int32) throws -> String? {
        guard NetworkPeer.wait(socket, POLLIN, seconds) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 64)
        let (count, _) = try InternetSocket.receive(socket, into: &buffer)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    private func address(_ id: String, _ network: String, _ engine: GantryEngine) async throws -> IPAddress {
        let endpoint = try await engine.inspect(id).networks.first { $0.networkName == network }
        return try #require(endpoint.flatMap { IPAddress($0.ipv4Address) })
    }

    @Test("Published ports lead nowhere without a network, and back with the next, also by another engine")
    func portsComeBack() async throws {
        let bench = try EngineBench()
        do {
            let first = try await bench.open()
            for name in ["front", "back"] { _ = try await first.createNetwork(NetworkSpec(name: name)) }
            let server = try await bench.create("busybox nc -ll -p 7 -e cat", on: first) { spec in
                spec.networkMode = NetworkMode(rawValue: "front")
                spec.portBindings = [PortBinding(ContainerPort(7)), PortBinding(ContainerPort(9, .udp))]
            }
            try await first.start(server)
            let ports = try await first.inspect(server).ports
            let port = try #require(ports.first { $0.port.transport == .tcp }?.hostPort)
            try await serves(port, true)
            try await first.disconnect(server, from: "front", force: false)
            #expect(try await first.inspect(server).ports.allSatisfy { $0.hostPort == 0 })
            // Who has the address now is not reached by a port of another.
            let heir = try await bench.create("busybox nc -ll -p 7 -e cat", on: first) { spec in
                spec.networkMode = NetworkMode(rawValue: "front")
            }
            try await first.start(heir)
            try await serves(port, false)
            try await first.connect(server, to: "back", EndpointSpec())
            #expect(try await first.inspect(server).ports == ports)
            try await serves(port, true)
            try await first.disconnect(server, from: "back", force: false)
            await first.close()
            let second = try await bench.open()
            try await second.connect(server, to: "back", EndpointSpec())
            #expect(try await second.inspect(server).ports == ports)
            try await serves(port, true)
            try await second.connect(server, to: "front", EndpointSpec())
            try await second.disconnect(server, from: "back", force: false)
            try await serves(port, true)
            await second.close()
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    /// By loopback of version 4, which the packet filter serves, and of version 6, which the shim does.
    private func serves(_ port: UInt16, _ isServed: Bool) async throws {
        var hosts = [IPAddress(.v4, 0x7F00_0001)]
        if access("/proc/net/if_inet6", F_OK) == 0 { hosts.append(IPAddress(.v6, 1)) }
        for host in hosts {
            let target = SocketEndpoint(host, port)
            if isServed {
                #expect(try eventually { try NetworkPeer.host.ask("x\n", target) == "x\n" }, "\(target)")
            } else {
                // Taken and let go at once, or not taken.
                let answer = try? NetworkPeer.host.ask("x\n", target)
                #expect(answer == nil || answer == "", "\(target)")
            }
        }
    }

    @Test("A container leaves `none` for networks, over a restart and engines, and comes back when it is in no other")
    func leavesNone() async throws {
        let bench = try EngineBench()
        do {
            let first = try await bench.open()
            _ = try await first.createNetwork(NetworkSpec(name: "front"))
            let mover = try await sleeper(first, bench, "mover", "none")
            let privacy =
                "container cannot be connected to multiple networks with one of the networks in private (none) mode"
            try await refuses(privacy, .invalid) { try await first.connect(mover, to: "none", EndpointSpec()) }
            try await first.disconnect(mover, from: "none", force: false)
            #expect(try await first.inspect(mover).hasLeftNone)
            try await refuses("container \(mover) is not connected to network none") {
                try await first.disconnect(mover, from: "none", force: false)
            }
            try await joins(mover, first)
            try await refuses(privacy, .invalid) { try await first.connect(mover, to: "none", EndpointSpec()) }
            try await first.restart(mover, signal: "KILL", timeoutSeconds: 5)
            #expect(try await first.inspect(mover).networks.map(\.networkName) == ["front"])
            await first.close()
            let second = try await bench.open()
            #expect(try await second.inspect(mover).networks.map(\.networkName) == ["front"])
            try await second.disconnect(mover, from: "front", force: false)
            try await second.connect(mover, to: "none", EndpointSpec())
            #expect(try await !second.inspect(mover).hasLeftNone)
            try await refuses(privacy, .invalid) { try await second.connect(mover, to: "front", EndpointSpec()) }
            try await second.stop(mover, signal: "KILL", timeoutSeconds: 5)
            #expect(access("\(bench.root)/run/networks/\(mover).conf", F_OK) != 0)
            await second.close()
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    @Test("The host's network is neither joined nor left, in docker's words")
    func hostNetwork() async throws {
        try await EngineBench.with { engine, bench in
            let host = try await bench.create("sleep 100", on: engine) { $0.networkMode = .host }
            let plain = try await bench.create("sleep 100", on: engine) { $0.networkMode = .bridge }
            let words = "container cannot be disconnected from host network or connected to host network"
            try await refuses(words) { try await engine.connect(plain, to: "host", EndpointSpec()) }
            try await refuses(words) { try await engine.disconnect(host, from: "host", force: false) }
            try await refuses("container \(plain) is not connected to network host") {
                try await engine.disconnect(plain, from: "host", force: false)
            }
            try await refuses("container \(host) is not connected to network none") {
                try await engine.disconnect(host, from: "none", force: false)
            }
        }
    }

    private func refuses(
        _ words: String, _ kind: EngineError.Kind = .denied, _ body: () async throws -> Void
    ) async throws {
        let error = await #expect(throws: EngineError.self) { try await body() }
        #expect(error?.kind == kind)
        #expect(error?.message == words)
    }

    @Test("A container whose network mode has no room for another network is told so in docker's words")
    func privateModes() async throws {
        try await EngineBench.with { engine, bench in
            _ = try await engine.createNetwork(NetworkSpec(name: "front"))
            let words = [
                "none":
                    "container cannot be connected to multiple networks with one of the networks in private (none) mode",
                "host":
                    "container sharing network namespace with another container or host cannot be connected to any "
                    + "other network",
            ]
            for (mode, text) in words {
                let id = try await bench.create("sleep 100", name: mode, on: engine) { spec in
                    spec.networkMode = NetworkMode(rawValue: mode)
                }
                let error = await #expect(throws: EngineError.self) {
                    try await engine.connect(id, to: "front", EndpointSpec())
                }
                #expect(error?.message == text)
            }
        }
    }

    @Test("A container does not start without a network that was removed, also where another one has its name by now")
    func removedNetwork() async throws {
        let bench = try EngineBench()
        do {
            let first = try await bench.open()
            for name in ["front", "back"] { _ = try await first.createNetwork(NetworkSpec(name: name)) }
            let mover = try await sleeper(first, bench, "mover", "front")
            try await first.connect(mover, to: "back", EndpointSpec())
            try await first.stop(mover, signal: "KILL", timeoutSeconds: 5)
            var gone: [String] = []
            for name in ["back", "front"] {
                gone.append(try await first.inspectNetwork(name).id)
                try await first.removeNetwork(name)
                _ = try await first.createNetwork(NetworkSpec(name: name))
                try await refused(mover, first, gone)
            }
            await first.close()
            let second = try await bench.open()
            try await refused(mover, second, gone)
            // Out of one of them by hand; to join another takes the other's place.
            try await second.disconnect(mover, from: gone[0], force: false)
            try await refused(mover, second, [gone[1]])
            try await second.connect(mover, to: "back", guest)
            try await second.start(mover)
            #expect(try await second.inspect(mover).networks.map(\.networkName) == ["back"])
            try await second.stop(mover, signal: "KILL", timeoutSeconds: 5)
            await second.close()
            let third = try await bench.open()
            try await third.start(mover)
            #expect(try await third.inspect(mover).networks.map(\.networkName) == ["back"])
            await third.close()
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    private func refused(_ id: String, _ engine: GantryEngine, _ gone: [String]) async throws {
        let error = await #expect(throws: EngineError.self) { try await engine.start(id) }
        #expect(gone.contains { error?.message.contains("network \($0) not found") == true }, "\(error?.message ?? "")")
        #expect(try await engine.inspect(id).state.isAlive == false)
    }

    private func sleeper(
        _ engine: GantryEngine, _ bench: EngineBench, _ name: String, _ network: String
    ) async throws -> String {
        let id = try await bench.create("sleep 100", name: name, on: engine) { spec in
            spec.networkMode = NetworkMode(rawValue: network)
        }
        try await engine.start(id)
        return id
    }

    private func joins(_ id: String, _ engine: GantryEngine) async throws {
        try await engine.connect(id, to: "front", guest)
        let endpoint = try #require(try await engine.inspect(id).networks.first)
        let peer = try await NetworkPeer(id, engine)
        defer { peer.close() }
        let address = try #require(IPAddress(endpoint.ipv4Address))
        #expect(try peer.resolve("guest") == [.address(address)])
        let gateway = try #require(IPAddress(endpoint.gateway))
        let listener = try InternetSocket.bound(.stream, SocketEndpoint(gateway, 0))
        defer { listener.close() }
        #expect(try peer.reaches(SocketEndpoint(gateway, InternetSocket.port(listener))))
    }
}
