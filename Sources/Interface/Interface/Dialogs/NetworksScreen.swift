import EngineAPI

/// The networks, each with the containers that run in it below it.
struct NetworksScreen: Hashable, Sendable {
    var selection = 0
    var scroll = 0

    mutating func move(_ movement: Movement, count: Int, page: Int) {
        selection = movement.applied(to: selection, count: count, page: page)
        scroll = scrollToShow(selection, from: scroll, count: count, page: page)
    }

    mutating func clamp(count: Int) { selection = min(selection, max(0, count - 1)) }
}

/// A row of the screen.
enum NetworkRow: Hashable, Sendable {
    case network(NetworkDetails)
    /// A container in the network above it.
    case member(NetworkDetails, ContainerSummary)

    var network: NetworkDetails {
        switch self {
        case .network(let network), .member(let network, _): network
        }
    }
}

extension Model {
    var networkRows: [NetworkRow] {
        (networks ?? []).flatMap { network in
            [.network(network)] + members(of: network).map { .member(network, $0) }
        }
    }

    /// The containers that run in a network: the list of networks does not tell them, that of containers does.
    func members(of network: NetworkDetails) -> [ContainerSummary] {
        containers.all.filter { $0.endpoint(in: network) != nil }.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    var selectedNetworkRow: NetworkRow? {
        guard case .networks(let screen)? = dialogs.last else { return nil }
        let rows = networkRows
        return rows.indices.contains(screen.selection) ? rows[screen.selection] : nil
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
}

extension ContainerSummary {
    /// Its part in a network, while it runs.
    func endpoint(in network: NetworkDetails) -> EndpointDetails? {
        networks.first { $0.networkID == network.id && !$0.endpointID.isEmpty }
    }
}
