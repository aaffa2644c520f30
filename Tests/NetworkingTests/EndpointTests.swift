import EngineAPI
import Linux
import Testing

@testable import Networking

/// What may be asked of a container's part in a network, and which part leads to the world.
struct EndpointTests {
    private static func network(
        _ name: String, _ subnets: [String] = ["10.1.0.0/16"], isInternal: Bool = false
    ) throws -> NetworkDefinition {
        var spec = NetworkSpec(name: name)
        spec.isInternal = isInternal
        let blocks = try subnets.map { text in
            let subnet = try #require(Subnet(text))
            return NetworkDefinition.Block(subnet: subnet, range: subnet, gateway: subnet.base)
        }
        return NetworkDefinition(
            id: name, spec: spec, driver: .bridge, createdAt: 0, linkName: name, blocks: blocks, hasOwnSubnet: true)
    }

    private static func part(_ network: NetworkDefinition, _ priority: Int = 0) -> DefaultRoute.Part {
        var spec = EndpointSpec()
        spec.gatewayPriority = priority
        return (
            EndpointRecord(containerID: "c", containerName: "c", networkID: network.id, order: 0, spec: spec), network
        )
    }

    @Test("The default route leads by the highest priority, then by both versions of IP, then by the first name")
    func routes() throws {
        let (a, b) = (try Self.network("a"), try Self.network("b"))
        let both = try Self.network("z", ["10.2.0.0/16", "fd00::/64"])
        let inner = try Self.network("0", isInternal: true)
        func route(_ parts: [DefaultRoute.Part]) -> [String?] {
            let route = DefaultRoute(parts)
            return [route.part(.v4)?.network.name, route.part(.v6)?.network.name, route.publisher]
        }
        #expect(route([Self.part(b), Self.part(a)]) == ["a", nil, "a"])
        #expect(route([Self.part(a), Self.part(b, 1)]) == ["b", nil, "b"])
        #expect(route([Self.part(a), Self.part(both), Self.part(inner, 9)]) == ["z", "z", "z"])
        // Version 6 goes by the one that has it.
        #expect(route([Self.part(a, 5), Self.part(both)]) == ["a", "z", "a"])
        #expect(DefaultRoute([Self.part(a, 5), Self.part(both)]).families(by: "z") == [.v6])
        #expect(route([Self.part(both, .min), Self.part(a, .max)]) == ["a", "z", "a"])
        #expect(route([Self.part(inner)]) == [nil, nil, nil])
    }

    @Test(
        "A setting of a container's device is one of the kernel's below the device's own directory, and nothing else",
        arguments: [
            ("net.ipv4.conf.IFNAME.log_martians=1", nil), ("net.ipv6.conf.ifname.accept_ra=2", nil),
            ("net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.gc_stale_time=30", nil), ("", nil),
            ("net.mpls.conf.IFNAME.input=", nil), ("net.ipv4.conf.IFNAME.log_martians", "to have format name=value"),
            ("net.ipv4.conf.eth0.log_martians=1", "unrecognised network interface sysctl"),
            ("net.core.conf.IFNAME.x=1", "unrecognised network interface sysctl"),
            ("kernel.ipv4.conf.IFNAME.x=1", "unrecognised network interface sysctl"),
            ("net.ipv4.conf.IFNAME=1", "unrecognised network interface sysctl"),
            ("net.ipv4./../../kernel.IFNAME.x=1", "unrecognised network interface sysctl"),
            ("net.ipv4.conf.IFNAME.../../../../kernel/core_pattern=x", "unrecognised network interface sysctl"),
            ("net.ipv4.conf.IFNAME./x=1", "unrecognised network interface sysctl"),
            ("net.ipv4..IFNAME.x=1", "unrecognised network interface sysctl"),
        ] as [(String, String?)])
    func settings(text: String, refusal: String?) throws {
        var spec = EndpointSpec()
        spec.options = ["com.docker.network.endpoint.sysctls": text]
        let network = try Self.network("n")
        guard let refusal else {
            #expect(throws: Never.self) { try EndpointPlan.check(spec, network) }
            return #expect(try DeviceSettings(spec).isEmpty == text.isEmpty)
        }
        let error = #expect(throws: EngineError.self) { try EndpointPlan.check(spec, network) }
        #expect(error?.kind == .invalid && error?.message.contains(refusal) == true, "\(error?.message ?? "")")
        #expect(error?.message.hasPrefix("invalid config for network n: invalid endpoint settings:\n") == true)
    }

    @Test("An address of the link is one of the link's own range, which no subnet gives")
    func linkLocal() throws {
        let network = try Self.network("n")
        let rows = [
            ("169.254.8.8", true), ("fe80::8", true), ("0.0.0.0", false), ("::", false), ("10.0.0.9", false),
            ("fd00::8", false), ("x", false),
        ]
        for (text, isOne) in rows {
            var spec = EndpointSpec()
            spec.linkLocalAddresses = [text]
            let result = Result { () throws(EngineError) in try EndpointPlan.check(spec, network) }
            if case .failure(let error) = result {
                #expect(!isOne && error.kind == .invalid && error.message.hasSuffix("IP address: \(text)"))
            } else {
                #expect(isOne, "\(text)")
            }
        }
    }
}
