import EngineAPI
import Networking

/// Links of the default network: docker's `--link`.
extension Container {
    /// Those that this container is linked to, as they are now; none where it is not in the default network.
    ///
    /// - Parameter skippingMissing: whether those that cannot be had are left out: that was said when it started.
    /// - Throws: `conflict` where one does not run, or has left the default network.
    func linkedContainers(skippingMissing: Bool = false) async throws(EngineError) -> [LinkedContainer] {
        let links = definition.spec.links
        guard !links.isEmpty,
            try await context.networks.details(id).contains(where: {
                $0.networkName == NetworkDefinition.defaultName
            })
        else { return [] }
        var linked: [LinkedContainer] = []
        for link in links {
            do throws(EngineError) { linked.append(try await lookUp(link)) } catch {
                guard skippingMissing else { throw error }
            }
        }
        return linked
    }

    /// The same without those that cannot be had; none where its own networks cannot be asked for.
    func presentLinks() async -> [LinkedContainer] { (try? await linkedContainers(skippingMissing: true)) ?? [] }

    private func lookUp(_ link: ContainerLink) async throws(EngineError) -> LinkedContainer {
        let networks = context.networks
        let other = link.id.flatMap { context.index[$0] }
        guard let other, await other.run != nil else {
            throw EngineError(
                .conflict,
                "Cannot link to a non running container: /\(await other?.name ?? link.name) AS /\(name)/\(link.alias)",
                object: name)
        }
        let parts = try await networks.details(other.id)
        guard let part = parts.first(where: { $0.networkName == NetworkDefinition.defaultName }),
            !part.endpointID.isEmpty
        else {
            throw EngineError(.conflict, "container \(other.id) not attached to default bridge network", object: name)
        }
        let definition = other.definition
        return LinkedContainer(
            alias: link.alias, name: await other.name, hostname: definition.hostname, address: part.ipv4Address,
            ports: definition.servedPorts, environment: definition.environment)
    }

    /// What a process that is started now is told of them.
    func linkVariables() async -> [String] {
        guard !defined({ $0.spec.links.isEmpty }) else { return [] }
        let owner = name
        return await presentLinks().flatMap { $0.variables(owner: owner) }
    }

    /// With the addresses of those it is linked to.
    func currentNetworkRequest() async -> NetworkRequest {
        var request = networkRequest
        request.names.links = await presentLinks().map { HostsLink(address: $0.address, names: $0.hostNames) }
        return request
    }

    /// Knows another container by that name no more. What its processes were told of it when they started they keep.
    ///
    /// - Throws: `notFound` where there is no such link.
    package func removeLink(_ alias: String) async throws(EngineError) {
        let failure = await inChain { owner in
            do throws(EngineError) {
                try await owner.drop(alias)
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
    }

    private func drop(_ alias: String) async throws(EngineError) {
        var new = definition
        guard let link = new.spec.links.first(where: { $0.alias == alias }) else {
            throw .noSuchContainer("\(name)/\(alias)")
        }
        new.spec.links.removeAll { $0.alias == alias }
        try await commit(new, [])
        context.index.removeLink(from: id, to: new.spec.links.contains { $0.id == link.id } ? nil : link.id)
        if let other = link.id { context.index.raise([other]) }
        if run != nil { await context.networks.unlink(networkRequest, alias) }
    }

    /// This container has an address now: who is linked to it learns of it.
    func tellLinked() async {
        let owners = context.index.owners(ofLinksTo: id)
        guard !owners.isEmpty else { return }
        guard
            let part = try? await context.networks.details(id)  // Who is in no network has nothing to tell.
                .first(where: { $0.networkName == NetworkDefinition.defaultName }), !part.ipv4Address.isEmpty
        else { return }
        for owner in owners {
            let aliases = owner.definition.spec.links.filter { $0.id == id }.map(\.alias)
            // After what the owner does just now, which may write the same file. Nobody waits for it.
            _ = await owner.inChain { owner in
                guard owner.run != nil else { return nil }
                for alias in aliases {
                    await owner.context.networks.relink(owner.networkRequest, alias, to: part.ipv4Address)
                }
                return nil
            }
        }
    }
}

extension ContainerService {
    /// The containers that links name are known by id from here on.
    ///
    /// - Throws: `invalid` where one is missing or cannot be linked to.
    func resolveLinks(_ spec: inout ContainerSpec) async throws(EngineError) {
        guard !spec.links.isEmpty else { return }
        for (isSo, kind) in [(spec.networkMode?.container != nil, "container"), (spec.networkMode == .host, "host")]
        where isSo {
            throw EngineError(
                .invalid,
                "conflicting options: \(kind) type networking can't be used with links. This would result in "
                    + "undefined behavior")
        }
        for place in spec.links.indices {
            spec.links[place] = try await resolved(spec.links[place])
        }
        // Of two with one alias the later one holds.
        var known: Set<String> = []
        spec.links = spec.links.reversed().filter { known.insert($0.alias).inserted }.reversed()
    }

    private func resolved(_ link: ContainerLink) async throws(EngineError) -> ContainerLink {
        var other: Container
        do throws(EngineError) {
            other = try context.index.find(link.name)
            // Who has another's network is reached at that one's address.
            while let lender = other.definition.spec.networkMode?.container { other = try context.index.find(lender) }
        } catch {
            // Not `notFound`: docker's clients take that of a creation for a missing image.
            throw EngineError(.invalid, "could not get container for \(link.name): \(error.message)", object: link.name)
        }
        let name = await other.name
        let mode = other.definition.spec.networkMode
        guard mode != .host else {
            throw EngineError(
                .invalid,
                "conflicting options: host type networking can't be used with links. This would result in undefined "
                    + "behavior")
        }
        guard mode?.isMadeByUser != true else {
            throw EngineError(.invalid, "Cannot link to /\(name), as it does not belong to the default network")
        }
        var resolved = link
        (resolved.name, resolved.id) = (name, other.id)
        return resolved
    }
}
