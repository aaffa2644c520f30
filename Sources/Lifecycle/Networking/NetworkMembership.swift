import AsyncIO
import EngineAPI
import Linux
import NameService

/// Which containers are in which networks.
extension NetworkService {
    /// Makes a container part of networks, in that order; it has no addresses before it starts.
    ///
    /// - Throws: `notFound` for a network, `invalid` for an address that is not its to give.
    package func join(
        _ containerID: String, name: String, _ wanted: [(network: String, spec: EndpointSpec)]
    ) async throws(EngineError) {
        var records: [EndpointRecord] = []
        for (reference, spec) in wanted {
            let network = try await network(reference)
            guard !records.contains(where: { $0.networkID == network.id }) else { continue }
            try EndpointPlan.check(spec, network)
            let record = EndpointRecord(
                containerID: containerID, containerName: name, networkID: network.id, order: records.count, spec: spec)
            try EndpointPlan.checkDevice(of: record, besides: records)
            records.append(record)
        }
        try await index.apply(records.map(NetworkIndexChange.putEndpoint))
        endpoints[containerID] = records
    }

    /// Takes a container that does not run out of a network that was removed.
    ///
    /// - Parameter reference: the network's id, or at least twelve digits of it.
    /// - Returns: whether it was part of such a one.
    package func forget(_ containerID: String, inGone reference: String) async throws(EngineError) -> Bool {
        try await load()
        guard reference.utf8.count >= 12 else { return false }
        let left = (endpoints[containerID] ?? []).filter { isGone($0) && $0.networkID.hasPrefix(reference) }
        guard !left.isEmpty else { return false }
        try await index.apply(left.map { .deleteEndpoint(containerID: containerID, networkID: $0.networkID) })
        let ids = Set(left.map(\.networkID))
        endpoints[containerID]?.removeAll { ids.contains($0.networkID) }
        return true
    }

    /// Whether the network has been removed since the container joined it.
    func isGone(_ record: EndpointRecord) -> Bool {
        definitions[record.networkID] == nil && unread.networks[record.networkID] == nil
    }

    /// Forgets a container that is removed.
    package func leave(_ containerID: String) async throws(EngineError) {
        try await load()
        let networks = (endpoints[containerID] ?? []).map(\.networkID) + (unread.memberships[containerID] ?? [])
        if !networks.isEmpty {
            try await index.apply(networks.map { .deleteEndpoint(containerID: containerID, networkID: $0) })
        }
        endpoints[containerID] = nil
        unread.memberships[containerID] = nil
    }

    /// Names are answered so from here on, also where it throws because that cannot be kept.
    package func rename(_ containerID: String, to name: String) async throws(EngineError) {
        try await load()
        guard var records = endpoints[containerID], !records.isEmpty else { return }
        for index in records.indices { records[index].containerName = name }
        endpoints[containerID] = records
        try await index.apply(records.map(NetworkIndexChange.putEndpoint))
        for record in records where record.isActive { await writeNames(record.networkID) }
    }

    /// How a container is part of its networks, in the order in which it joined; nothing of those that are gone.
    package func details(_ containerID: String) async throws(EngineError) -> [EndpointDetails] {
        try await load()
        return (endpoints[containerID] ?? []).compactMap { record in
            definitions[record.networkID].map { EndpointDetails(record, $0) }
        }
    }

    /// The published ports of a container that runs.
    package func ports(_ containerID: String) async throws(EngineError) -> [PublishedPort] {
        try await load()
        return (endpoints[containerID] ?? []).filter(\.isActive).flatMap(\.ports)
    }

    /// The containers that run in a network.
    package func members(of networkID: String) -> [EndpointRecord] {
        endpoints.values.flatMap { $0 }.filter { $0.networkID == networkID && $0.isActive && $0.change != .leaving }
    }

    /// Those that are part of a network, whether they run or not.
    package func containers(in networkID: String) -> Set<String> {
        Set(endpoints.filter { $0.value.contains { $0.networkID == networkID } }.keys)
    }

    /// Writes a network's names down for the shims of its containers: one after another, so that what is written last
    /// is what is known last.
    func writeNames(_ networkID: String) async {
        let turn = nameWriting.begin(networkID) { await self.writeNamesAlone(networkID) }
        await turn.outcome
        nameWriting.end(networkID, turn)
    }

    private func writeNamesAlone(_ networkID: String) async {
        guard let network = definitions[networkID], !network.isDefault else { return }
        let (table, path) = (nameTable(network), roots.names(networkID))
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in try NameFiles.write(table, to: path) }
        } catch { note("network \(network.name): \(error)") }
    }

    func nameTable(_ network: NetworkDefinition) -> NameTable {
        var table = NameTable()
        table.network = network.name
        for record in members(of: network.id).sorted(by: { $0.containerID < $1.containerID }) {
            for address in record.addresses { table.add(address, record.names) }
        }
        return table
    }
}

