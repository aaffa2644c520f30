import CLinux
import Linux

/// What the kernel tells of changes of the packet filter as they are made, by whomever: NFNLGRP_NFTABLES.
package struct FilterNews: Sendable {
    private let table: String
    /// Since the last generation began.
    private var hasLostPart = false
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// - Parameter table: of the inet family, the one that is of interest.
    package init(of table: String) { self.table = table }

    /// A socket that is told, of a namespace's packet filter, nil for the calling thread's; it does not block.
    package static func open(in namespace: Descriptor?) throws(KernelError) -> Descriptor {
        if let namespace { return try NetworkNamespace.run(in: namespace) { () throws(KernelError) in try open() } }
        return try open()
    }

    private static func open() throws(KernelError) -> Descriptor {
        let socket = try NetlinkSocket.open(.filter)
        do throws(KernelError) {
            try kernelCall("listen to the packet filter's changes") { gantry_netlink_join(socket.rawValue, 7) }
            try socket.setNonBlocking()
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    /// Reads one datagram. EAGAIN where none waits.
    ///
    /// - Returns: what the table has lost; that it may be gone, too, where more was told than there was room for.
    package mutating func readLosses(_ socket: Descriptor) throws(KernelError) -> [FilterLoss] {
        let capacity = buffer.count
        let count: Int
        do throws(KernelError) {
            count = try kernelCall("receive") {
                buffer.withUnsafeMutableBytes { gantry_netlink_receive(socket.rawValue, $0.baseAddress, capacity) }
            }
        } catch  where error.errno == .noBufferSpace { return [.table] }
        return count > capacity ? [.table] : losses(in: buffer[..<count])
    }

    mutating func losses(in datagram: ArraySlice<UInt8>) -> [FilterLoss] {
        var losses: [FilterLoss] = []
        var rest = datagram
        while rest.count >= NetlinkMessage.headerByteCount {
            let length = Int(rest.number(at: 0) as UInt32)
            guard length >= NetlinkMessage.headerByteCount, length <= rest.count else { break }
            let body = rest.prefix(length).dropFirst(NetlinkMessage.headerByteCount)
            if let loss = loss(rest.number(at: 4), body) { losses.append(loss) }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return losses
    }

    /// - Parameter body: of a message; struct nfgenmsg first, whose first byte is the family: NFPROTO_INET.
    private mutating func loss(_ type: UInt16, _ body: ArraySlice<UInt8>) -> FilterLoss? {
        guard body.count >= 4 else { return nil }
        let attributes = NetlinkAttributes(body.dropFirst(4))
        switch type {
        case Self.tableDeleted where isOwn(body, attributes): return .table
        case let part where Self.partsDeleted.contains(part) && isOwn(body, attributes): hasLostPart = true
        case Self.generationBegun:
            defer { hasLostPart = false }
            // NFTA_GEN_ID, in the network's order.
            guard hasLostPart, let bytes = attributes[1] else { return nil }
            return .part(generation: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        default: break
        }
        return nil
    }

    /// The table's name is the first attribute of all that is told of a table or of what is in it.
    private func isOwn(_ body: ArraySlice<UInt8>, _ attributes: NetlinkAttributes) -> Bool {
        body.first == 1 && attributes.text(1) == table
    }

    /// NFT_MSG_DELTABLE of NFNL_SUBSYS_NFTABLES.
    private static let tableDeleted: UInt16 = 0xA02
    /// NFT_MSG_DELCHAIN, NFT_MSG_DELRULE, NFT_MSG_DELSET, NFT_MSG_DELSETELEM.
    private static let partsDeleted: Set<UInt16> = [0xA05, 0xA08, 0xA0B, 0xA0E]
    /// NFT_MSG_NEWGEN: what was told before it was one change.
    private static let generationBegun: UInt16 = 0xA0F
}

/// What a table of the packet filter has lost, by whomever.
package enum FilterLoss: Hashable, Sendable {
    /// It was deleted, perhaps to be made anew in the same change.
    case table
    /// Chains, rules, sets or elements, with the change that has begun this generation of the packet filter.
    case part(generation: UInt32)
}
