import AsyncIO
import EngineAPI
import Glibc
import Linux
import NameService
import Netlink

/// What a container's start needs of the container's networks.
package struct NetworkRequest: Sendable {
    package var containerID: String
    package var names: ContainerNames
    package var bindings: [PortBinding]
    /// Where the container's files for /etc are.
    package var filesDirectory: String

    package init(containerID: String, names: ContainerNames, bindings: [PortBinding], filesDirectory: String) {
        self.containerID = containerID
        self.names = names
        self.bindings = bindings
        self.filesDirectory = filesDirectory
    }
}

/// Addresses and ports that a container has for this start.
package struct NetworkLease: Sendable {
    /// One for each port, in the order of the configuration's `forward` lines; the shim takes them over.
    package var sockets: [Descriptor]
    /// Of each: whether it is a stream.
    package var socketIsStream: [Bool]
    /// The shim's `NetworkConfiguration`.
    package var configurationPath: String
    /// Whether names are answered at 127.0.0.11.
    package var servesNames: Bool

    /// Once the shim has them.
    package func closeSockets() { for socket in sockets { socket.close() } }
}

/// A container's start.
extension NetworkService {
    /// Before the container is made: chooses addresses, reserves ports, writes the files. On failure nothing is left.
    ///
    /// A container that is out of every network by hand has a lease, too: it may join one while it runs.
    package func prepare(_ request: NetworkRequest) async throws(EngineError) -> NetworkLease {
        try await load()
        try checkMembership(request.containerID)
        guard let before = endpoints[request.containerID], !before.isEmpty else {
            return try await lease(request, [], [])
        }
        var records = try activate(before, hostname: request.names.hostname)
        await settleFlows(to: records.flatMap(\.addresses))
        do throws(EngineError) {
            let held = try await holdPorts(request, records)
            records[publisher(records)].ports = held.map(\.published)
            endpoints[request.containerID] = records
            do throws(EngineError) {
                try await index.apply(records.map(NetworkIndexChange.putEndpoint))
                faults.pass(.endpointAfterAddresses)
                let lease = try await lease(request, records, held)
                for record in records { await writeNames(record.networkID) }
                return lease
            } catch {
                PortReservation.release(held)
                throw error
            }
        } catch {
            await release(request.containerID)
            throw error
        }
    }

    /// What a container of the mode `none` starts with: nothing is served, until it is taken out of that and joins a
    /// network while it runs.
    package nonisolated func bareLease(_ containerID: String) -> NetworkLease {
        NetworkLease(
            sockets: [], socketIsStream: [], configurationPath: roots.configuration(containerID), servesNames: false)
    }

    /// After the end of such a container, which may have been in networks meanwhile.
    package nonisolated func forgetConfiguration(_ containerID: String) async {
        let path = roots.configuration(containerID)
        await BlockingPool.shared.run { NameFiles.remove(path) }
    }

    /// Addresses for all, or for none; in memory alone.
    private func activate(
        _ before: [EndpointRecord], hostname: String
    ) throws(EngineError) -> [EndpointRecord] {
        var records = before
        var given: [(IPAddress, String)] = []
        do throws(EngineError) {
            for index in records.indices {
                guard let network = definitions[records[index].networkID] else {
                    throw missing(records[index].networkID)
                }
                try assign(&records[index], network, hostname: hostname)
                given += records[index].addresses.map { ($0, network.id) }
            }
        } catch {
            for (address, network) in given { book.release(address, in: network) }
            throw error
        }
        if let id = records.first?.containerID { endpoints[id] = records }
        return records
    }

