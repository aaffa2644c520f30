import Glibc
import Linux
import Netlink
import Networking

/// Takes away what an engine on a root of its own leaves on the host for its next start: its bridges, and its table of
/// the packet filter.
package enum NetworkRemains {
    /// What there is of an engine and of containers: links by their names, and ports that are published by rules.
    package static func list(root: String, containers: [String]) -> [String] {
        do {
            var netlink = try NetlinkSocket()
            let prefixes = containers.map { "gv" + $0.prefix(6) }
            let links = try netlink.links().filter { link in
                link.alias == "gantry \(root)/data" || prefixes.contains { link.name.hasPrefix($0) }
            }
            let table = FirewallRules(table: "gantry_\(suffix(root))").table
            let rules = try PacketFilter().run("list table inet \(table)")
            // Elements of the maps: `tcp . 32768 : 172.18.0.2 . 7`.
            let ports = rules.split(separator: "\n").filter { $0.contains(" : ") && $0.contains("elements") }
            return links.map(\.name) + ports.map(String.init)
        } catch { return ["\(root): list networks: \(error)"] }
    }

    private static func suffix(_ root: String) -> String {
        let hash = root.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// - Parameter root: what the engine got as `--root`.
    package static func remove(root: String) {
        do {
            var netlink = try NetlinkSocket()
            let links = try netlink.links()
            let bridges = links.filter { $0.alias == "gantry \(root)/data" }
            // A connection that nobody closed keeps its namespace for a minute, and that its device.
            for port in links where bridges.contains(where: { $0.index == port.master }) {
                try? netlink.deleteLink(port.name)  // Gone meanwhile, with its namespace.
            }
            for bridge in bridges { try netlink.deleteLink(bridge.name) }
            // Networks that a test has removed leave the table that they were in.
            let (filter, rules) = (PacketFilter(), FirewallRules(table: "gantry_\(suffix(root))"))
            if try filter.run("list tables inet").contains(rules.table) { try filter.run(rules.deletion) }
        } catch { print("note: \(root): remove networks: \(error)") }
    }
}
