import Linux

/// Of a socket of `.filter`.
extension NetlinkSocket {
    /// How often the packet filter of the socket's network namespace was changed, by whomever: each change that is made at
    /// once counts one. NFT_MSG_GETGEN of NFNL_SUBSYS_NFTABLES.
    package mutating func filterGeneration() throws(NetlinkError) -> UInt32 {
        let request = NetlinkMessage(0xA10, .acknowledge, head: [0, 0, 0, 0])
        let answers = try messages(request, "ask for", "the packet filter's generation")
        // struct nfgenmsg has four bytes; NFTA_GEN_ID is in the network's order.
        guard let answer = answers.first, answer.count >= 4, let bytes = NetlinkAttributes(answer.dropFirst(4))[1]
        else {
            throw NetlinkError("ask for", "the packet filter's generation", .inputOutput, detail: "")
        }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The number that the kernel has given to a table of the inet family: one that is made anew has another. 0 where the
    /// kernel gives none, nil where there is no such table. NFT_MSG_GETTABLE.
    package mutating func filterTable(_ name: String) throws(NetlinkError) -> UInt64? {
        // NFPROTO_INET
        var request = NetlinkMessage(0xA01, .acknowledge, head: [1, 0, 0, 0])
        request.put(1, text: name)
        do throws(NetlinkError) {
            let answers = try messages(request, "look for the packet filter's table", name)
            guard let answer = answers.first, answer.count >= 4 else { return nil }
            // NFTA_TABLE_HANDLE
            return NetlinkAttributes(answer.dropFirst(4))[4]?.reduce(0) { $0 << 8 | UInt64($1) } ?? 0
        } catch  where error.errno == .noSuchFile { return nil }
    }
}
