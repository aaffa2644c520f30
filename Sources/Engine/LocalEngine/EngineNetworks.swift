import EngineAPI
import Lifecycle
import Linux
import Networking

/// Networks.
extension GantryEngine {
    public func networks(_ filter: NetworkFilter) async throws(EngineError) -> [NetworkDetails] {
        let selection = try NetworkSelection(filter)
        var found: [NetworkDetails] = []
        for network in try await core.context.networks.networks() { found.append(await core.details(network)) }
        for network in NetworkDetails.builtIn { found.append(await core.details(builtIn: network)) }
        return found.filter { selection.accepts($0) }.sorted { ($0.spec.name, $0.id) < ($1.spec.name, $1.id) }
    }

    public func inspectNetwork(_ reference: String) async throws(EngineError) -> NetworkDetails {
        if let builtIn = NetworkDetails.builtIn(reference) { return await core.details(builtIn: builtIn) }
        return await core.details(try await core.context.networks.network(reference))
    }

    public func createNetwork(_ spec: NetworkSpec) async throws(EngineError) -> String {
        if spec.name == NetworkDefinition.defaultName {
            throw EngineError(
                .denied, "operation is not permitted on predefined \(spec.name) network", object: spec.name)
        }
        return try await whole { core throws(EngineError) in
            let network = try await core.context.networks.create(spec)
            await core.tell("create", network)
            return network.id
        }
    }

    public func removeNetwork(_ reference: String) async throws(EngineError) {
        if let builtIn = NetworkDetails.builtIn(reference) {
            throw EngineError(
                .denied, "\(builtIn.spec.name) is a pre-defined network and cannot be removed", object: reference)
        }
        try await whole { core throws(EngineError) in
            await core.tell("destroy", try await core.context.networks.remove(reference))
        }
    }

    public func connect(
        _ container: String, to network: String, _ spec: EndpointSpec
    ) async throws(EngineError) {
        if let builtIn = NetworkDetails.builtIn(network) {
            return try await change(container, to: true, in: builtIn)
        }
        try await whole { core throws(EngineError) in
            let found = try await core.context.networks.network(network)
            let member = try core.context.index.find(container)
            try await member.connect(to: found.id, spec)
            await core.tell("connect", found, container: member.id)
        }
    }

    public func disconnect(
        _ container: String, from network: String, force: Bool
    ) async throws(EngineError) {
        if let builtIn = NetworkDetails.builtIn(network) {
            return try await change(container, to: false, in: builtIn)
        }
        try await whole { core throws(EngineError) in
            let member = try core.context.index.find(container)
            if try await core.context.networks.forget(member.id, inGone: network) { return }
            let found = try await core.context.networks.network(network)
            try await member.disconnect(from: found.id)
            await core.tell("disconnect", found, container: member.id)
        }
    }

    /// `host` is for a container's whole life; `none` can be left, and come back to from no network.
    private func change(
        _ container: String, to isMember: Bool, in network: NetworkDetails
    ) async throws(EngineError) {
        try await whole { core throws(EngineError) in
            let member = try core.context.index.find(container)
            guard network.spec.name == "none" else {
                guard isMember || member.definition.spec.networkMode == .host else {
                    throw EngineError(
                        .denied, "container \(member.id) is not connected to network host", object: container)
                }
                throw EngineError(
                    .denied, "container cannot be disconnected from host network or connected to host network",
                    object: container)
            }
            try await member.set(inNone: isMember)
            await core.tell(isMember ? "connect" : "disconnect", network.id, network.spec, container: member.id)
        }
    }

