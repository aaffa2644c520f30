import CLinux
import Linux

/// What the kernel tells of changes of the packet filter as they are made, by whomever: NFNLGRP_NFTABLES.
package struct FilterNews: Sendable {
    private let table: String
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
    /// - Returns: whether the table may have been deleted: it was, by whomever, perhaps to be made anew in the same change;
    ///   or more was told than there was room for.
    package mutating func readDeletion(_ socket: Descriptor) throws(KernelError) -> Bool {
        let capacity = buffer.count
        let count: Int
        do throws(KernelError) {
            count = try kernelCall("receive") {
                buffer.withUnsafeMutableBytes { gantry_netlink_receive(socket.rawValue, $0.baseAddress, capacity) }
            }
        } catch  where error.errno == .noBufferSpace { return true }
        return count > capacity || tellsOfDeletion(buffer[..<count])
    }

    func tellsOfDeletion(_ datagram: ArraySlice<UInt8>) -> Bool {
        var rest = datagram
        while rest.count >= NetlinkMessage.headerByteCount {
            let length = Int(rest.number(at: 0) as UInt32)
            guard length >= NetlinkMessage.headerByteCount, length <= rest.count else { return false }
            let body = rest.prefix(length).dropFirst(NetlinkMessage.headerByteCount)
            // NFT_MSG_DELTABLE; NFPROTO_INET is the first byte of struct nfgenmsg, NFTA_TABLE_NAME the first attribute.
            if rest.number(at: 4) as UInt16 == 0xA02, body.count >= 4, body.first == 1,
                NetlinkAttributes(body.dropFirst(4)).text(1) == table
            {
                return true
            }
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return false
    }
}
