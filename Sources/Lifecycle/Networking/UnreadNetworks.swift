import EngineAPI

/// Networks and containers' parts in them of which no more than the keys can be read, since a later version may have
/// written them. What belongs to them is nobody's to remove.
package struct UnreadNetworks: Hashable, Sendable {
    /// Names by id.
    package var networks: [String: String]
    /// By container, the ids of the networks that it is part of in a way that is not known.
    package var memberships: [String: [String]]

    package init(networks: [String: String] = [:], memberships: [String: [String]] = [:]) {
        self.networks = networks
        self.memberships = memberships
    }

    var isEmpty: Bool { networks.isEmpty && memberships.isEmpty }

    /// The name of the network that a name, an id or the beginning of an id means.
    fileprivate func name(_ reference: String) -> String? {
        if let name = networks[reference] { return name }
        if reference.isEmpty { return nil }
        if networks.values.contains(reference) { return reference }
        return networks.first { $0.key.hasPrefix(reference) }?.value
    }
}

extension NetworkService {
    /// Why a network is not to be had: there is none, or what is kept of it cannot be read.
    func missing(_ reference: String) -> EngineError {
        guard let name = unread.name(reference) else {
            return EngineError(.notFound, "network \(reference) not found", object: reference)
        }
        return EngineError(
            .internal, "what is kept of network \(name) cannot be read by this version of the engine", object: reference
        )
    }

    /// A network's name is taken also where no more than the name is known of it.
    func checkUnread(_ name: String) throws(EngineError) {
        guard unread.networks.values.contains(name) else { return }
        throw EngineError(.conflict, "network with name \(name) already exists", object: name)
    }

    /// A container that would start without a network, or with other addresses than its own, for want of a word about
    /// it is not started.
    ///
    /// - Throws: `internal` where its part in a network cannot be read.
    func checkMembership(_ containerID: String) throws(EngineError) {
        guard let id = unread.memberships[containerID]?.min() else { return }
        let network = definitions[id]?.name ?? unread.networks[id] ?? id
        throw EngineError(
            .internal,
            "failed to set up container networking: what is kept of the container's part in network \(network) cannot "
                + "be read by this version of the engine", object: containerID)
    }
}
