import Linux

/// A network device, as the kernel tells of it.
package struct Link: Hashable, Sendable {
    package struct Statistics: Hashable, Sendable {
        package var receivedBytes: UInt64 = 0
        package var receivedPackets: UInt64 = 0
        package var receiveErrors: UInt64 = 0
        package var receiveDropped: UInt64 = 0
        package var sentBytes: UInt64 = 0
        package var sentPackets: UInt64 = 0
        package var sendErrors: UInt64 = 0
        package var sendDropped: UInt64 = 0
    }

    package var index: Int32
    package var name: String
    package var isUp: Bool
    package var mtu: UInt32
    package var address: MACAddress?
    /// `bridge`, `veth`, `macvlan`, `ipvlan`, `vlan`, …; empty for a plain device.
    package var kind: String
    /// The index of the bridge that it is a port of.
    package var master: Int32?
    /// A veth's other end, or the device below a macvlan, an ipvlan or a VLAN; an index in another namespace perhaps.
    package var parent: Int32?
    /// The parent is in another namespace.
    package var isParentElsewhere: Bool
    /// What its maker wrote on it.
    package var alias: String
    /// 0 unless it was put into another.
    package var group: UInt32
    package var statistics: Statistics

    init?(_ message: ArraySlice<UInt8>) {
        guard message.count >= LinkHead.byteCount else { return nil }
        let attributes = NetlinkAttributes(message.dropFirst(LinkHead.byteCount))
        index = message.number(at: 4)
        isUp = (message.number(at: 8) as UInt32) & 1 != 0
        name = attributes.text(LinkAttribute.name) ?? ""
        mtu = attributes.number(LinkAttribute.mtu) ?? 0
        address = attributes[LinkAttribute.address].flatMap { MACAddress(bytes: Array($0)) }
        kind = attributes.nested(LinkAttribute.info).text(LinkAttribute.infoKind) ?? ""
        master = attributes.number(LinkAttribute.master)
        parent = attributes.number(LinkAttribute.link)
        isParentElsewhere = attributes[LinkAttribute.linkNamespace] != nil
        alias = attributes.text(LinkAttribute.alias) ?? ""
        group = attributes.number(LinkAttribute.group) ?? 0
        statistics = Statistics(attributes[LinkAttribute.statistics] ?? [])
    }
}

extension Link.Statistics {
    /// struct rtnl_link_stats64: 64-bit counters in a row.
    fileprivate init(_ bytes: ArraySlice<UInt8>) {
        self.init()
        func counter(_ index: Int) -> UInt64 { bytes.count >= 8 * (index + 1) ? bytes.number(at: 8 * index) : 0 }
        (receivedPackets, sentPackets, receivedBytes, sentBytes) = (counter(0), counter(1), counter(2), counter(3))
        (receiveErrors, sendErrors, receiveDropped, sendDropped) = (counter(4), counter(5), counter(6), counter(7))
    }
}

/// Numbers of linux/if_link.h.
enum LinkAttribute {
    static let address: UInt16 = 1
    static let name: UInt16 = 3
    static let mtu: UInt16 = 4
    static let link: UInt16 = 5
    static let master: UInt16 = 10
    static let info: UInt16 = 18
    static let alias: UInt16 = 20
    static let statistics: UInt16 = 23
    static let familySpecific: UInt16 = 26
    static let group: UInt16 = 27
    static let namespace: UInt16 = 28
    static let linkNamespace: UInt16 = 37
    static let infoKind: UInt16 = 1
    static let infoData: UInt16 = 2
    static let infoPortData: UInt16 = 5
    static let vethPeer: UInt16 = 1
    static let macvlanMode: UInt16 = 1
    static let ipvlanMode: UInt16 = 1
    static let ipvlanFlags: UInt16 = 2
    static let vlanID: UInt16 = 1
    static let portIsolated: UInt16 = 33
    /// In IFLA_AF_SPEC's part for version 6.
    static let addressGeneration: UInt16 = 8
}

/// struct ifinfomsg.
enum LinkHead {
    static let byteCount = 16

    static func bytes(index: Int32 = 0, isUp: Bool? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.put(UInt32(0))
        bytes.put(index)
        bytes.put(UInt32(isUp == true ? 1 : 0))
        bytes.put(UInt32(isUp == nil ? 0 : 1))
        return bytes
    }
}