    func assign(
        _ record: inout EndpointRecord, _ network: NetworkDefinition, hostname: String
    ) throws(EngineError) {
        record.hostname = hostname
        let former = (record.ipv4, record.ipv6)
        record.ipv4 = try address(.v4, record.spec.ipv4Address, former.0, network)
        do throws(EngineError) {
            record.ipv6 = try address(.v6, record.spec.ipv6Address, former.1, network)
        } catch {
            if let address = record.ipv4 { book.release(address, in: network.id) }
            throw error
        }
        record.mac =
            network.driver == .ipvlan
            ? nil
            : record.spec.macAddress.flatMap { MACAddress($0) } ?? record.ipv4.map { MACAddress(for: $0) } ?? record.mac
        record.endpointID = NetworkID.make()
        record.ownLinkName = "gv\(record.containerID.prefix(6))\(record.endpointID.prefix(7))"
        record.isActive = true
        record.ports = []
        record.change = nil
    }

    private func address(
        _ family: IPAddress.Family, _ asked: String?, _ former: IPAddress?, _ network: NetworkDefinition
    ) throws(EngineError) -> IPAddress? {
        guard network.block(family) != nil else { return nil }
        guard let address = asked.flatMap({ IPAddress($0) }) else {
            return try book.next(family, in: network, preferring: former)
        }
        try book.take(address, in: network)
        return address
    }

    private func holdPorts(
        _ request: NetworkRequest, _ records: [EndpointRecord]
    ) async throws(EngineError) -> [PortReservation.Held] {
        let networks = records.compactMap { definitions[$0.networkID] }
        // As docker: who is in internal networks alone is published nowhere.
        if request.bindings.isEmpty || networks.allSatisfy(\.spec.isInternal) { return [] }
        var owners: [PublishedPort: String] = [:]
        for record in endpoints.values.flatMap({ $0 }) where record.isActive {
            for published in record.ports { owners[published.withoutTarget] = record.containerName }
        }
        let publisher = definitions[records[publisher(records)].networkID]
        let (known, preset) = (owners, publisher?.bindingAddress)
        return try await BlockingPool.shared.run { () throws(EngineError) in
            try PortReservation.hold(request.bindings, address: preset) { known[$0.withoutTarget] }
        }
    }

    /// Which of a container's parts its published ports lead to: the one with its default route, for the packet filter
    /// takes from an internal network whatever comes from there. The first where all are internal.
    func publisher(_ records: [EndpointRecord]) -> Int {
        let network = DefaultRoute(parts(records)).publisher
        return records.firstIndex { $0.networkID == network } ?? 0
    }

    /// With their networks, those that are there.
    func parts(_ records: [EndpointRecord]) -> [DefaultRoute.Part] {
        records.compactMap { record in definitions[record.networkID].map { (record, $0) } }
    }

    private func lease(
        _ request: NetworkRequest, _ records: [EndpointRecord], _ held: [PortReservation.Held]
    ) async throws(EngineError) -> NetworkLease {
        let networks = records.compactMap { definitions[$0.networkID] }
        let servesNames = networks.contains { !$0.isDefault }
        let path = roots.configuration(request.containerID)
        let plan = EtcPlan(request: request, records: records, networks: networks, resolver: ground.resolver)
        let targets = held.map { Self.target($0.published, records[publisher(records)]) }
        let tables = networks.filter { !$0.isDefault }.map { roots.names($0.id) }
        let links = Self.links(records, networks)
        try await BlockingPool.shared.run { () throws(EngineError) in
            let written = try plan.writeFiles(servesNames: servesNames)
            var configuration = NetworkConfiguration()
            configuration.tables = tables
            configuration.links = links
            configuration.targets = targets
            configuration.servers = Self.servers(written.host, networks)
            configuration.resolverMark = written.mark
            try NameFiles.write(configuration, to: path)
        }
        return NetworkLease(
            sockets: held.map(\.socket), socketIsStream: held.map { $0.published.port.transport != .udp },
            configurationPath: path, servesNames: servesNames)
    }

    /// What the container alone calls others, by the tables of its networks.
    static func links(
        _ records: [EndpointRecord], _ networks: [NetworkDefinition]
    ) -> [NetworkConfiguration.Link] {
        networks.filter { !$0.isDefault }.enumerated().flatMap { table, network in
            let links = records.first { $0.networkID == network.id }?.spec.links ?? []
            return links.map { NetworkConfiguration.Link(table: table, alias: $0.alias, name: $0.name) }
        }
    }

