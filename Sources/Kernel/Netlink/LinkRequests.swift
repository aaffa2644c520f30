import Glibc
import Linux

/// A device in a container, with what it is to be.
package struct EndpointLink: Sendable {
    package var name: String
    package var address: MACAddress?
    package var mtu: UInt32?

    package init(name: String, address: MACAddress? = nil, mtu: UInt32? = nil) {
        self.name = name
        self.address = address
        self.mtu = mtu
    }
}

/// How packets of an ipvlan device find their way.
package enum IPvlanMode: UInt16, Hashable, Sendable {
    /// By addresses of links, as on an ordinary one.
    case l2 = 0
    /// By routes alone.
    case l3 = 1
    /// The same, and through the packet filter of the parent's side.
    case l3s = 2

    package init?(_ text: String) {
        switch text {
        case "l2": self = .l2
        case "l3": self = .l3
        case "l3s": self = .l3s
        default: return nil
        }
    }
}

/// How ipvlan devices of one parent see each other.
package enum IPvlanFlag: UInt16, Hashable, Sendable {
    case bridge = 0
    /// Not at all.
    case isolated = 1
    /// By what the parent's link is connected to.
    case vepa = 2

    package init?(_ text: String) {
        switch text {
        case "bridge": self = .bridge
        case "private": self = .isolated
        case "vepa": self = .vepa
        default: return nil
        }
    }
}

/// How macvlan devices of one parent see each other.
package enum MacvlanMode: UInt32, Hashable, Sendable {
    case isolated = 1
    case vepa = 2
    case bridge = 4
    case passthrough = 8
}