    public func pruneNetworks(_ filter: NetworkFilter) async throws(EngineError) -> PruneResult {
        let selection = try NetworkSelection(filter)
        return try await whole { core throws(EngineError) in
            var removed: [String] = []
            for network in try await core.context.networks.networks()
            where !network.isDefault && !network.isConfiguration {
                guard await core.context.networks.containers(in: network.id).isEmpty,
                    selection.accepts(await core.details(network))
                else { continue }
                do throws(EngineError) {
                    await core.tell("destroy", try await core.context.networks.remove(network.id))
                    removed.append(network.name)
                } catch  where error.kind == .denied || error.kind == .notFound {
                    // Somebody was quicker: it is in use now, or gone.
                }
            }
            await core.tellOfPrune(.network, 0)
            return PruneResult(removed: removed)
        }
    }
}

extension EngineCore {
    fileprivate func details(_ network: NetworkDefinition) async -> NetworkDetails {
        var details = NetworkDetails(
            id: network.id, spec: network.told, createdAt: Timestamp(nanosecondsSinceEpoch: network.createdAt))
        details.hostInterface = network.linkName.isEmpty ? nil : network.linkName
        for record in await context.networks.members(of: network.id) {
            func text(_ address: IPAddress?) -> String {
                guard let address, let block = network.block(address.family) else { return "" }
                return "\(address)/\(block.subnet.prefixLength)"
            }
            details.members[record.containerID] = NetworkMember(
                name: record.containerName, endpointID: record.endpointID, macAddress: record.mac?.description ?? "",
                ipv4Address: text(record.ipv4), ipv6Address: text(record.ipv6))
        }
        return details
    }

    /// With the containers that run with that mode; their ends there are called like them, and have no address.
    fileprivate func details(builtIn network: NetworkDetails) async -> NetworkDetails {
        var details = network
        for container in context.index.all {
            let definition = container.definition
            guard definition.spec.networkMode?.rawValue == network.spec.name, !definition.hasLeftNone,
                await container.run != nil
            else { continue }
            details.members[container.id] = NetworkMember(
                name: await container.name, endpointID: container.id, macAddress: "", ipv4Address: "", ipv6Address: "")
        }
        return details
    }

    fileprivate func tell(_ action: String, _ network: NetworkDefinition, container: String? = nil) async {
        await tell(action, network.id, network.spec, container: container)
    }

    fileprivate func tell(_ action: String, _ id: String, _ spec: NetworkSpec, container: String? = nil) async {
        var attributes = ["name": spec.name, "type": spec.driver]
        attributes["container"] = container
        let event = EngineEvent(kind: .network, action: action, actorID: id, attributes: attributes, time: .now())
        do { try await context.events.record([event]) } catch { context.note("network \(spec.name): \(error)") }
    }
}

/// A filter of the network list with its patterns made.
private struct NetworkSelection {
    private let filter: NetworkFilter
    private let names: [FilterPattern]
    private let ids: [FilterPattern]

    /// - Throws: `invalid` for a pattern that is none.
    init(_ filter: NetworkFilter) throws(EngineError) {
        self.filter = filter
        names = try FilterPattern.all(filter.names, of: "name")
        ids = try FilterPattern.all(filter.ids, of: "id")
    }

    func accepts(_ network: NetworkDetails) -> Bool {
        ids.accept(network.id) && names.accept(network.spec.name)
            && (filter.drivers.isEmpty || filter.drivers.contains(network.spec.driver))
            && (filter.scopes.isEmpty || filter.scopes.contains("local"))
            && (filter.types.isEmpty || filter.types.contains(network.isPredefined ? "builtin" : "custom"))
            && filter.labels.allSatisfy { network.spec.labels.holds($0) }
            && !filter.withoutLabels.contains { network.spec.labels.holds($0) }
            && filter.until.map { network.createdAt < $0 } ?? true
            && (filter.dangling == nil || filter.dangling == (network.members.isEmpty && !network.isPredefined))
    }
}

extension [String: String] {
    /// Whether `key`, or `key=value`, is among these labels.
    func holds(_ label: String) -> Bool {
        guard let equals = label.firstIndex(of: "=") else { return self[label] != nil }
        return self[String(label[..<equals])] == String(label[label.index(after: equals)...])
    }
}
