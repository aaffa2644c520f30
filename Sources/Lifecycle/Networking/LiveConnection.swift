import AsyncIO
import EngineAPI
import Linux
import NameService

/// Networks that a container joins and leaves. Of one that runs the intent is written first, and the end last: an engine
/// that dies between leaves what the next one finishes.
extension NetworkService {
    /// Makes a container part of a network; one that runs has its device, and its names answered, at once.
    package func connect(
        _ request: NetworkRequest, name: String, to reference: String, _ spec: EndpointSpec
    ) async throws(EngineError) {
        let containerID = request.containerID
        let network = try await network(reference)
        let process = await containers.process(containerID)
        let parked = process == nil ? [] : await parkedPorts(containerID)
        // It may have been removed meanwhile. From here until it is claimed nothing is waited for.
        guard definitions[network.id] != nil else { throw missing(reference) }
        var records = endpoints[containerID] ?? []
        guard !records.contains(where: { $0.networkID == network.id }) else {
            throw EngineError(
                .denied, "endpoint with name \(name) already exists in network \(network.name)", object: reference)
        }
        try EndpointPlan.check(spec, network)
        // The new one is in the place of those that are gone, which the container could not be started with.
        let gone = records.filter(isGone)
        records.removeAll(where: isGone)
        let order = (records.map(\.order).max() ?? -1) + 1
        var record = EndpointRecord(
            containerID: containerID, containerName: name, networkID: network.id, order: order, spec: spec)
        try EndpointPlan.checkDevice(of: record, besides: records)
        if process != nil {
            try assign(&record, network, hostname: request.names.hostname)
            record.ports = parked
            record.change = .joining
        }
        records.append(record)
        endpoints[containerID] = records
        await settleFlows(to: record.addresses)
        do throws(EngineError) {
            do throws(EngineError) {
                try await index.apply(
                    [.putEndpoint(record)]
                        + gone.map { .deleteEndpoint(containerID: containerID, networkID: $0.networkID) })
            } catch {
                endpoints[containerID, default: []] += gone
                throw error
            }
            faults.pass(.connectAfterIntent)
            if let process { try await attach(record, network, process, request) }
        } catch {
            await undo(record, network, process, request)
            throw error
        }
    }

    /// May be done again, wherever it was cut short.
    func attach(
        _ record: EndpointRecord, _ network: NetworkDefinition, _ process: NetworkedContainers.Process,
        _ request: NetworkRequest
    ) async throws(EngineError) {
        try await prepareFilter()
        let links = self.links
        let others = (endpoints[record.containerID] ?? []).filter { $0.networkID != record.networkID && $0.isActive }
        let routes = DefaultRoute(parts(others) + [(record, network)]).families(by: network.id)
        try await materialize(network)
        try await BlockingPool.shared.run { () throws(EngineError) in
            let namespace = OwnedDescriptor(
                try Self.namespace(process.pid, process.startTicks, running: record.containerID))
            try links.connect(
                record, to: network, in: namespace.descriptor, routes: routes)
        }
        try await change(rules.adding(record))
        let moved = await movePorts(of: record.containerID)
        forgetFlows(record.misledFlows)
        faults.pass(.connectAfterDevice)
        await writeNames(network.id)
        try await rewriteFiles(request)
        if !network.isDefault { try await containers.serveNames(record.containerID) }
        faults.pass(.connectAfterNames)
        var settled = moved.first { $0.networkID == record.networkID } ?? record
        settled.change = nil
        replace(settled)
        let givers = moved.filter { $0.networkID != record.networkID }
        try await index.apply((givers + [settled]).map(NetworkIndexChange.putEndpoint))
    }

    /// Has the published ports of a container that runs lead by the network of its default route, where another had them.
    ///
    /// - Returns: the records that are others now, to be kept.
    private func movePorts(of containerID: String) async -> [EndpointRecord] {
        let records = (endpoints[containerID] ?? []).filter { $0.isActive && $0.change != .leaving }
        guard !records.isEmpty else { return [] }
        var heir = records[publisher(records)]
        var moved: [EndpointRecord] = []
        for var record in records where record.networkID != heir.networkID && !record.ports.isEmpty {
            await changeQuietly(rules.removing(record))
            heir.ports += record.ports
            record.ports = []
            replace(record)
            moved.append(record)
        }
        if moved.isEmpty { return [] }
        replace(heir)
        await changeQuietly(rules.adding(heir))
        return moved + [heir]
    }

