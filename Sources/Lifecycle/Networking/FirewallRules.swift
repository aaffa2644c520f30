import EngineAPI
import Linux

/// The packet filter's commands: one table of our own, of the inet family, and nothing outside of it.
///
/// ```
/// prerouting, output   to an address of this machine: what the maps of published ports name is sent to its container;
///                      by the shim's hand where it comes from a bridge whose members are kept apart, for the bridge
///                      may take what is sent on at once for one member's packet to another; and where a container asks
///                      for its own port, for a bridge that shows its packets to the filter sends them on itself then,
///                      and none back to where it came from
/// postrouting          what leaves from a container's subnet to elsewhere bears the host's address; so does what comes
///                      back to a bridge by a published port, or from loopback
/// forward              a bridge reaches itself, unless its members are kept apart, who could else go by its own
///                      address as their router; no other bridge, unless by a published port; from outside come answers
///                      and what was published; internal networks neither send nor receive; where the machine forwards
///                      only because an engine needed it, nothing passes that is neither from nor to a bridge or a veth
///                      (other engines', libvirt's, lxc's): a laptop must not lead its neighbours into its VPN
/// raw                  nobody on a bridge speaks to the host's loopback, though `route_localnet` lets the host do the
///                      reverse
/// ```
package struct FirewallRules: Hashable, Sendable {
    /// The table's name.
    package let table: String

    package init(table: String) { self.table = table }

    /// All there is to be, in one transaction; what was there goes.
    ///
    /// - Parameter families: of which the machine is not to forward what is no container's.
    package func whole(
        _ networks: [NetworkDefinition], _ endpoints: [EndpointRecord], closing families: Set<IPAddress.Family> = []
    ) -> String {
        let bridges = networks.filter { $0.driver == .bridge }
        return """
            add table inet \(table)
            delete table inet \(table)
            table inet \(table) {
            \(sets(bridges))
            \(chains(closing: families))
            }
            \(endpoints.map(adding).joined())
            """
    }

    package var deletion: String { "add table inet \(table)\ndelete table inet \(table)\n" }

    /// A network more.
    package func adding(_ network: NetworkDefinition) -> String { elements("add", network) }

    package func removing(_ network: NetworkDefinition) -> String { elements("delete", network) }

    /// A container's published ports; empty where it has none.
    package func adding(_ endpoint: EndpointRecord) -> String { elements("add", endpoint) }

    package func removing(_ endpoint: EndpointRecord) -> String { elements("delete", endpoint) }

    private func elements(_ verb: String, _ network: NetworkDefinition) -> String {
        guard network.driver == .bridge else { return "" }
        var lines = ["\(verb) element inet \(table) bridges { \"\(network.linkName)\" }"]
        lines.append("\(verb) element inet \(table) same { \"\(network.linkName)\" . \"\(network.linkName)\" }")
        if network.isolatesMembers {
            lines.append("\(verb) element inet \(table) apart { \"\(network.linkName)\" }")
        }
        if network.spec.isInternal {
            lines.append("\(verb) element inet \(table) internal { \"\(network.linkName)\" }")
        }
        for block in network.blocks where network.masquerades {
            lines.append("\(verb) element inet \(table) subnets\(block.subnet.family.digit) { \(block.subnet) }")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func elements(_ verb: String, _ endpoint: EndpointRecord) -> String {
        var lines: [String] = []
        // A port that is published at several addresses of the host is one to the container itself.
        var asked: Set<String> = []
        for published in endpoint.ports {
            // A port of version 6 whose container has no such address is the proxy's.
            let target = published.hostAddress.family == .v4 ? endpoint.ipv4 : endpoint.ipv6
            guard let target else { continue }
            let family = target.family.digit
            let isAny = published.hostAddress.isUnspecified
            let address = isAny ? "" : " . \(published.hostAddress)"
            let key = "\(published.port.transport.rawValue)\(address) . \(published.hostPort)"
            let value = verb == "add" ? " : \(target) . \(published.port.number)" : ""
            lines.append("\(verb) element inet \(table) \(isAny ? "any" : "one")\(family) { \(key)\(value) }\n")
            let own = "own\(family) { \(published.port.transport.rawValue) . \(target) . \(published.hostPort) }"
            if asked.insert(own).inserted { lines.append("\(verb) element inet \(table) \(own)\n") }
        }
        return lines.joined()
    }

    private func sets(_ bridges: [NetworkDefinition]) -> String {
        let names = bridges.map { "\"\($0.linkName)\"" }
        let blocks = bridges.filter(\.masquerades).flatMap(\.blocks).map(\.subnet)
        return [
            set("bridges", "ifname", names), set("same", "ifname . ifname", names.map { "\($0) . \($0)" }),
            set("internal", "ifname", bridges.filter(\.spec.isInternal).map { "\"\($0.linkName)\"" }),
            set("apart", "ifname", bridges.filter(\.isolatesMembers).map { "\"\($0.linkName)\"" }),
            set("subnets4", "ipv4_addr", blocks.filter { $0.family == .v4 }.map(\.description), isInterval: true),
            set("subnets6", "ipv6_addr", blocks.filter { $0.family == .v6 }.map(\.description), isInterval: true),
            map("any4", "inet_proto . inet_service", "ipv4_addr"),
            map("one4", "inet_proto . ipv4_addr . inet_service", "ipv4_addr"),
            map("any6", "inet_proto . inet_service", "ipv6_addr"),
            map("one6", "inet_proto . ipv6_addr . inet_service", "ipv6_addr"),
            set("own4", "inet_proto . ipv4_addr . inet_service", []),
            set("own6", "inet_proto . ipv6_addr . inet_service", []),
        ].joined(separator: "\n")
    }

    private func set(_ name: String, _ type: String, _ elements: [String], isInterval: Bool = false) -> String {
        let flags = isInterval ? " flags interval;" : ""
        let list = elements.isEmpty ? "" : " elements = { \(elements.joined(separator: ", ")) }"
        return "set \(name) { type \(type);\(flags)\(list) }"
    }

    private func map(_ name: String, _ key: String, _ address: String) -> String {
        "map \(name) { type \(key) : \(address) . inet_service; }"
    }

    private func chains(closing families: Set<IPAddress.Family>) -> String {
        // A device without a kind, as a network card is, does not match `iifkind` at all.
        let shut = families.sorted { $0.digit < $1.digit }.map {
            """
            meta nfproto ipv\($0.digit) meta iifkind { "bridge", "veth" } accept
            meta nfproto ipv\($0.digit) meta oifkind { "bridge", "veth" } accept
            meta nfproto ipv\($0.digit) ct state established,related accept
            meta nfproto ipv\($0.digit) drop
            """
        }
        return """
            chain published {
                dnat ip to meta l4proto . ip daddr . th dport map @one4
                dnat ip to meta l4proto . th dport map @any4
                dnat ip6 to meta l4proto . ip6 daddr . th dport map @one6
                dnat ip6 to meta l4proto . th dport map @any6
            }
            chain raw {
                type filter hook prerouting priority raw; policy accept;
                iifname @bridges ip daddr 127.0.0.0/8 drop
            }
            chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                ip daddr 127.0.0.0/8 return
                iifname @apart return
                meta l4proto . ip saddr . th dport @own4 return
                meta l4proto . ip6 saddr . th dport @own6 return
                fib daddr type local jump published
            }
            chain output {
                type nat hook output priority -100; policy accept;
                ip6 daddr ::1 return
                fib daddr type local jump published
            }
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr @subnets4 oifname != @bridges masquerade
                ip6 saddr @subnets6 oifname != @bridges masquerade
                oifname @bridges iifname @bridges ct status dnat masquerade
                oifname @bridges ip saddr 127.0.0.0/8 masquerade
            }
            chain forward {
                type filter hook forward priority filter; policy accept;
                iifname @apart oifname @apart drop
                iifname . oifname @same accept
                iifname @internal drop
                oifname @internal drop
                oifname @bridges ct state established,related accept
                oifname @bridges ct status dnat accept
                oifname @bridges drop
                \(shut.joined(separator: "\n"))
            }
            """
    }
}

extension IPAddress.Family {
    fileprivate var digit: Int { self == .v4 ? 4 : 6 }
}
