import EngineAPI
import Linux
import Networking
import Tasks

/// Another container's network, as a container that shares it needs it.
struct SharedNetwork: Sendable {
    /// The namespace, in /proc.
    var path: String
    /// Where the other's hosts and resolv.conf are.
    var filesDirectory: String
    /// The other's user namespace, whose the network is; nil for the host's.
    var userPath: String?
    var lender: NamespaceLender
}

/// A container's networks, over its life.
extension Container {
    /// Whether the networks' service has anything to do with it.
    package nonisolated var isNetworked: Bool {
        defined { $0.spec.networkMode?.network != nil || $0.hasLeftNone }
    }

    private nonisolated var isInNone: Bool {
        defined { $0.spec.networkMode == NetworkMode.none && !$0.hasLeftNone }
    }

    /// Addresses, ports and files for a start; nil where the container has no network of the engine's.
    func networkLease(_ links: [LinkedContainer]) async throws(EngineError) -> NetworkLease? {
        guard isNetworked else { return isInNone ? context.networks.bareLease(id) : nil }
        do throws(EngineError) {
            // Out of every network by hand is a container without one; a network that was removed is missed.
            if let network = definition.spec.networkMode?.network, try await context.networks.details(id).isEmpty {
                _ = try await context.networks.network(network)
            }
            var request = networkRequest
            request.names.links = links.map { HostsLink(address: $0.address, names: $0.hostNames) }
            return try await context.networks.prepare(request)
        } catch {
            guard error.kind == .conflict || error.kind == .unavailable else { throw error }
            throw EngineError(
                error.kind, "failed to set up container networking: \(error.message)", object: error.object)
        }
    }

    package nonisolated var networkRequest: NetworkRequest {
        let (spec, defaults) = (definition.spec, context.settings.value.defaults)
        let names = ContainerNames(
            hostname: definition.hostname, domainname: spec.domainname, extraHosts: spec.extraHosts,
            servers: spec.dnsServers.isEmpty ? defaults.dnsServers : spec.dnsServers,
            search: spec.dnsSearch.isEmpty ? defaults.dnsSearch : spec.dnsSearch,
            options: spec.dnsOptions.isEmpty ? defaults.dnsOptions : spec.dnsOptions)
        return NetworkRequest(
            containerID: id, names: names, bindings: definition.wantedBindings,
            filesDirectory: context.roots.files(id))
    }

    /// The network of the container that this one's mode names, which must run.
    func sharedNetwork() async throws(EngineError) -> SharedNetwork? {
        guard let reference = definition.spec.networkMode?.container else { return nil }
        let other = try context.index.find(reference)
        guard let run = await other.run else {
            throw EngineError(
                .conflict, "cannot join network of a non running container: \(other.id)", object: reference)
        }
        var shared = SharedNetwork(
            path: "/proc/\(run.initial.pid)/ns/net", filesDirectory: context.roots.files(other.id),
            lender: NamespaceLender(containerID: other.id, process: run.initial))
        shared.userPath = userNamespace(of: run.initial, in: other)
        return shared
    }

    /// The devices, once the container's namespace is there.
    func connectNetworks(_ initial: ProcessIdentity) async throws(EngineError) {
        guard isNetworked else { return }
        try await context.networks.connect(id, pid: initial.pid, startTicks: initial.startTicks)
        await tellLinked()
    }

    func releaseNetworks() async {
        if isNetworked { await context.networks.release(id) }
        if isInNone { await context.networks.forgetConfiguration(id) }
    }

    /// Makes this container part of a network, live where it runs.
    package func connect(to network: String, _ spec: EndpointSpec) async throws(EngineError) {
        try checkCanConnect(network)
        let failure = await inChain { container in
            do throws(EngineError) {
                try await container.context.networks.connect(
                    container.currentNetworkRequest(), name: container.name, to: network, spec)
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
    }

    /// Takes this container out of `none`, or puts it back there.
    package func set(inNone: Bool) async throws(EngineError) {
        let failure = await inChain { container in
            do throws(EngineError) {
                try await container.change(inNone: inNone)
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
    }

    private func change(inNone: Bool) async throws(EngineError) {
        var new = definition
        if inNone {
            let networks = try await context.networks.details(id)
            guard new.hasLeftNone, networks.isEmpty else { throw Self.privateMode("none") }
        } else {
            guard isInNone else {
                throw EngineError(.denied, "container \(id) is not connected to network none", object: name)
            }
        }
        new.hasLeftNone = !inNone
        try await commit(new, [])
    }

    package func disconnect(from network: String) async throws(EngineError) {
        let failure = await inChain { container in
            do throws(EngineError) {
                try await container.context.networks.disconnect(
                    container.currentNetworkRequest(), name: container.name, from: network)
                return nil
            } catch { return error }
        }.value
        if let failure { throw failure }
    }

    private nonisolated func checkCanConnect(_ network: String) throws(EngineError) {
        guard !isNetworked else { return }
        throw Self.privateMode(definition.spec.networkMode?.rawValue ?? "none")
    }

    private static func privateMode(_ mode: String) -> EngineError {
        EngineError(
            .invalid,
            mode == "none"
                ? "container cannot be connected to multiple networks with one of the networks in private (none) mode"
                : "container sharing network namespace with another container or host cannot be connected to any other "
                    + "network")
    }
}

extension ContainerDefinition {
    /// The ports to be published: those that were named, and with `-P` the others that the container serves.
    package var wantedBindings: [PortBinding] {
        guard spec.publishesAllPorts else { return spec.portBindings }
        let bound = Set(spec.portBindings.map(\.port))
        return spec.portBindings + servedPorts.filter { !bound.contains($0) }.map { PortBinding($0) }
    }

    /// What the caller and the image say that the container serves.
    package var servedPorts: [ContainerPort] {
        Set(spec.exposedPorts + spec.portBindings.map(\.port) + imagePorts.compactMap { ContainerPort($0) }).sorted()
    }
}