    private func replace(_ record: EndpointRecord) {
        guard let place = endpoints[record.containerID]?.firstIndex(where: { $0.networkID == record.networkID })
        else { return }
        endpoints[record.containerID]?[place] = record
    }

    /// The published ports of a container that left its last network: its shim still holds them.
    private func parkedPorts(_ containerID: String) async -> [PublishedPort] {
        let path = roots.configuration(containerID)
        return await BlockingPool.shared.run {
            // Without the file nothing is parked.
            let text = (try? FileContents.read(path)) ?? []
            return NetworkConfiguration(text: String(decoding: text, as: UTF8.self)).parked
                .compactMap(PublishedPort.init(parkedText:))
        }
    }

    /// Tells the container that runs, and its shim, of its networks as they are now: in hosts and resolv.conf what is the
    /// engine's to change there, names and ports.
    ///
    /// - Parameter left: the part in the network that was left; its ports are kept for the next network where it was the
    ///   only one.
    private func rewriteFiles(_ request: NetworkRequest, left: EndpointRecord? = nil) async throws(EngineError) {
        let records = (endpoints[request.containerID] ?? []).filter { $0.isActive && $0.change != .leaving }
        let networks = records.compactMap { definitions[$0.networkID] }
        let plan = EtcPlan(request: request, records: records, networks: networks, resolver: ground.resolver)
        let named = networks.filter { !$0.isDefault }
        let tables = named.map { roots.names($0.id) }
        let links = Self.links(records, networks)
        let path = roots.configuration(request.containerID)
        let published = records.flatMap { record in
            record.ports.map { Self.target($0, record) }
        }
        let parked = records.isEmpty ? left?.ports ?? [] : []
        let isApart = ground.namespace != nil
        try await BlockingPool.shared.run { () throws(EngineError) in
            // Missing of one that was started in the mode `none`; its shim is not where bridges are.
            let text = try? FileContents.read(path)
            var configuration = NetworkConfiguration(text: String(decoding: text ?? [], as: UTF8.self))
            if text == nil { configuration.asksWithin = isApart }
            let told = try plan.updateFiles(
                servesNames: !named.isEmpty, without: left?.addresses ?? [], mark: configuration.resolverMark)
            configuration.resolverMark = told.mark
            configuration.tables = tables
            configuration.links = links
            configuration.servers = Self.servers(told.host, networks)
            let sockets = configuration.targets.count
            if records.isEmpty { configuration.targets = Array(repeating: nil, count: sockets) }
            if published.count == sockets { configuration.targets = published }
            configuration.parked = parked.map(\.parkedText)
            try NameFiles.write(configuration, to: path)
        }
    }

    /// A connection that came to nothing: nothing of it stays.
    func undo(
        _ record: EndpointRecord, _ network: NetworkDefinition, _ process: NetworkedContainers.Process?,
        _ request: NetworkRequest
    ) async {
        if let process, record.isActive {
            do throws(EngineError) { try await detach(record, network, process) } catch {
                note("container \(record.containerName): \(error)")
            }
        }
        // It may have been given the published ports meanwhile.
        let current = endpoints[record.containerID]?.first { $0.networkID == record.networkID } ?? record
        endpoints[record.containerID]?.removeAll { $0.networkID == record.networkID }
        if process != nil, record.isActive { await changeQuietly(rules.removing(current)) }
        // Not before: what comes to the ports would be given to whoever has the address next.
        for address in record.addresses where record.isActive { book.release(address, in: record.networkID) }
        let change = NetworkIndexChange.deleteEndpoint(containerID: record.containerID, networkID: record.networkID)
        do throws(EngineError) { try await index.apply([change]) } catch { note("\(error)") }
        await writeNames(record.networkID)
        guard let process, record.isActive else { return }
        forgetFlows(of: [record])
        do throws(EngineError) {
            if let heir = await moveOn(current, process) { try await index.apply([.putEndpoint(heir)]) }
            try await rewriteFiles(request, left: current)
        } catch { note("\(error)") }
    }

