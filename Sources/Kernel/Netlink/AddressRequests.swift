import Linux

/// An address of a device.
package struct LinkAddress: Hashable, Sendable {
    package var linkIndex: Int32
    package var address: IPAddress
    package var prefixLength: Int

    init?(_ message: ArraySlice<UInt8>) {
        guard message.count >= 8 else { return nil }
        let attributes = NetlinkAttributes(message.dropFirst(8))
        // Of a point-to-point link IFA_ADDRESS is the other side's.
        guard let address = attributes.address(2) ?? attributes.address(1) else { return nil }
        linkIndex = message.number(at: 4)
        self.address = address
        prefixLength = Int(message[message.startIndex + 1])
    }
}

extension NetlinkSocket {
    /// Gives a device an address, at once usable: one of version 6 is not looked for in the network first.
    package mutating func addAddress(
        _ address: IPAddress, prefixLength: Int, to linkIndex: Int32
    ) throws(NetlinkError) {
        var message = NetlinkMessage(20, .making, head: Self.head(address, prefixLength, linkIndex))
        message.put(2, address.bytes)
        message.put(1, address.bytes)
        let subnet = Subnet(containing: address, prefixLength: prefixLength)
        if let broadcast = subnet?.broadcast { message.put(4, broadcast.bytes) }
        if address.family == .v6 { message.put(8, UInt32(0x02)) }  // IFA_FLAGS: IFA_F_NODAD
        try perform(message, "add address", "\(address)/\(prefixLength)")
    }

    package mutating func deleteAddress(
        _ address: IPAddress, prefixLength: Int, from linkIndex: Int32
    ) throws(NetlinkError) {
        var message = NetlinkMessage(21, .acknowledge, head: Self.head(address, prefixLength, linkIndex))
        message.put(2, address.bytes)
        try perform(message, "delete address", "\(address)/\(prefixLength)")
    }

    /// The addresses of all devices, or of one.
    package mutating func addresses(of linkIndex: Int32? = nil) throws(NetlinkError) -> [LinkAddress] {
        var head = [UInt8](repeating: 0, count: 4)
        head.put(linkIndex ?? 0)
        let found = try messages(NetlinkMessage(22, .dump, head: head), "list", "addresses")
            .compactMap(LinkAddress.init)
        // A kernel without strict dumps gives those of all.
        return linkIndex.map { index in found.filter { $0.linkIndex == index } } ?? found
    }

    /// struct ifaddrmsg.
    private static func head(_ address: IPAddress, _ prefixLength: Int, _ linkIndex: Int32) -> [UInt8] {
        var head: [UInt8] = [address.family.rawValue, UInt8(prefixLength), 0, 0]
        head.put(linkIndex)
        return head
    }
}
