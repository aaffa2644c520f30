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
    case member(NetworkDetails, containerID: String, NetworkMember)

    var network: NetworkDetails {
        switch self {
        case .network(let network), .member(let network, _, _): network
        }
    }
}

extension Model {
    var networkRows: [NetworkRow] {
        (networks ?? []).flatMap { network in
            [.network(network)]
                + network.members.sorted { ($0.value.name, $0.key) < ($1.value.name, $1.key) }
                .map { .member(network, containerID: $0.key, $0.value) }
        }
    }

    var selectedNetworkRow: NetworkRow? {
        guard case .networks(let screen)? = dialogs.last else { return nil }
        let rows = networkRows
        return rows.indices.contains(screen.selection) ? rows[screen.selection] : nil
    }

    /// What goes through a container's device of a network; nil where there was no second sample yet.
    ///
    /// A container's devices are numbered in the order in which it joined its networks, which is the list's.
    func traffic(of containerID: String, in network: NetworkDetails) -> NetworkRate? {
        guard let rates = stats.histories[containerID]?.networkRates, !rates.isEmpty else { return nil }
        let joined = container(containerID)?.networks.filter { !$0.endpointID.isEmpty } ?? []
        let devices = rates.keys.sorted { ($0.count, $0) < ($1.count, $1) }
        guard let place = joined.firstIndex(where: { $0.networkID == network.id }), joined.count == devices.count
        else { return rates.values.reduce(NetworkRate()) { $0 + $1 } }
        return rates[devices[place]]
    }
}
