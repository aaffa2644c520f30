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

    /// - Parameter isLocal: whether an address is the machine's own.
    func contains(_ flow: TrackedFlow, isLocal: (IPAddress) -> Bool) -> Bool {
        addresses.contains(flow.original.source) || addresses.contains(flow.reply.source)
            || isMisled(flow, isLocal)
    }

    /// To a published port, but not to its container: it began before the port was published, or while another had it.
    private func isMisled(_ flow: TrackedFlow, _ isLocal: (IPAddress) -> Bool) -> Bool {
        // IPPROTO_UDP. Connections end by themselves when nobody answers them.
        guard flow.original.transport == 17 else { return false }
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
