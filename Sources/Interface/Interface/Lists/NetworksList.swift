import EngineAPI

/// A network, or below it a container that runs in it.
enum NetworkRow: Hashable, Sendable {
    case network(NetworkDetails)
    /// A container in the network above it.
    case member(NetworkDetails, ContainerSummary)

    var network: NetworkDetails {
        switch self {
        case .network(let network), .member(let network, _): network
        }
    }

    var id: String {
        switch self {
        case .network(let network): network.id
        case .member(let network, let container): "\(network.id)/\(container.id)"
        }
    }
}

extension Model {
    /// Each network with its containers; of a network that does not pass the filter, those of its containers that do.
    func networkRows(_ filter: String = "") -> [NetworkRow] {
        let filter = ListFilter(filter)
        let sorted = (networks ?? []).sorted { (NaturalName($0.spec.name), $0.id) < (NaturalName($1.spec.name), $1.id) }
        return sorted.flatMap { network -> [NetworkRow] in
            let members = members(of: network)
            let texts = [network.spec.name, network.spec.driver] + network.spec.pools.map(\.subnet)
            let kept = members.filter {
                filter.passes(texts) ? !filter.leavesOut($0.networkTexts) : filter.passes(texts + $0.networkTexts)
            }
            guard filter.passes(texts) || !kept.isEmpty else { return [] }
            return [.network(network)] + kept.map { .member(network, $0) }
        }
    }

    /// The containers that run in a network: the list of networks does not tell them, that of containers does.
    func members(of network: NetworkDetails) -> [ContainerSummary] {
        containers.all.filter { $0.endpoint(in: network) != nil }
            .sorted { (NaturalName($0.name), $0.id) < (NaturalName($1.name), $1.id) }
    }

    var selectedNetworkRow: NetworkRow? {
        guard let screen = listScreen, screen.kind == .networks else { return nil }
        let rows = networkRows(screen.filter)
        return rows.indices.contains(screen.cursor.index) ? rows[screen.cursor.index] : nil
    }

    /// What goes through a container's device of a network; nil where there was no second sample yet.
    ///
    /// A container's devices are numbered in the order in which it joined its networks, which is the list's.
    func traffic(of container: ContainerSummary, in network: NetworkDetails) -> NetworkRate? {
        guard let rates = stats.histories[container.id]?.networkRates, !rates.isEmpty else { return nil }
        let joined = container.networks.filter { !$0.endpointID.isEmpty }
        let devices = rates.keys.sorted { ($0.count, $0) < ($1.count, $1) }
        guard let place = joined.firstIndex(where: { $0.networkID == network.id }), joined.count == devices.count
        else { return rates.values.reduce(NetworkRate()) { $0 + $1 } }
        return rates[devices[place]]
    }

    func networkTable(_ filter: String, width: Int) -> ListTable {
        let rate = width < 60 ? 0 : 10
        let name = max(8, min(24, width / 4))
        let detail = max(8, min(40, (width - name - 2 * rate) / 2))
        let rest = max(0, width - name - detail - 2 - 2 * (rate + 1))
        return ListTable(
            title: "networks · \(networks?.count ?? 0)",
            columns: [
                ListColumn("NAME", name), ListColumn("SUBNET, ADDRESS", detail), ListColumn("DRIVER, PORTS", rest),
                ListColumn("IN", rate, isRight: true), ListColumn("OUT", rate, isRight: true),
            ], rows: networkRows(filter).map(tableRow), empty: "asking the engine…")
    }

    private func tableRow(_ row: NetworkRow) -> ListTable.Row {
        switch row {
        case .network(let network):
            let rates = members(of: network).compactMap { traffic(of: $0, in: network) }
            let sum = rates.isEmpty ? nil : rates.reduce(NetworkRate()) { $0 + $1 }
            return ListTable.Row(
                id: row.id,
                texts: [
                    network.spec.name, network.spec.pools.map(\.subnet).joined(separator: " "),
                    network.spec.driver + (network.spec.isInternal ? ", internal" : ""),
                    Quantity.rate(sum?.receivedBytes),
                    Quantity.rate(sum?.sentBytes),
                ])
        case .member(let network, let member):
            let rate = traffic(of: member, in: network)
            let endpoint = member.endpoint(in: network)
            let addresses = [endpoint?.ipv4Address, endpoint?.ipv6Address].compactMap { $0 }.filter { !$0.isEmpty }
            return ListTable.Row(
                id: row.id,
                texts: [
                    "  \(member.name)", addresses.joined(separator: " "), member.portText,
                    Quantity.rate(rate?.receivedBytes), Quantity.rate(rate?.sentBytes),
                ], roles: [.stateRunning])
        }
    }
}

extension ContainerSummary {
    /// Its part in a network, while it runs.
    func endpoint(in network: NetworkDetails) -> EndpointDetails? {
        networks.first { $0.networkID == network.id && !$0.endpointID.isEmpty }
    }

    /// What a filter of networks looks at.
    fileprivate var networkTexts: [String] {
        [name, portText] + networks.flatMap { [$0.ipv4Address, $0.ipv6Address] }
    }
}
