import EngineAPI
import Faults
import Glibc
import Linux
import LocalEngine
import Netlink
import Testing

/// Networks whose containers have devices of their own over one of the host's; here over a bridge that the test makes.
@Suite(
    .enabled(
        if: EngineProbe.missing == nil, "needs root, busybox-static, a debug build, and the programs beside the tests"))
struct MacvlanTests {
    /// An engine's place with a network `far`, and a device below it that goes with the test.
    private static func onBench(_ body: (EngineBench) async throws -> Void) async throws {
        let bench = try EngineBench()
        let parent = "gtm\(UInt32.random(in: 0...999_999))"
        var netlink = try NetlinkSocket()
        try netlink.createBridge(parent, address: MACAddress(for: IPAddress(.v4, 0x0AD5_0601)))
        defer { try? netlink.deleteLink(parent) }  // LeftoverTests tells of what stays.
        let bridge = try netlink.link(parent).index
        try netlink.setUp(bridge)
        // Without a port that is up it has no carrier, and the devices over it neither. They go with each other.
        let own = OwnedDescriptor(try Descriptor.open("/proc/self/ns/net", O_RDONLY))
        try netlink.createVeth("\(parent)a", port: bridge, peer: EndpointLink(name: "\(parent)b"), in: own.descriptor)
        defer { try? netlink.deleteLink("\(parent)a") }  // LeftoverTests tells of what stays.
        for name in ["\(parent)a", "\(parent)b"] { try netlink.setUp(try netlink.link(name).index) }
        do {
            let engine = try await bench.open()
            var spec = NetworkSpec(name: "far")
            (spec.driver, spec.options) = ("macvlan", ["parent": parent])
            spec.pools = [AddressPool(subnet: "10.213.6.0/24")]
            _ = try await engine.createNetwork(spec)
            // Without a way out, by which a neighbour of the machine could answer for the other.
            var home = NetworkSpec(name: "home")
            home.isInternal = true
            _ = try await engine.createNetwork(home)
            for name in ["victim", "other"] {
                let id = try await bench.create("sleep 600", name: name, on: engine) {
                    $0.networkMode = NetworkMode(rawValue: "home")
                }
                try await engine.start(id)
            }
            try await engine.connect("other", to: "far", EndpointSpec())
            await engine.close()
            try await body(bench)
        } catch {
            try await bench.clear()
            throw error
        }
        try await bench.clear()
    }

    private static func devices(_ name: String, _ engine: GantryEngine) async throws -> [Link] {
        let peer = try await NetworkPeer(name, engine)
        defer { peer.close() }
        var netlink = try NetlinkSocket(in: try #require(peer.namespace))
        return try netlink.links()
    }

    @Test(
        "A container reaches others of the network while it is in it; it leaves at once, and its device goes after it")
    func leaving() async throws {
        try await Self.onBench { bench in
            let engine = try await bench.open()
            let peer = try await NetworkPeer("victim", engine)
            let other = try await NetworkPeer("other", engine)
            defer {
                peer.close()
                other.close()
            }
            let endpoint = try await engine.inspect("other").networks.first { $0.networkName == "far" }
            let theirs = try #require(endpoint.flatMap { IPAddress($0.ipv4Address) })
            let listener = try other.here { () throws(KernelError) in
                try InternetSocket.bound(.stream, SocketEndpoint(theirs, 7))
            }
            defer { listener.close() }
            for _ in 0..<2 {
                try await engine.connect("victim", to: "far", EndpointSpec())
                #expect(try peer.reaches(SocketEndpoint(theirs, 7)))
                try await engine.disconnect("victim", from: "far", force: false)
                #expect(try await Self.devices("victim", engine).filter(\.isUp).map(\.name) == ["lo", "eth0"])
                #expect(try !peer.reaches(SocketEndpoint(theirs, 7), seconds: 1))
            }
            await engine.close()
            var netlink = try NetlinkSocket(in: try #require(peer.namespace))
            #expect(try netlink.links().map(\.name) == ["lo", "eth0"], "an engine that ends leaves nothing behind")
        }
    }

    @Test("Whatever a container calls its device, and makes of it, it is out of the network once it was taken out")
    func renamed() async throws {
        try await Self.onBench { bench in
            let engine = try await bench.open()
            let peer = try await NetworkPeer("victim", engine)
            defer { peer.close() }
            // A second network over the same device, which it stays in.
            var spec = NetworkSpec(name: "farther")
            spec.driver = "macvlan"
            spec.options = try await engine.inspectNetwork("far").spec.options
            spec.pools = [AddressPool(subnet: "10.213.5.0/24")]
            _ = try await engine.createNetwork(spec)
            for name in ["farther", "far"] { try await engine.connect("victim", to: name, EndpointSpec()) }
            let namespace = try #require(peer.namespace)
            var netlink = try NetlinkSocket(in: namespace)
            let device = try netlink.link("eth2").index
            try netlink.setUp(device, false)
            try netlink.rename(device, to: "mine")
            try netlink.setUp(device)
            try netlink.createMacvlan(EndpointLink(name: "more"), over: device, mode: .bridge, in: namespace)
            try netlink.setUp(try netlink.link("more").index)
            try await engine.disconnect("victim", from: "far", force: false)
            #expect(try netlink.links().filter(\.isUp).map(\.name) == ["lo", "eth0", "eth1"])
            #expect(try netlink.addresses().contains { $0.address.description.hasPrefix("10.213.6.") } == false)
            await engine.close()
            #expect(try netlink.links().map(\.name) == ["lo", "eth0", "eth1"])
        }
    }

    @Test(
        "A disconnection that is cut short is finished by the next engine, device and all",
        arguments: [FaultPoint.disconnectAfterIntent, .disconnectAfterDevice, .disconnectBeforeDeletion])
    func death(point: FaultPoint) async throws {
        try await Self.onBench { bench in
            let first = try await bench.open()
            try await first.connect("victim", to: "far", EndpointSpec())
            await first.close()
            #expect(try EngineProbe.die(at: point, "disconnect", bench, name: "far"))
            let engine = try await bench.open()
            #expect(try await engine.inspect("victim").networks.map(\.networkName) == ["home"])
            #expect(
                try await eventually {
                    try await Self.devices("victim", engine).map(\.name) == ["lo", "eth0"]
                })
            #expect(try await Self.devices("other", engine).map(\.name) == ["lo", "eth0", "eth1"])
            await engine.close()
        }
    }
}
