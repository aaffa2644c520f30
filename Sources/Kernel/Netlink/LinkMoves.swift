import Linux

/// An address that nobody's lease ends and that means the same everywhere, as a device in another namespace can be
/// given it: RFC 3549's IFA_F_PERMANENT and RT_SCOPE_UNIVERSE.
package struct PermanentAddress: Hashable, Sendable {
    private let family: UInt8
    private let prefixLength: UInt8
    /// By type, all that the kernel told and takes again.
    private let attributes: [UInt16: [UInt8]]

    /// Nil for other addresses.
    init?(_ message: ArraySlice<UInt8>, of linkIndex: Int32) {
        guard message.count >= 8, message.number(at: 4) as Int32 == linkIndex else { return nil }
        let known = NetlinkAttributes(message.dropFirst(8))
        // IFA_FLAGS has what the head's byte is too short for; IFA_F_PERMANENT is 0x80.
        let flags: UInt32 = known.number(8) ?? UInt32(message[message.startIndex + 2])
        guard flags & 0x80 != 0, message[message.startIndex + 3] == 0 else { return nil }
        family = message[message.startIndex]
        prefixLength = message[message.startIndex + 1]
        var attributes: [UInt16: [UInt8]] = [:]
        // IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_RT_PRIORITY, IFA_PROTO; not the label, which has the device's name.
        for type in [1, 2, 4, 9, 11] as [UInt16] { attributes[type] = known[type].map { Array($0) } }
        // IFA_F_NODAD, IFA_F_HOMEADDRESS, IFA_F_MANAGETEMPADDR, IFA_F_NOPREFIXROUTE, IFA_F_MCAUTOJOIN: what was asked
        // for. The others are the kernel's to tell.
        var asked: [UInt8] = []
        asked.put(flags & 0x712)
        attributes[8] = asked
        self.attributes = attributes
    }

    fileprivate func request(for linkIndex: Int32) -> NetlinkMessage {
        var head: [UInt8] = [family, prefixLength, 0, 0]
        head.put(linkIndex)
        var message = NetlinkMessage(20, [.acknowledge, .create, .replace], head: head)
        for (type, data) in attributes.sorted(by: { $0.key < $1.key }) { message.put(type, data) }
        return message
    }
}

extension NetlinkSocket {
    /// Gives a device to another network namespace under a name there, in one step. It is down then, and has no address.
    package mutating func move(
        _ index: Int32, to namespace: Descriptor, as name: String
    ) throws(NetlinkError) {
        var message = NetlinkMessage(16, .acknowledge, head: LinkHead.bytes(index: index))
        message.put(LinkAttribute.name, text: name)
        message.put(LinkAttribute.namespace, UInt32(bitPattern: namespace.rawValue))
        try perform(message, "move link to the namespace as", name)
    }

    /// Takes a device down, out of its bridge and into a group, under another name. Each of it takes the kernel a fraction of
    /// a millisecond; to delete a device takes it 10 to 25, with all other changes of links waiting.
    package mutating func retire(_ index: Int32, as name: String, group: UInt32) throws(NetlinkError) {
        var message = NetlinkMessage(16, .acknowledge, head: LinkHead.bytes(index: index, isUp: false))
        message.put(LinkAttribute.master, UInt32(0))
        message.put(LinkAttribute.group, group)
        try perform(message, "retire link", String(index))
        // By a request of its own: kernels before 6.2 rename nothing that is up.
        try rename(index, to: name)
    }

    /// Deletes all devices of a group at once, which takes no longer than to delete one; none is no failure.
    package mutating func deleteLinks(ofGroup group: UInt32) throws(NetlinkError) {
        var message = NetlinkMessage(17, .acknowledge, head: LinkHead.bytes())
        message.put(LinkAttribute.group, group)
        do throws(NetlinkError) {
            try perform(message, "delete links of group", String(group))
        } catch  where error.errno == .noDevice {
            // There are none.
        }
    }

    package mutating func permanentAddresses(of linkIndex: Int32) throws(NetlinkError) -> [PermanentAddress] {
        var head = [UInt8](repeating: 0, count: 4)
        head.put(linkIndex)
        return try messages(NetlinkMessage(22, .dump, head: head), "list", "addresses")
            .compactMap { PermanentAddress($0, of: linkIndex) }
    }

    package mutating func add(_ address: PermanentAddress, to linkIndex: Int32) throws(NetlinkError) {
        try perform(address.request(for: linkIndex), "add an address to link", String(linkIndex))
    }
}
