import Linux
import Netlink

/// Which of the flows that the packet filter remembers lead astray: it keeps a flow's way as it was decided by the first
/// packet, whatever the rules say since. A client of datagrams that keeps its port would speak to a container that is gone
/// for as long as it speaks.
struct StaleFlows: Hashable, Sendable {
    /// Addresses that containers had: nothing is to lead to them, nor answers to what they asked.
    var addresses: Set<IPAddress> = []
    /// Where published ports of datagrams lead now.
    var ports: [PublishedPort: IPAddress] = [:]

    var isEmpty: Bool { addresses.isEmpty && ports.isEmpty }

    mutating func add(_ other: StaleFlows) {
        addresses.formUnion(other.addresses)
        ports.merge(other.ports) { $1 }
    }

    /// What the kernel is asked for, so that it tells of little else; nil to have it tell of all, which is quicker where
    /// there are few: each question takes it through its whole table.
    ///
    /// - Parameter count: how many flows it remembers.
    func patterns(among count: Int) -> Set<FlowPattern>? {
        let families = Set(ports.values.map(\.family))
        let numbers = Set(ports.map { FlowPattern($1.family, transport: Self.datagrams, to: $0.hostPort) })
        var patterns = Set(addresses.flatMap { [FlowPattern(from: $0), FlowPattern(answeredBy: $0)] })
        // Of a range of ports all the transport's.
        patterns.formUnion(
            numbers.count <= 4 ? numbers : Set(families.map { FlowPattern($0, transport: Self.datagrams, to: nil) }))
        return count > Self.flowsPerQuestion * patterns.count ? patterns : nil
    }

    /// Of so many the way to here takes as long as the kernel's through an empty table.
    private static let flowsPerQuestion = 2000
    /// IPPROTO_UDP
    private static let datagrams: UInt8 = 17

    /// - Parameter isLocal: whether an address is the machine's own.
    func contains(_ flow: TrackedFlow, isLocal: (IPAddress) -> Bool) -> Bool {
        addresses.contains(flow.original.source) || addresses.contains(flow.reply.source)
            || isMisled(flow, isLocal)
    }

    /// To a published port, but not to its container: it began before the port was published, or while another had it.
    private func isMisled(_ flow: TrackedFlow, _ isLocal: (IPAddress) -> Bool) -> Bool {
        // Connections end by themselves when nobody answers them.
        guard flow.original.transport == Self.datagrams else { return false }
        return ports.contains { published, target in
            published.hostPort == flow.original.destinationPort && flow.reply.source != target
                && published.hostAddress.family == target.family && target.family == flow.original.source.family
                && (published.hostAddress.isUnspecified
                    ? isLocal(flow.original.destination) : published.hostAddress == flow.original.destination)
        }
    }
}

extension EndpointRecord {
    /// What a container's coming changes for flows: those to its ports of datagrams.
    var misledFlows: StaleFlows {
        var flows = StaleFlows()
        for published in ports where published.port.transport == .udp {
            flows.ports[published] = published.hostAddress.family == .v4 ? ipv4 : ipv6
        }
        return flows
    }
}
