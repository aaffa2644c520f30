import EngineAPI
import Linux
import Netlink
import Testing

@testable import Networking

/// Which flows the packet filter is to forget.
@Suite struct StaleFlowTests {
    private static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(.v4, 0) }

    /// - Parameter answerer: whom the flow leads to; nil for where it was sent to.
    private static func flow(
        _ source: String, _ destination: String, port: UInt16 = 5353, transport: UInt8 = 17, answerer: String? = nil
    ) -> TrackedFlow {
        TrackedFlow(
            original: TrackedFlow.Direction(
                source: address(source), destination: address(destination), transport: transport,
                destinationPort: port),
            reply: TrackedFlow.Direction(
                source: address(answerer ?? destination), destination: address(source), transport: transport,
                destinationPort: 40_000))
    }

    private static func isLocal(_ address: IPAddress) -> Bool {
        ["127.0.0.1", "192.0.2.1", "::1"].contains(address.description)
    }

    @Test(
        "Flows to an address that a container had, or from it, are forgotten, of whatever kind",
        arguments: [
            (flow("192.0.2.9", "192.0.2.1", answerer: "172.17.0.2"), true),
            (flow("192.0.2.9", "192.0.2.1", transport: 6, answerer: "172.17.0.2"), true),
            (flow("172.17.0.2", "198.51.100.1"), true), (flow("192.0.2.9", "172.17.0.2"), true),
            (flow("192.0.2.9", "192.0.2.1", answerer: "172.17.0.3"), false),
            (flow("172.17.0.3", "198.51.100.1"), false), (flow("192.0.2.9", "192.0.2.1"), false),
        ])
    func addresses(flow: TrackedFlow, isStale: Bool) {
        let stale = StaleFlows(addresses: [Self.address("172.17.0.2")])
        #expect(stale.contains(flow, isLocal: Self.isLocal) == isStale)
    }

    @Test(
        "Datagrams to a published port that lead elsewhere than to its container are forgotten, and nobody else's",
        arguments: [
            ("0.0.0.0", flow("192.0.2.9", "192.0.2.1"), true),
            ("0.0.0.0", flow("192.0.2.9", "192.0.2.1", answerer: "172.17.0.3"), true),
            ("0.0.0.0", flow("127.0.0.1", "127.0.0.1"), true),
            ("0.0.0.0", flow("192.0.2.9", "192.0.2.1", answerer: "172.17.0.2"), false),
            ("0.0.0.0", flow("192.0.2.9", "192.0.2.1", port: 5354), false),
            ("0.0.0.0", flow("192.0.2.9", "192.0.2.1", transport: 6), false),
            // A container's own questions to a resolver elsewhere.
            ("0.0.0.0", flow("172.17.0.3", "198.51.100.1"), false), ("0.0.0.0", flow("::1", "::1"), false),
            ("192.0.2.1", flow("192.0.2.9", "192.0.2.1"), true),
            ("192.0.2.1", flow("127.0.0.1", "127.0.0.1"), false),
        ])
    func ports(host: String, flow: TrackedFlow, isStale: Bool) {
        var record = EndpointRecord(
            containerID: "c", containerName: "c", networkID: "n", order: 0, spec: EndpointSpec())
        record.ipv4 = Self.address("172.17.0.2")
        record.ports = [
            PublishedPort(ContainerPort(53, .udp), hostAddress: Self.address(host), hostPort: 5353),
            PublishedPort(ContainerPort(53, .tcp), hostAddress: Self.address(host), hostPort: 5354),
        ]
        #expect(record.misledFlows.contains(flow, isLocal: Self.isLocal) == isStale)
    }

    @Test("Who publishes no port of datagrams makes nothing be forgotten")
    func nothing() {
        let record = EndpointRecord(
            containerID: "c", containerName: "c", networkID: "n", order: 0, spec: EndpointSpec())
        #expect(record.misledFlows.isEmpty)
        #expect(StaleFlows().isEmpty)
    }
}
