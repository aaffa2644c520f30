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
}