/// What may be asked of a container's part in a network.
enum EndpointPlan {
    /// Two devices of a container have two names.
    static func checkDevice(of record: EndpointRecord, besides others: [EndpointRecord]) throws(EngineError) {
        guard others.contains(where: { $0.deviceName == record.deviceName }) else { return }
        throw EngineError(
            .invalid,
            "network interface name \(record.deviceName) is already in use in container \(record.containerName)")
    }

    static func check(_ spec: EndpointSpec, _ network: NetworkDefinition) throws(EngineError) {
        guard !network.isConfiguration else {
            throw EngineError(
                .denied, "cannot create endpoint on configuration-only network", object: network.name)
        }
        for (text, family) in [(spec.ipv4Address ?? "", IPAddress.Family.v4), (spec.ipv6Address ?? "", .v6)]
        where !text.isEmpty {
            guard let address = IPAddress(text), address.family == family else {
                throw EngineError(.invalid, "invalid IPv\(family == .v4 ? 4 : 6) address: \(text)")
            }
            guard !network.isDefault else {
                throw EngineError(
                    .invalid,
                    "invalid config for network \(network.name): invalid endpoint settings:\nuser-specified IP "
                        + "address is supported on user-defined networks only")
            }
            guard network.hasOwnSubnet else {
                throw EngineError(
                    .invalid,
                    "invalid config for network \(network.name): user specified IP address is supported only "
                        + "when connecting to networks with user configured subnets")
            }
            guard network.block(address.family)?.subnet.contains(address) == true else {
                throw EngineError(
                    .invalid,
                    "invalid config for network \(network.name): invalid endpoint settings:\nno configured "
                        + "subnet contains IP address \(address)")
            }
        }
        for text in spec.linkLocalAddresses {
            guard let address = IPAddress(text), !address.isUnspecified else {
                throw EngineError(
                    .invalid,
                    "invalid config for network \(network.name): invalid endpoint settings:\ninvalid link-local IP "
                        + "address: \(text)")
            }
            guard address.isLinkLocal else {
                throw EngineError(.invalid, "invalid link local IP address: \(text)")
            }
        }
        do throws(EngineError) { _ = try DeviceSettings(spec) } catch {
            throw EngineError(
                error.kind,
                "invalid config for network \(network.name): invalid endpoint settings:\n\(error.message)")
        }
        if let text = spec.macAddress, !text.isEmpty {
            guard network.driver != .ipvlan else {
                throw EngineError(.invalid, "ipvlan interfaces do not support custom mac address assignment")
            }
            guard let mac = MACAddress(text), mac.bytes[0] & 1 == 0 else {
                throw EngineError(.invalid, "invalid MAC address: \(text)")
            }
        }
        if let name = spec.deviceName {
            // What the kernel takes, and the files that are called after it.
            guard name.utf8.count <= 15, ![".", "..", "lo", "all", "default"].contains(name),
                name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") })
            else { throw EngineError(.invalid, "invalid network interface name \(name.debugDescription)") }
        }
        for alias in spec.aliases where !NameTable.canHold(alias) {
            throw EngineError(
                .invalid,
                "invalid config for network \(network.name): invalid endpoint settings:\ninvalid alias "
                    + "\(alias.debugDescription): white space and control characters are in no name")
        }
        for link in spec.links where !NameTable.canHold(link.name) || !NameTable.canHold(link.alias) {
            throw EngineError(.invalid, "bad format for links: \(link.text.debugDescription)")
        }
        guard !network.isDefault || spec.aliases.isEmpty else {
            throw EngineError(
                .invalid, "network-scoped alias is supported only for containers in user defined networks")
        }
    }
}

extension EndpointRecord {
    /// What the container is called in the network.
    var names: [String] {
        var names = [containerName]
        let further = spec.aliases + [String(containerID.prefix(12))] + (hostname.map { [$0] } ?? [])
        for name in further where !names.contains(name) { names.append(name) }
        return names
    }
}

extension EndpointDetails {
    init(_ record: EndpointRecord, _ network: NetworkDefinition) {
        self.init(networkName: network.name, networkID: network.id, spec: record.spec)
        dnsNames = network.isDefault ? [] : record.names
        guard record.isActive else { return }
        endpointID = record.endpointID
        macAddress = record.mac?.description ?? ""
        if let address = record.ipv4, let block = network.block(.v4) {
            (ipv4Address, ipv4PrefixLength) = (address.description, block.subnet.prefixLength)
            gateway = network.spec.isInternal ? "" : block.gateway.description
        }
        if let address = record.ipv6, let block = network.block(.v6) {
            (ipv6Address, ipv6PrefixLength) = (address.description, block.subnet.prefixLength)
            ipv6Gateway = network.spec.isInternal ? "" : block.gateway.description
        }
    }
}
