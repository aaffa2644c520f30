import Linux

/// By which of a container's networks it reaches the world, by docker's rule; its published ports lead by the same, so
/// that answers go the way by which the question came.
///
/// Of the networks that lead outside that with the highest priority, of equals one of both versions of IP, of equals the
/// first by name. Version 4 and version 6 go by two networks where the better one has addresses of one version alone.
struct DefaultRoute {
    typealias Part = (record: EndpointRecord, network: NetworkDefinition)

    /// Best first.
    private let candidates: [Part]

    init(_ parts: [Part]) {
        candidates = parts.filter { !$0.network.spec.isInternal }.sorted(by: Self.isBetter)
    }

    private static func isBetter(_ left: Part, _ right: Part) -> Bool {
        (left.record.spec.gatewayPriority, left.network.blocks.count, right.network.name)
            > (right.record.spec.gatewayPriority, right.network.blocks.count, left.network.name)
    }

    func part(_ family: IPAddress.Family) -> Part? { candidates.first { $0.network.block(family) != nil } }

    /// The versions of IP whose default route leads by a network.
    func families(by networkID: String) -> Set<IPAddress.Family> {
        Set([IPAddress.Family.v4, .v6].filter { part($0)?.network.id == networkID })
    }

    /// The network that published ports lead by; nil where none leads outside.
    var publisher: String? { (part(.v4) ?? part(.v6))?.network.id }
}
