import EngineAPI
import Linux

/// Which addresses of which network are given out: a value that decides and touches nothing.
///
/// Addresses are chosen in ascending order and from the beginning again, so that one that has just become free is the
/// last to be given to somebody else: neighbours have forgotten its former holder then.
package struct AddressBook: Hashable, Sendable {
    private struct Page: Hashable, Sendable {
        var taken: Set<IPAddress> = []
        var last: [IPAddress.Family: IPAddress] = [:]
    }

    private var pages: [String: Page] = [:]

    package init() {}

    /// Notes an address that is in use already.
    package mutating func note(_ address: IPAddress, in network: NetworkDefinition) {
        pages[network.id, default: Page()].taken.insert(address)
    }

    package mutating func release(_ address: IPAddress, in networkID: String) {
        pages[networkID]?.taken.remove(address)
    }

    package mutating func forget(_ networkID: String) { pages[networkID] = nil }

    package func isTaken(_ address: IPAddress, in networkID: String) -> Bool {
        pages[networkID]?.taken.contains(address) ?? false
    }

    /// Gives out the address that was asked for.
    ///
    /// - Throws: `invalid` for one that is not the network's to give, `conflict` for one in use.
    package mutating func take(_ address: IPAddress, in network: NetworkDefinition) throws(EngineError) {
        guard let block = network.block(address.family), block.subnet.contains(address) else {
            throw EngineError(
                .invalid, "invalid address \(address): It does not belong to any of this network's subnets")
        }
        guard block.isUsable(address), pages[network.id]?.taken.contains(address) != true else {
            throw EngineError(.conflict, "Address already in use", object: "\(address)")
        }
        note(address, in: network)
    }

    /// Gives out an address of a family: the preferred one where that is free, else the next.
    ///
    /// - Throws: `unavailable` where none is left.
    package mutating func next(
        _ family: IPAddress.Family, in network: NetworkDefinition, preferring preferred: IPAddress? = nil
    ) throws(EngineError) -> IPAddress {
        guard let block = network.block(family) else {
            throw EngineError(.internal, "network \(network.name) has no addresses of that family")
        }
        var page = pages[network.id] ?? Page()
        if let preferred, block.subnet.contains(preferred), block.isUsable(preferred), !page.taken.contains(preferred) {
            page.taken.insert(preferred)
            pages[network.id] = page
            return preferred
        }
        var candidate = page.last[family].flatMap { $0.advanced(by: 1) } ?? block.range.base
        // As many steps as can be met by addresses that are taken or nobody's, and one.
        for _ in 0...(page.taken.count + block.auxiliary.count + 4) {
            if !block.range.contains(candidate) { candidate = block.range.base }
            if block.isUsable(candidate), !page.taken.contains(candidate) {
                page.taken.insert(candidate)
                page.last[family] = candidate
                pages[network.id] = page
                return candidate
            }
            candidate = candidate.advanced(by: 1) ?? block.range.base
        }
        throw EngineError(
            .unavailable,
            "no available IPv\(family == .v4 ? 4 : 6) addresses on this network's address pools: \(network.name) "
                + "(\(network.id))", object: network.name)
    }
}

extension NetworkDefinition.Block {
    /// Not the subnet's own, nor everybody's, nor somebody else's.
    fileprivate func isUsable(_ address: IPAddress) -> Bool {
        let isEdge = subnet.broadcast != nil && (address == subnet.base || address == subnet.broadcast)
        let isZero = subnet.family == .v6 && subnet.prefixLength < 127 && address == subnet.base
        return !isEdge && !isZero && address != gateway && !auxiliary.values.contains(address)
    }
}
