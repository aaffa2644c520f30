import EngineAPI
import Linux
import LocalEngine
import Netlink
import Testing

/// Networks whose containers share the address of a device's link. The driver is a module that not every kernel has:
/// the tests that need it run where it is.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct IPvlanTests {
    /// Whether this kernel makes devices of the kind; asked in a namespace that goes at once.
    private static let isThere: Bool = {
        // Whatever it is that fails: there are no such devices here.
        guard EngineBench.missing == nil, let namespace = try? NetworkNamespace.make() else { return false }
        defer { namespace.close() }
        guard var netlink = try? NetlinkSocket(in: namespace), (try? netlink.createDummy("gtprobe")) != nil,
            let parent = try? netlink.link("gtprobe")
        else { return false }
        let link = EndpointLink(name: "gtlane")
        return (try? netlink.createIPvlan(link, over: parent.index, mode: .l2, in: namespace)) != nil
    }()

    private func member(
        _ name: String, _ network: String, _ engine: GantryEngine, _ bench: EngineBench
    ) async throws -> (peer: NetworkPeer, endpoint: EndpointDetails) {
        let id = try await bench.create("exec busybox nc -ll -p 7 -e cat", name: name, on: engine) {
            $0.networkMode = NetworkMode(rawValue: network)
        }
        try await engine.start(id)
        let endpoint = try #require(try await engine.inspect(id).networks.first)
        return (try await NetworkPeer(id, engine), endpoint)
    }

    @Test(
        "Containers of a network without a device of the host reach each other, whatever the driver; with it its own goes",
        .enabled(if: isThere, "the kernel has no dummy and ipvlan devices"),
        arguments: [("ipvlan", "l2"), ("ipvlan", "l3"), ("ipvlan", "l3s"), ("macvlan", "")])
    func members(driver: String, mode: String) async throws {
        try await EngineBench.with { engine, bench in
            var spec = NetworkSpec(name: "lane")
            (spec.driver, spec.pools) = (driver, [AddressPool(subnet: "10.213.7.0/24")])
            if !mode.isEmpty { spec.options = ["ipvlan_mode": mode] }
            let id = try await engine.createNetwork(spec)
            let device = try #require(try await engine.inspectNetwork("lane").hostInterface)
            #expect(device == (driver == "ipvlan" ? "di-" : "dm-") + id.prefix(12))
            let (one, first) = try await member("one", "lane", engine, bench)
            let (two, second) = try await member("two", "lane", engine, bench)
            defer {
                one.close()
                two.close()
            }
            let target = SocketEndpoint(try #require(IPAddress(second.ipv4Address)), 7)
            #expect(try eventually { try one.ask("a\n", target) == "a\n" })
            // One address of the link serves all: it is nobody's own.
            #expect(first.macAddress.isEmpty == (driver == "ipvlan") && first.gateway.isEmpty)
            try await engine.disconnect("one", from: "lane", force: false)
            #expect(try !one.reaches(target, seconds: 1))
            try await engine.connect("one", to: "lane", EndpointSpec())
            #expect(try one.ask("b\n", target) == "b\n")
            for name in ["one", "two"] { try await engine.remove(name, force: true, volumes: false) }
            try await engine.removeNetwork("lane")
            var host = try NetlinkSocket()
            #expect(try !host.links().contains { $0.name == device })
        }
    }

    @Test(
        "Over a device that was named, the container's default route leads by it: to the gateway, or out of the device",
        .enabled(if: isThere, "the kernel has no dummy and ipvlan devices"),
        arguments: [("l2", "0106D50A"), ("l3", "00000000")])
    func routes(mode: String, gateway: String) async throws {
        let parent = "gtp\(UInt32.random(in: 0...999_999))"
        var host = try NetlinkSocket()
        try host.createDummy(parent)
        defer { try? host.deleteLink(parent) }  // LeftoverTests tells of what stays.
        try host.setUp(try host.link(parent).index)
        try await EngineBench.with { engine, bench in
            var spec = NetworkSpec(name: "lane")
            (spec.driver, spec.options) = ("ipvlan", ["parent": parent, "ipvlan_mode": mode])
            spec.pools = [AddressPool(subnet: "10.213.6.0/24")]
            _ = try await engine.createNetwork(spec)
            let (peer, _) = try await member("one", "lane", engine, bench)
            defer { peer.close() }
            let pid = try await engine.inspect("one").state.pid
            let rows = String(decoding: try FileContents.read("/proc/\(pid)/net/route"), as: UTF8.self)
                .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
            #expect(rows.contains { $0[0] == "eth0" && $0[1] == "00000000" && $0[2] == gateway }, "\(rows)")
            try await engine.remove("one", force: true, volumes: false)
            try await engine.removeNetwork("lane")
        }
        #expect(try host.links().contains { $0.name == parent }, "it is not the engine's to take away")
    }

    @Test(
        "A kernel without the driver says what cannot be made, and nothing is left of the network",
        .enabled(if: !isThere, "the kernel has dummy and ipvlan devices"))
    func missing() async throws {
        try await EngineBench.with { engine, _ in
            var spec = NetworkSpec(name: "lane")
            spec.driver = "ipvlan"
            let error = await #expect(throws: EngineError.self) { try await engine.createNetwork(spec) }
            #expect(error?.kind == .unsupported && error?.message.hasPrefix("create dummy `di-") == true)
            let left = try await engine.networks(NetworkFilter()).map(\.spec.name)
            #expect(left == ["bridge", "host", "none"])
        }
    }
}
