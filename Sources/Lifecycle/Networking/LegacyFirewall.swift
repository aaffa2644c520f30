import Glibc
import Linux

/// The chain FORWARD of the filter before nftables, which iptables-legacy(8) sets and nftables does not tell of:
/// struct ipt_entry and ip6t_entry in a row, as IPT_SO_GET_ENTRIES gives them. What it drops is dropped, whatever our
/// table says.
struct LegacyForwardChain: Hashable, Sendable {
    let family: IPAddress.Family
    /// What passes all of its rules is dropped.
    var dropsTheRest = false
    /// Besides the policy.
    var ruleCount = 0
    /// The devices that rules are about, as they are written: `docker0`, `br-+`.
    var devices: Set<String> = []

    /// - Parameters:
    ///   - table: the entries of a whole table.
    ///   - first: where the chain begins.
    ///   - policy: where its policy is, which is the last entry.
    /// - Returns: nil where that is no table.
    init?(_ family: IPAddress.Family, table: [UInt8], first: Int, policy: Int) {
        self.family = family
        // Where in an entry the devices' names are, and the distances to its target and to the next entry.
        let (names, distances) = family == .v4 ? (16, 88) : (64, 140)
        var place = first
        while place < policy {
            guard place >= 0, place + distances + 4 <= table.count else { return nil }
            for name in [place + names, place + names + 16] {
                let text = String(decoding: table[name..<name + 16].prefix { $0 != 0 }, as: UTF8.self)
                if !text.isEmpty { devices.insert(text) }
            }
            let next = Int(table[place + distances + 2]) | Int(table[place + distances + 3]) << 8
            guard next > 0 else { return nil }
            ruleCount += 1
            place += next
        }
        guard place == policy, place + distances + 2 <= table.count else { return nil }
        let target = place + (Int(table[place + distances]) | Int(table[place + distances + 1]) << 8)
        // struct xt_standard_target: the verdict follows 32 bytes of head; -1 drops (-NF_DROP - 1).
        guard target + 36 <= table.count else { return nil }
        dropsTheRest = table[target + 32..<target + 36].allSatisfy { $0 == 0xFF }
    }

    /// What is the matter for a bridge, and what helps; nil where packets pass, as far as that can be seen.
    func warning(_ link: String, network: String) -> String? {
        let isNamed = devices.contains { $0 == link || $0.hasSuffix("+") && link.hasPrefix($0.dropLast()) }
        guard dropsTheRest, !isNamed else { return nil }
        let program = family == .v4 ? "iptables-legacy" : "ip6tables-legacy"
        let remedy = ["-i", "-o"].map { "\(program) -I FORWARD \($0) \(link) -j ACCEPT" }.joined(separator: "; ")
        return "chain FORWARD of \(program) drops what is forwarded: network \(network) (\(link)) reaches no other "
            + "machine, none reaches it, until: \(remedy)"
    }

    /// The chain of the calling thread's network; nil where nobody has used that filter. Blocking.
    static func read(_ family: IPAddress.Family) throws(KernelError) -> LegacyForwardChain? {
        let file = family == .v4 ? "ip_tables_names" : "ip6_tables_names"
        // Where the module is not loaded there is no such file; and to ask for a table is to make it.
        let names = (try? FileContents.read("/proc/thread-self/net/\(file)", limitBytes: 4096)) ?? []
        guard String(decoding: names, as: UTF8.self).split(separator: "\n").contains("filter") else { return nil }
        let socket = OwnedDescriptor(
            Descriptor(
                rawValue: try kernelCall("open a raw socket") {
                    // SOCK_RAW, SOCK_CLOEXEC; IPPROTO_RAW.
                    Glibc.socket(family == .v4 ? AF_INET : AF_INET6, 3 | 0x80000, 255)
                }))
        let level: Int32 = family == .v4 ? 0 : 41
        // struct ipt_getinfo: name, valid_hooks, hook_entry[5], underflow[5], num_entries, size; FORWARD is hook 2.
        let info = try ask(socket.descriptor, level, 64, table: "filter", byteCount: 84)
        func number(_ place: Int) -> Int { info[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) } }
        let size = number(80)
        // struct ipt_get_entries: name, size, and from byte 40 on the entries.
        let table = try ask(socket.descriptor, level, 65, table: "filter", size: size, byteCount: 40 + size)
        return LegacyForwardChain(family, table: Array(table[40...]), first: number(44), policy: number(64))
    }

    private static func ask(
        _ socket: Descriptor, _ level: Int32, _ option: Int32, table: String, size: Int = 0, byteCount: Int
    ) throws(KernelError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: byteCount)
        buffer.replaceSubrange(0..<table.utf8.count, with: Array(table.utf8))
        if size > 0 { for byte in 0..<4 { buffer[32 + byte] = UInt8(truncatingIfNeeded: size >> (8 * byte)) } }
        var length = socklen_t(byteCount)
        try kernelCall("read the rules of", "iptables-legacy") {
            getsockopt(socket.rawValue, level, option, &buffer, &length)
        }
        return buffer
    }
}