    /// Takes a container out of a network.
    package func disconnect(_ request: NetworkRequest, name: String, from reference: String) async throws(EngineError) {
        let containerID = request.containerID
        let network = try await network(reference)
        guard var record = endpoints[containerID]?.first(where: { $0.networkID == network.id }) else {
            throw EngineError(
                .denied, "container \(containerID) is not connected to network \(network.name)", object: name)
        }
        guard let process = await containers.process(containerID), record.isActive else {
            // Before it is so in memory: what could not be kept would be back with the next engine.
            try await index.apply([.deleteEndpoint(containerID: containerID, networkID: network.id)])
            return await undo(record, network, nil, request)
        }
        // What a former engine has set is not changed by parts: without this its ports would go on leading here.
        try await prepareFilter()
        record.change = .leaving
        try await index.apply([.putEndpoint(record)])
        replace(record)
        faults.pass(.disconnectAfterIntent)
        try await leave(record, network, process, request)
    }

    /// May be done again, wherever it was cut short.
    func leave(
        _ record: EndpointRecord, _ network: NetworkDefinition, _ process: NetworkedContainers.Process,
        _ request: NetworkRequest
    ) async throws(EngineError) {
        await changeQuietly(rules.removing(record))
        do throws(EngineError) { try await detach(record, network, process) } catch {
            await stay(record)
            throw error
        }
        faults.pass(.disconnectAfterDevice)
        await writeNames(network.id)
        forgetFlows(of: [record])
        let heir = await moveOn(record, process)
        try await rewriteFiles(request, left: record)
        faults.pass(.disconnectAfterNames)
        for address in record.addresses { book.release(address, in: record.networkID) }
        endpoints[record.containerID]?.removeAll { $0.networkID == record.networkID }
        try await index.apply(
            [.deleteEndpoint(containerID: record.containerID, networkID: record.networkID)]
                + (heir.map { [.putEndpoint($0)] } ?? []))
    }

    /// A container that kept its device is in the network as before.
    private func stay(_ record: EndpointRecord) async {
        var record = record
        record.change = nil
        replace(record)
        await changeQuietly(rules.adding(record))
        // Where this fails, too, the next engine finishes what this one could not.
        do throws(EngineError) { try await index.apply([.putEndpoint(record)]) } catch { note("\(error)") }
    }

    func detach(
        _ record: EndpointRecord, _ network: NetworkDefinition, _ process: NetworkedContainers.Process
    ) async throws(EngineError) {
        let links = self.links
        let namespace = try Self.namespace(process.pid, process.startTicks, running: record.containerID)
        let others = (endpoints[record.containerID] ?? []).filter { other in
            other.networkID != record.networkID && definitions[other.networkID]?.linkName == network.linkName
        }
        do throws(EngineError) {
            let isRetired = try await BlockingPool.shared.run { () throws(EngineError) in
                try links.disconnect(record, of: network, in: namespace, besides: others)
            }
            guard isRetired, network.driver != .bridge else {
                namespace.close()
                return isRetired ? sweepLater() : ()
            }
            sweepLater(in: namespace)
        } catch {
            namespace.close()
            throw error
        }
    }

    /// What the network that was left did for the container, another does: default route and published ports.
    ///
    /// - Returns: the record that has the ports now, to be kept.
    private func moveOn(_ left: EndpointRecord, _ process: NetworkedContainers.Process) async -> EndpointRecord? {
        let records = (endpoints[left.containerID] ?? []).filter { $0.isActive && $0.networkID != left.networkID }
        guard !records.isEmpty else { return nil }
        var heir = records[publisher(records)]
        if !left.ports.isEmpty {
            heir.ports = left.ports
            replace(heir)
            await changeQuietly(rules.adding(heir))
        }
        let (parts, links) = (parts(records), self.links)
        let route = DefaultRoute(parts)
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in
                let namespace = OwnedDescriptor(try Self.namespace(process.pid, process.startTicks))
                for (record, network) in parts {
                    let families = route.families(by: network.id)
                    if families.isEmpty { continue }
                    try links.routeDefault(families, by: record, of: network, in: namespace.descriptor)
                }
            }
        } catch { note("container \(left.containerID): \(error)") }
        return left.ports.isEmpty ? nil : heir
    }
}
