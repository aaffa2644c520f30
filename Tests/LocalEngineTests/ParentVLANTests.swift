import EngineAPI
import Linux
import LocalEngine
import Netlink
import Testing

/// Networks over a VLAN of a device of the host. It is of a module that not every kernel has: the test that needs it runs
/// where it is.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .timeLimit(.minutes(5)))
struct ParentVLANTests {
    /// Whether this kernel makes such devices; asked in a namespace that goes at once.
    private static let isThere: Bool = {
        // Whatever it is that fails: there are no such devices here.
        guard EngineBench.missing == nil, let namespace = try? NetworkNamespace.make() else { return false }
        defer { namespace.close() }
        guard var netlink = try? NetlinkSocket(in: namespace), (try? netlink.createDummy("gtprobe")) != nil,
            let parent = try? netlink.link("gtprobe")
        else { return false }
        return (try? netlink.createVLAN("gtprobe.7", over: parent.index, id: 7)) != nil
    }()

    private func network(
        _ name: String, over parent: String, _ subnet: String, driver: String = "macvlan"
    ) -> NetworkSpec {
        var spec = NetworkSpec(name: name)
        (spec.driver, spec.options, spec.pools) = (driver, ["parent": parent], [AddressPool(subnet: subnet)])
        return spec
    }

    @Test("A parent that is neither there nor a VLAN over what is there is refused, and nothing is left of the network")
    func refusals() async throws {
        try await EngineBench.with { engine, _ in
            for (parent, kind, words) in [
                ("gtnosuch", EngineError.Kind.invalid, "invalid subinterface vlan name gtnosuch"),
                ("gtnosuch.7", .notFound, "-o parent interface was not found on the host: gtnosuch"),
            ] {
                let error = await #expect(throws: EngineError.self) {
                    try await engine.createNetwork(network("far", over: parent, "10.213.81.0/24"))
                }
                #expect(error?.kind == kind && error?.message.hasPrefix(words) == true, "\(error?.message ?? "")")
            }
            let left = try await engine.networks(NetworkFilter())
            #expect(left.map(\.spec.name) == ["bridge", "host", "none"])
        }
    }

    @Test(
        "The VLAN that a parent's name says is made for the first network over it, and goes with the last",
        .enabled(if: isThere, "the kernel has no dummy and VLAN devices"))
    func vlan() async throws {
        var netlink = try NetlinkSocket()
        let device = "gtv\(UInt32.random(in: 0...99_999))"
        try netlink.createDummy(device)
        defer { try? netlink.deleteLink(device) }  // LeftoverTests tells of what stays.
        let parent = try netlink.link(device).index
        try netlink.setUp(parent)
        try netlink.createVLAN("\(device).9", over: parent, id: 9)
        try await EngineBench.with { engine, bench in
            var netlink = try NetlinkSocket()
            _ = try await engine.createNetwork(network("one", over: "\(device).7", "10.213.81.0/24"))
            let made = try netlink.link("\(device).7")
            #expect(made.kind == "vlan" && made.parent == parent && made.isUp)
            _ = try await engine.createNetwork(network("two", over: "\(device).7", "10.213.82.0/24"))
            _ = try await engine.createNetwork(
                network("other", over: "\(device).9", "10.213.83.0/24", driver: "ipvlan"))
            try await engine.removeNetwork("one")
            await engine.close()
            let next = try await bench.open()
            let id = try await bench.create("sleep 600", on: next) { $0.networkMode = NetworkMode(rawValue: "two") }
            try await next.start(id)
            #expect(try await next.inspect(id).networks.first?.ipv4Address.hasPrefix("10.213.82.") == true)
            let kept = try netlink.link("\(device).7")
            #expect(kept.index == made.index)
            try await next.remove(id, force: true, volumes: false)
            for name in ["two", "other"] { try await next.removeNetwork(name) }
            let left = try netlink.links().map(\.name).filter { $0.hasPrefix(device) }
            #expect(left.sorted() == [device, "\(device).9"], "what others made stays")
            await next.close()
        }
    }
}
