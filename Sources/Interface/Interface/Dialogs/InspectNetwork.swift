import EngineAPI

/// A network's sections.
extension InspectScreen {
    init(_ network: NetworkDetails) {
        self.init(
            network.spec.name, id: network.id,
            [
                Section(title: "network", entries: Self.identity(network)),
                Section(title: "addresses", entries: network.spec.pools.flatMap(Self.pool)),
                Section(title: "containers", entries: Self.members(network)),
                Section(title: "options", entries: Self.pairs(network.spec.options)),
                Section(title: "options of its addresses", entries: Self.pairs(network.spec.ipamOptions ?? [:])),
                Section(title: "labels", entries: Self.pairs(network.spec.labels)),
            ])
    }

    private static func identity(_ network: NetworkDetails) -> [(name: String, value: String)] {
        let spec = network.spec
        var entries = [
            ("id", network.id), ("name", spec.name), ("driver", spec.driver),
            ("created", network.createdAt.rfc3339Nano),
            ("internal", spec.isInternal ? "yes: no way out, and none in" : "no"),
            ("IPv6", spec.enablesIPv6 ? "yes" : "no"),
        ]
        if let device = network.hostInterface { entries.append(("device", device)) }
        if spec.ipamDriver != "default" { entries.append(("addresses by", spec.ipamDriver)) }
        return entries
    }

    private static func pool(_ pool: AddressPool) -> [(name: String, value: String)] {
        var entries = [("subnet", pool.subnet)]
        if let range = pool.range, !range.isEmpty { entries.append(("  given out", range)) }
        if let gateway = pool.gateway, !gateway.isEmpty { entries.append(("  gateway", gateway)) }
        return entries + pairs(pool.auxiliary).map { ("  \($0.name)", $0.value) }
    }

    /// `web  172.17.0.2/16  fd00::2/64  02:42:ac:11:00:02`
    private static func members(_ network: NetworkDetails) -> [(name: String, value: String)] {
        network.members.map { id, member in
            let facts = [member.ipv4Address, member.ipv6Address, member.macAddress].filter { !$0.isEmpty }
            return (member.name.isEmpty ? String(id.prefix(12)) : member.name, facts.joined(separator: "  "))
        }.sorted { $0.0 < $1.0 }
    }
}
