import Linux

/// A route of the main table, as far as it matters which addresses are taken and where packets leave.
package struct Route: Hashable, Sendable {
    package var destination: Subnet
    package var gateway: IPAddress?
    package var linkIndex: Int32?

    fileprivate init?(_ message: ArraySlice<UInt8>) {
        // struct rtmsg: family, destination's length, …, table, protocol, scope, type.
        guard message.count >= 12, let family = IPAddress.Family(rawValue: message[message.startIndex]) else {
            return nil
        }
        let attributes = NetlinkAttributes(message.dropFirst(12))
        let table: UInt32 = attributes.number(15) ?? UInt32(message[message.startIndex + 4])
        // RT_TABLE_MAIN; RTN_UNICAST.
        guard table == 254, message[message.startIndex + 7] == 1 else { return nil }
        let base = attributes.address(1) ?? IPAddress(family, 0)
        guard let destination = Subnet(containing: base, prefixLength: Int(message[message.startIndex + 1])) else {
            return nil
        }
        self.destination = destination
        gateway = attributes.address(5)
        linkIndex = attributes.number(4)
    }
}

extension NetlinkSocket {
    /// Sends packets to a subnet through a gateway, or out of a device where none is given.
    ///
    /// - Parameter priority: the smaller wins; nil for the kernel's own.
    package mutating func addRoute(
        to destination: Subnet, gateway: IPAddress?, linkIndex: Int32, priority: UInt32? = nil
    ) throws(NetlinkError) {
        let message = Self.message(24, .making, destination, gateway, linkIndex, priority)
        try perform(message, "add route to", "\(destination)")
    }

    /// The same, in the place of the route to that subnet that is there.
    package mutating func setRoute(
        to destination: Subnet, gateway: IPAddress?, linkIndex: Int32
    ) throws(NetlinkError) {
        let message = Self.message(24, [.acknowledge, .create, .replace], destination, gateway, linkIndex, nil)
        try perform(message, "set route to", "\(destination)")
    }

    package mutating func deleteRoute(
        to destination: Subnet, gateway: IPAddress?, linkIndex: Int32
    ) throws(NetlinkError) {
        let message = Self.message(25, .acknowledge, destination, gateway, linkIndex, nil)
        try perform(message, "delete route to", "\(destination)")
    }

    package mutating func routes(_ family: IPAddress.Family) throws(NetlinkError) -> [Route] {
        let head = [family.rawValue] + [UInt8](repeating: 0, count: 11)
        return try messages(NetlinkMessage(26, .dump, head: head), "list", "routes").compactMap(Route.init)
    }

    private static func message(
        _ type: UInt16, _ flags: NetlinkMessage.Flags, _ destination: Subnet, _ gateway: IPAddress?,
        _ linkIndex: Int32, _ priority: UInt32?
    ) -> NetlinkMessage {
        let scope: UInt8 = gateway == nil && destination.family == .v4 ? 253 : 0
        // Main table, RTPROT_STATIC, RTN_UNICAST.
        var head: [UInt8] = [destination.family.rawValue, UInt8(destination.prefixLength), 0, 0, 254, 4, scope, 1]
        head.put(UInt32(0))
        var message = NetlinkMessage(type, flags, head: head)
        if destination.prefixLength > 0 { message.put(1, destination.base.bytes) }
        message.put(4, linkIndex)
        if let gateway { message.put(5, gateway.bytes) }
        if let priority { message.put(6, priority) }
        return message
    }
}
