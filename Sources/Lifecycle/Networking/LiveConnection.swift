import AsyncIO
import EngineAPI
import Linux
import NameService

/// Networks that a container joins and leaves.
extension NetworkService {
    /// Makes a container part of a network; one that runs has its device at once.
    ///
    /// - Parameter process: the container's first process, where it runs.
    /// - Returns: whether the container has names to be answered from now on.
    package func connect(
        _ request: NetworkRequest, name: String, to reference: String, _ spec: EndpointSpec,
        process: (pid: Int32, startTicks: UInt64)?
    ) async throws(EngineError) -> Bool {
        let containerID = request.containerID
        let network = try await network(reference)
        var records = endpoints[containerID] ?? []
        guard !records.contains(where: { $0.networkID == network.id }) else {
            throw EngineError(
                .denied, "endpoint with name \(name) already exists in network \(network.name)", object: reference)
        }
        try EndpointPlan.check(spec, network)
        let order = (records.map(\.order).max() ?? -1) + 1
        var record = EndpointRecord(
            containerID: containerID, containerName: name, networkID: network.id, order: order, spec: spec)
        if process != nil { try assign(&record, network) }
        records.append(record)
        endpoints[containerID] = records
        do throws(EngineError) {
            try await index.apply([.putEndpoint(record)])
            if let process {
                try await attach(record, network, process)
                try await rewriteFiles(request)
            }
        } catch {
            await undo(record)
            throw error
        }
        return process != nil && !network.isDefault
    }

    /// Hosts and resolv.conf, in the container as it runs.
    private func rewriteFiles(_ request: NetworkRequest) async throws(EngineError) {
        let records = (endpoints[request.containerID] ?? []).filter(\.isActive)
        let networks = records.compactMap { definitions[$0.networkID] }
        let plan = EtcPlan(request: request, records: records, networks: networks)
        let servesNames = networks.contains { !$0.isDefault }
        _ = try await BlockingPool.shared.run { () throws(EngineError) in
            try plan.writeFiles(servesNames: servesNames)
        }
    }

    private func attach(
        _ record: EndpointRecord, _ network: NetworkDefinition, _ process: (pid: Int32, startTicks: UInt64)
    ) async throws(EngineError) {
        try await prepareFilter()
        let links = self.links
        let others = (endpoints[record.containerID] ?? []).filter { $0.networkID != record.networkID && $0.isActive }
        let hasRoute = others.contains { definitions[$0.networkID]?.spec.isInternal == false }
        try await materialize(network)
        try await BlockingPool.shared.run { () throws(EngineError) in
            let namespace = OwnedDescriptor(try Self.namespace(process.pid, process.startTicks))
            try links.connect(
                record, to: network, in: namespace.descriptor, hasDefaultRoute: !hasRoute && !network.spec.isInternal)
        }
        await writeNames(network.id)
        await rewriteConfiguration(record.containerID)
    }

    private func undo(_ record: EndpointRecord) async {
        for address in record.addresses where record.isActive { book.release(address, in: record.networkID) }
        endpoints[record.containerID]?.removeAll { $0.networkID == record.networkID }
        let change = NetworkIndexChange.deleteEndpoint(containerID: record.containerID, networkID: record.networkID)
        do throws(EngineError) { try await index.apply([change]) } catch { note("\(error)") }
    }

    /// Takes a container out of a network.
    package func disconnect(
        _ request: NetworkRequest, name: String, from reference: String, process: (pid: Int32, startTicks: UInt64)?
    ) async throws(EngineError) {
        let containerID = request.containerID
        let network = try await network(reference)
        guard let record = endpoints[containerID]?.first(where: { $0.networkID == network.id }) else {
            throw EngineError(
                .denied, "container \(containerID) is not connected to network \(network.name)", object: name)
        }
        if isFilterSet { await changeQuietly(rules.removing(record)) }
        if let process, record.isActive { try await detach(record, process) }
        await undo(record)
        await writeNames(network.id)
        await moveOn(containerID, record, process)
        await rewriteConfiguration(containerID)
        if process != nil { try await rewriteFiles(request) }
    }

    private func detach(
        _ record: EndpointRecord, _ process: (pid: Int32, startTicks: UInt64)
    ) async throws(EngineError) {
        let links = self.links
        try await BlockingPool.shared.run { () throws(EngineError) in
            let namespace = OwnedDescriptor(try Self.namespace(process.pid, process.startTicks))
            try links.disconnect(record, in: namespace.descriptor)
        }
    }

    /// What the network that was left did for the container, another does: default route and published ports.
    private func moveOn(
        _ containerID: String, _ left: EndpointRecord, _ process: (pid: Int32, startTicks: UInt64)?
    ) async {
        guard var records = endpoints[containerID]?.filter(\.isActive), !records.isEmpty, let process else { return }
        if !left.ports.isEmpty {
            records[0].ports = left.ports
            let heir = records[0]
            if let place = endpoints[containerID]?.firstIndex(where: { $0.networkID == heir.networkID }) {
                endpoints[containerID]?[place] = heir
            }
            do throws(EngineError) { try await index.apply([.putEndpoint(heir)]) } catch { note("\(error)") }
            await changeQuietly(rules.adding(heir))
        }
        let pairs = records.compactMap { record in definitions[record.networkID].map { (record, $0) } }
        guard let router = pairs.first(where: { !$0.1.spec.isInternal }) else { return }
        let links = self.links
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in
                let namespace = OwnedDescriptor(try Self.namespace(process.pid, process.startTicks))
                try links.routeDefault(by: router.0, of: router.1, in: namespace.descriptor)
            }
        } catch { note("container \(containerID): \(error)") }
    }

    /// Tells the container's shim of its networks as they are now.
    private func rewriteConfiguration(_ containerID: String) async {
        let records = (endpoints[containerID] ?? []).filter(\.isActive)
        let networks = records.compactMap { definitions[$0.networkID] }
        let tables = networks.filter { !$0.isDefault }.map { roots.names($0.id) }
        let path = roots.configuration(containerID)
        let published = records.flatMap { record in
            record.ports.filter { $0.port.transport != .sctp }.map { Self.target($0, record) }
        }
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in
                // A container that does not run has none.
                guard let text = try? FileContents.read(path) else { return }
                var configuration = NetworkConfiguration(text: String(decoding: text, as: UTF8.self))
                configuration.tables = tables
                if published.count == configuration.targets.count { configuration.targets = published }
                try NameFiles.write(configuration, to: path)
            }
        } catch { note("container \(containerID): \(error)") }
    }
}
