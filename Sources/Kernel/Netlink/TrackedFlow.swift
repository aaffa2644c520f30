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

/// Flows of one version of the protocol that the kernel is asked for, by the first packet or by its answers.
package struct FlowPattern: Hashable, Sendable {
    private let family: IPAddress.Family
    /// CTA_TUPLE_ORIG or CTA_TUPLE_REPLY, of which the wanted fields are compared.
    private let tuple: UInt16
    private var source: IPAddress?
    private var transport: UInt8?
    private var destinationPort: UInt16?

    /// Those that an address began, at least.
    package init(from source: IPAddress) { self.init(source, 1) }

    /// Those that an address answers, whomever they were addressed to, at least.
    package init(answeredBy source: IPAddress) { self.init(source, 2) }

    private init(_ source: IPAddress, _ tuple: UInt16) {
        // Asked for an address of version 6 the kernel tells of all others: it takes "equal" for "different".
        let isCompared = source.family == .v4
        (family, self.tuple, self.source) = (source.family, isCompared ? tuple : 1, isCompared ? source : nil)
    }

    /// Those of a transport to a port; nil for all of the transport.
    package init(_ family: IPAddress.Family, transport: UInt8, to port: UInt16?) {
        (self.family, tuple, self.transport, destinationPort) = (family, 1, transport, port)
    }

    /// Whether it is one of those.
    package func fits(_ flow: TrackedFlow) -> Bool {
        let direction = tuple == 1 ? flow.original : flow.reply
        return direction.source.family == family && (source == nil || source == direction.source)
            && (transport == nil || transport == direction.transport)
            && (destinationPort == nil || destinationPort == direction.destinationPort)
    }

    /// IPCTNL_MSG_CT_GET with CTA_FILTER, of Linux 5.8; one before it leaves that out and tells of all.
    fileprivate var request: NetlinkMessage {
        var message = NetlinkMessage(0x101, .dump, head: [family.rawValue, 0, 0, 0])
        // CTA_FILTER_F_CTA_IP_SRC, _PROTO_NUM, _PROTO_DST_PORT
        let fields: UInt32 = (source == nil ? 0 : 1) | (transport == nil ? 0 : 8) | (destinationPort == nil ? 0 : 32)
        if fields == 0 { return message }
        message.nest(tuple) { tuple in
            if let source { tuple.nest(1) { $0.put(1, source.bytes) } }
            guard let transport else { return }
            tuple.nest(2) { protocolFields in
                protocolFields.put(1, transport)
                if let destinationPort { protocolFields.put(3, destinationPort.bigEndian) }
            }
        }
        message.nest(25) { filter in
            filter.put(1, tuple == 1 ? fields : 0)
            filter.put(2, tuple == 2 ? fields : 0)
        }
        return message
    }
}

/// Of a socket of `.filter`.
extension NetlinkSocket {
    /// Those that are wanted, of both versions of the protocol. To look through the kernel's table takes it some
    /// milliseconds, however little is in it.
    ///
    /// - Parameter patterns: one of which each of them fits: the kernel goes through its table for each, and tells of
    ///   little else. Nil where it is to tell of all, as one does that cannot compare.
    package mutating func flows(
        _ patterns: Set<FlowPattern>? = nil, where isWanted: (TrackedFlow) -> Bool
    ) throws(NetlinkError) -> Set<TrackedFlow> {
        var found: Set<TrackedFlow> = []
        for pattern in patterns ?? [] {
            var tellsOfAll = false
            do throws(NetlinkError) {
                found.formUnion(
                    try flows(asked: pattern.request) { flow in
                        if !pattern.fits(flow) { tellsOfAll = true }
                        return isWanted(flow)
                    })
            } catch  where [.notSupported, .invalidArgument].contains(error.errno) {
                return try flows(where: isWanted)
            }
            // Of the pattern's version alone.
            if tellsOfAll { return try flows(where: isWanted) }
        }
        // IPCTNL_MSG_CT_GET; AF_UNSPEC.
        return patterns == nil ? try flows(asked: NetlinkMessage(0x101, .dump, head: [0, 0, 0, 0]), isWanted) : found
    }

    private mutating func flows(
        asked request: NetlinkMessage, _ isWanted: (TrackedFlow) -> Bool
    ) throws(NetlinkError) -> Set<TrackedFlow> {
        let answers = try messages(request, "list", "tracked connections") { TrackedFlow($0).map(isWanted) ?? false }
        return Set(answers.compactMap(TrackedFlow.init))
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
