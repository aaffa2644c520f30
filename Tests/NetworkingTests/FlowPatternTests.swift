import EngineAPI
import Linux
import Netlink
import Testing

@testable import Networking

/// What the kernel is asked for when it is to tell of some of the flows that it remembers.
struct FlowPatternTests {
    private static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(.v4, 0) }

    /// Flows of datagrams in the namespace of the calling thread, from loopback to each of these.
    private static func remember(_ peers: [SocketEndpoint]) throws(EngineError) {
        do throws(KernelError) {
            for family in [IPAddress.Family.v4, .v6] {
                let socket = OwnedDescriptor(try InternetSocket.open(.datagram, family))
                for peer in peers where peer.address.family == family {
                    // Refused is what was sent before; that is remembered all the same.
                    try? InternetSocket.send(socket.descriptor, [1], to: peer)
                    try? InternetSocket.send(socket.descriptor, [1], to: peer)
                }
            }
        } catch { throw EngineError(.internal, "\(error)") }
    }

    @Test("The kernel tells of those flows that fit, of either version, by who began them, who answers, and the port")
    func asked() throws {
        let bench = try ServiceBench()
        try bench.ground.prepare()
        try bench.nft(
            """
            add table inet t
            add chain inet t c { type filter hook output priority 0; }
            add rule inet t c ct state new accept
            """)
        let peers = [("127.0.0.2", 9), ("127.0.0.2", 10), ("127.0.0.3", 9), ("::1", 9), ("::1", 11)].map {
            SocketEndpoint(Self.address($0), UInt16($1))
        }
        let patterns: [(FlowPattern, Int)] = [
            (FlowPattern(from: Self.address("127.0.0.1")), 3), (FlowPattern(from: Self.address("127.0.0.2")), 0),
            (FlowPattern(answeredBy: Self.address("127.0.0.2")), 2), (FlowPattern(from: Self.address("::1")), 2),
            (FlowPattern(answeredBy: Self.address("::1")), 2), (FlowPattern(.v4, transport: 17, to: 9), 2),
            (FlowPattern(.v6, transport: 17, to: 9), 1), (FlowPattern(.v4, transport: 17, to: nil), 3),
            (FlowPattern(.v4, transport: 6, to: nil), 0),
        ]
        let counts = try bench.ground.run { () throws(EngineError) -> [[Int]] in
            try Self.remember(peers)
            do {
                var filter = try NetlinkSocket(.filter)
                var counts: [[Int]] = []
                for (pattern, _) in patterns {
                    var told = 0
                    let found = try filter.flows([pattern]) { _ in
                        told += 1
                        return true
                    }
                    counts.append([found.count, told, try filter.flows { pattern.fits($0) }.count])
                }
                let both = try filter.flows([patterns[2].0, patterns[5].0]) { _ in true }
                counts.append([both.count, try filter.flows { _ in true }.count])
                return counts
            } catch { throw EngineError(.internal, "\(error)") }
        }
        for ((_, count), found) in zip(patterns, counts) { #expect(found == [count, count, count]) }
        #expect(counts.last == [3, 5], "one that fits two patterns is one")
    }

    @Test("Where few flows are remembered all are looked at; where many, those that the kernel finds")
    func patterns() {
        var flows = StaleFlows(addresses: [Self.address("172.17.0.2"), Self.address("fd00::2")])
        #expect(flows.patterns(among: 100) == nil)
        #expect(
            flows.patterns(among: 100_000) == [
                FlowPattern(from: Self.address("172.17.0.2")), FlowPattern(answeredBy: Self.address("172.17.0.2")),
                // One for both: all of version 6.
                FlowPattern(from: Self.address("fd00::2")),
            ])
        flows.addresses = []
        func publish(_ numbers: ClosedRange<UInt16>) {
            for number in numbers {
                let port = PublishedPort(
                    ContainerPort(53, .udp), hostAddress: Self.address("0.0.0.0"), hostPort: number)
                flows.ports[port] = Self.address("172.17.0.2")
            }
        }
        publish(5353...5353)
        #expect(flows.patterns(among: 100_000) == [FlowPattern(.v4, transport: 17, to: 5353)])
        publish(5000...5100)
        #expect(flows.patterns(among: 100_000) == [FlowPattern(.v4, transport: 17, to: nil)])
        #expect(flows.patterns(among: 10) == nil)
    }
}