    /// Another container has a new address: the line of /etc/hosts that tells of it follows, where it runs.
    package nonisolated func relink(_ request: NetworkRequest, _ alias: String, to address: String) async {
        await rewriteHosts(request) { HostsFile.text($0, moving: alias, to: address) }
    }

    /// Another container is known by that name no more.
    package nonisolated func unlink(_ request: NetworkRequest, _ alias: String) async {
        await rewriteHosts(request) { HostsFile.text($0, moving: alias, to: nil) }
    }

    private nonisolated func rewriteHosts(
        _ request: NetworkRequest, _ change: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) async {
        let path = "\(request.filesDirectory)/hosts"
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in
                let hosts = try NameFiles.read(path)
                let changed = change(hosts)
                if changed != hosts { try NameFiles.overwrite(changed, path) }
            }
        } catch { note("container \(request.containerID): \(error)") }
    }

    /// Who is asked for names of the world: nobody where no network leads there.
    static func servers(_ resolver: ResolverFile, _ networks: [NetworkDefinition]) -> [SocketEndpoint] {
        if networks.allSatisfy(\.spec.isInternal) { return [] }
        // One that is named with its link, as `fe80::1%eth0`, is none that can be asked.
        let known = resolver.servers.compactMap { IPAddress($0) }
        let servers = known.isEmpty ? ResolverFile.fallback.compactMap { IPAddress($0) } : known
        return servers.map { SocketEndpoint($0, 53) }
    }

    /// Where a port's proxy leads: to the address of the port's own version where the container has one.
    static func target(_ published: PublishedPort, _ record: EndpointRecord) -> SocketEndpoint {
        let own = published.hostAddress.family == .v6 ? record.ipv6 : record.ipv4
        return SocketEndpoint(own ?? record.ipv4 ?? record.ipv6 ?? IPAddress(.v4, 0), published.port.number)
    }

    /// Between the container's creation and its start: gives it its devices and opens its ports.
    package func connect(_ containerID: String, pid: Int32, startTicks: UInt64) async throws(EngineError) {
        guard let records = endpoints[containerID], !records.isEmpty else { return }
        try await prepareFilter()
        let parts = parts(records)
        let route = DefaultRoute(parts)
        let links = self.links
        try await BlockingPool.shared.run { () throws(EngineError) in
            let namespace = OwnedDescriptor(try Self.namespace(pid, startTicks))
            for (record, network) in parts {
                try links.connect(
                    record, to: network, in: namespace.descriptor, routes: route.families(by: network.id))
            }
        }
        faults.pass(.endpointAfterDevices)
        let unset = parts.map(\.network).filter { !isMaterialized.contains($0.id) }
        if !unset.isEmpty { try await setSwitches(unset) }
        isMaterialized.formUnion(unset.map(\.id))
        try await change(records.map(rules.adding).joined())
        for record in records { forgetFlows(record.misledFlows) }
        faults.pass(.endpointAfterPorts)
    }

    /// Where the shim of a container with networks must be, to reach it; nil for where the engine is.
    package var namespace: Descriptor? {
        get async throws(EngineError) {
            try await load()
            return ground.namespace
        }
    }

    /// - Parameter containerID: of a container that was seen running: that it has ended meanwhile is told as such.
    static func namespace(
        _ pid: Int32, _ startTicks: UInt64, running containerID: String? = nil
    ) throws(EngineError) -> Descriptor {
        do throws(KernelError) { return try NetworkNamespace.open(pid: pid, startTicks: startTicks) } catch {
            if let containerID, error.errno == .noSuchFile || error.errno == .noSuchProcess {
                throw EngineError(.conflict, "container \(containerID) is not running", object: containerID)
            }
            throw EngineError(.internal, "enter the network of process \(pid): \(error)")
        }
    }
}

extension PublishedPort {
    /// The host's side alone.
    fileprivate var withoutTarget: PublishedPort {
        PublishedPort(ContainerPort(1, port.transport), hostAddress: hostAddress, hostPort: hostPort)
    }
}
