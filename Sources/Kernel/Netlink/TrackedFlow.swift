import Glibc
import Linux

/// A connection, or an exchange of datagrams, that the packet filter remembers (nf_conntrack): who began it with whom, and
/// whom that really leads to.
package struct TrackedFlow: Hashable, Sendable {
    /// One direction, as its packets bear it.
    package struct Direction: Hashable, Sendable {
        package var source: IPAddress
        package var destination: IPAddress
        /// IPPROTO_UDP, IPPROTO_TCP, …
        package var transport: UInt8
        /// Zero for what has no ports.
        package var destinationPort: UInt16

        package init(
            source: IPAddress, destination: IPAddress, transport: UInt8, destinationPort: UInt16
        ) {
            self.source = source
            self.destination = destination
            self.transport = transport
            self.destinationPort = destinationPort
        }

        /// CTA_TUPLE_ORIG or CTA_TUPLE_REPLY; nil for what has no addresses.
        fileprivate init?(_ tuple: NetlinkAttributes) {
            let (addresses, ports) = (tuple.nested(1), tuple.nested(2))
            guard let source = addresses.address(1) ?? addresses.address(3),
                let destination = addresses.address(2) ?? addresses.address(4)
            else { return nil }
            self.source = source
            self.destination = destination
            transport = ports.number(1) ?? 0
            destinationPort = UInt16(bigEndian: ports.number(3) ?? 0)
        }
    }

    package var original: Direction
    /// What answers bear: from whom they come, however the question was addressed.
    package var reply: Direction
    /// What names it to the kernel: CTA_TUPLE_ORIG, CTA_ZONE and CTA_ID, as it told them.
    private var key: [UInt16: [UInt8]] = [:]

    package init(original: Direction, reply: Direction) {
        self.original = original
        self.reply = reply
    }

    fileprivate init?(_ message: ArraySlice<UInt8>) {
        // struct nfgenmsg has four bytes.
        guard message.count >= 4 else { return nil }
        let attributes = NetlinkAttributes(message.dropFirst(4))
        guard let original = Direction(attributes.nested(1)), let reply = Direction(attributes.nested(2)) else {
            return nil
        }
        self.init(original: original, reply: reply)
        for type in [1, 12, 18] as [UInt16] { key[type] = attributes[type].map { Array($0) } }
    }

    fileprivate var deletion: NetlinkMessage {
        // IPCTNL_MSG_CT_DELETE of NFNL_SUBSYS_CTNETLINK.
        var message = NetlinkMessage(0x102, .acknowledge, head: [original.source.family.rawValue, 0, 0, 0])
        // NLA_F_NESTED: the kernel insists for tuples.
        for (type, data) in key.sorted(by: { $0.key < $1.key }) { message.put(type == 1 ? type | 0x8000 : type, data) }
        return message
    }
}

/// Of a socket of `.filter`.
extension NetlinkSocket {
    /// Those of both versions of the protocol that are wanted. To look through the kernel's table takes it some
    /// milliseconds, however little is in it.
    package mutating func flows(where isWanted: (TrackedFlow) -> Bool) throws(NetlinkError) -> [TrackedFlow] {
        // IPCTNL_MSG_CT_GET; AF_UNSPEC.
        let request = NetlinkMessage(0x101, .dump, head: [0, 0, 0, 0])
        return try messages(request, "list", "tracked connections") { TrackedFlow($0).map(isWanted) ?? false }
            .compactMap(TrackedFlow.init)
    }

    /// Lets the filter forget a flow: its next packet is looked at as a first one. One that is gone, or whose place another
    /// has taken, is no failure.
    package mutating func forget(_ flow: TrackedFlow) throws(NetlinkError) {
        do throws(NetlinkError) {
            try perform(flow.deletion, "forget the connection to", "\(flow.original.destination)")
        } catch  where error.errno == .noSuchFile {
            // It ended by itself.
        }
    }
}