extension NetlinkSocket {
    /// Makes a bridge; EEXIST where a link has the name.
    ///
    /// - Parameter address: its own. Without one it would take its ports' smallest, and change it with them.
    package mutating func createBridge(
        _ name: String, address: MACAddress, mtu: UInt32? = nil, alias: String = ""
    ) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .making, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        message.put(LinkAttribute.address, address.bytes)
        if let mtu { message.put(LinkAttribute.mtu, mtu) }
        message.nest(LinkAttribute.info) { $0.put(LinkAttribute.infoKind, text: "bridge") }
        try perform(message, "create bridge", name)
        // Newer kernels alone take the alias of a link that is just being made.
        if !alias.isEmpty { try setAlias(alias, of: name) }
    }

    package mutating func setAlias(_ alias: String, of name: String) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .acknowledge, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        message.put(LinkAttribute.alias, text: alias)
        try perform(message, "set the alias of", name)
    }

    /// Makes a pair whose first end is a port of a bridge here, and whose second is in a namespace. The first is up then.
    package mutating func createVeth(
        _ name: String, port bridge: Int32, mtu: UInt32? = nil, peer: EndpointLink, in namespace: Descriptor
    ) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .making, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        message.put(LinkAttribute.master, bridge)
        if let mtu { message.put(LinkAttribute.mtu, mtu) }
        message.nest(LinkAttribute.info) { info in
            info.put(LinkAttribute.infoKind, text: "veth")
            info.nest(LinkAttribute.infoData) { data in
                data.nest(LinkAttribute.vethPeer) { $0.put(peer, in: namespace) }
            }
        }
        try perform(message, "create veth pair", name)
        try keepSilent(name)
        var second = NetlinkMessage(LinkType.new, .acknowledge, head: LinkHead.bytes(isUp: true))
        second.put(LinkAttribute.name, text: name)
        try perform(second, "set up link", name)
    }

    /// IN6_ADDR_GEN_MODE_NONE: keeps a device that has no use for version 6 from making itself an address of it and
    /// looking for others. Before it is up; the kernel takes it for a device that exists only.
    package mutating func keepSilent(_ name: String) throws(NetlinkError) {
        guard Version6.isThere else { return }
        var message = NetlinkMessage(LinkType.new, .acknowledge, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        message.nest(LinkAttribute.familySpecific) { families in
            families.nest(UInt16(IPAddress.Family.v6.rawValue)) { $0.put(LinkAttribute.addressGeneration, UInt8(1)) }
        }
        do throws(NetlinkError) {
            try perform(message, "keep silent", name)
        } catch  where error.errno.rawValue == EAFNOSUPPORT {
            // Version 6 is switched off, or the device's packets are too small for it: it is silent.
        }
    }

    /// Lets a bridge's port reach no other such port of the bridge.
    package mutating func isolatePort(_ name: String) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .acknowledge, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        message.nest(LinkAttribute.info) { info in
            info.put(4, text: "bridge")  // IFLA_INFO_SLAVE_KIND
            info.nest(LinkAttribute.infoPortData) { $0.put(LinkAttribute.portIsolated, UInt8(1)) }
        }
        try perform(message, "isolate the port", name)
    }

    /// Makes a macvlan device over `parent` in a namespace.
    package mutating func createMacvlan(
        _ link: EndpointLink, over parent: Int32, mode: MacvlanMode, in namespace: Descriptor
    ) throws(NetlinkError) {
        try create("macvlan", link, over: parent, in: namespace) { $0.put(LinkAttribute.macvlanMode, mode.rawValue) }
    }

    /// The same of an ipvlan device, whose address of the link is always its parent's.
    package mutating func createIPvlan(
        _ link: EndpointLink, over parent: Int32, mode: IPvlanMode, flag: IPvlanFlag = .bridge,
        in namespace: Descriptor
    ) throws(NetlinkError) {
        try create("ipvlan", link, over: parent, in: namespace) { data in
            data.put(LinkAttribute.ipvlanMode, mode.rawValue)
            data.put(LinkAttribute.ipvlanFlags, flag.rawValue)
        }
    }

    private mutating func create(
        _ kind: String, _ link: EndpointLink, over parent: Int32, in namespace: Descriptor,
        _ data: (inout NetlinkMessage) -> Void
    ) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .making, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: link.name)
        message.put(LinkAttribute.link, parent)
        message.put(LinkAttribute.namespace, UInt32(bitPattern: namespace.rawValue))
        if let address = link.address { message.put(LinkAttribute.address, address.bytes) }
        if let mtu = link.mtu { message.put(LinkAttribute.mtu, mtu) }
        message.nest(LinkAttribute.info) { info in
            info.put(LinkAttribute.infoKind, text: kind)
            info.nest(LinkAttribute.infoData, data)
        }
        try perform(message, "create \(kind)", link.name)
    }

    /// Makes a device that leads nowhere.
    package mutating func createDummy(_ name: String, alias: String = "") throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .making, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        message.nest(LinkAttribute.info) { $0.put(LinkAttribute.infoKind, text: "dummy") }
        try perform(message, "create dummy", name)
        if !alias.isEmpty { try setAlias(alias, of: name) }
    }

    /// Makes a device of what comes and goes over `parent` with the tag of a VLAN (802.1Q).
    package mutating func createVLAN(
        _ name: String, over parent: Int32, id: UInt16, alias: String = ""
    ) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .making, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        message.put(LinkAttribute.link, parent)
        message.nest(LinkAttribute.info) { info in
            info.put(LinkAttribute.infoKind, text: "vlan")
            info.nest(LinkAttribute.infoData) { $0.put(LinkAttribute.vlanID, id) }
        }
        try perform(message, "create VLAN", name)
        if !alias.isEmpty { try setAlias(alias, of: name) }
    }

    package mutating func deleteLink(_ name: String) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.delete, .acknowledge, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        try perform(message, "delete link", name)
    }

    package mutating func setUp(_ index: Int32, _ isUp: Bool = true) throws(NetlinkError) {
        let message = NetlinkMessage(LinkType.new, .acknowledge, head: LinkHead.bytes(index: index, isUp: isUp))
        try perform(message, isUp ? "set up link" : "set down link", String(index))
    }

    /// Gives a device another name, which it must be down for.
    package mutating func rename(_ index: Int32, to name: String) throws(NetlinkError) {
        var message = NetlinkMessage(LinkType.new, .acknowledge, head: LinkHead.bytes(index: index))
        message.put(LinkAttribute.name, text: name)
        try perform(message, "rename link to", name)
    }

    /// The link of a name; ENODEV where there is none.
    package mutating func link(_ name: String) throws(NetlinkError) -> Link {
        var message = NetlinkMessage(LinkType.get, .acknowledge, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: name)
        guard let link = try messages(message, "read link", name).first.flatMap(Link.init) else {
            throw NetlinkError("read link", name, .noDevice)
        }
        return link
    }

    package mutating func links() throws(NetlinkError) -> [Link] {
        let message = NetlinkMessage(LinkType.get, .dump, head: LinkHead.bytes())
        return try messages(message, "list", "links").compactMap(Link.init)
    }
}

private enum LinkType {
    static let new: UInt16 = 16
    static let delete: UInt16 = 17
    static let get: UInt16 = 18
}

extension NetlinkMessage.Flags {
    static let making: NetlinkMessage.Flags = [.acknowledge, .create, .exclusive]
}

extension NetlinkMessage {
    fileprivate mutating func put(_ peer: EndpointLink, in namespace: Descriptor) {
        // Up by a request of its own, once it has its addresses.
        put(head: LinkHead.bytes())
        put(LinkAttribute.name, text: peer.name)
        put(LinkAttribute.namespace, UInt32(bitPattern: namespace.rawValue))
        if let address = peer.address { put(LinkAttribute.address, address.bytes) }
        if let mtu = peer.mtu { put(LinkAttribute.mtu, mtu) }
    }
}
