import AsyncIO
import EngineAPI
import Linux
import NameService

/// What the networks' service asks of the containers.
package struct NetworkedContainers: Sendable {
    /// The first process, of a container that runs.
    package typealias Process = (pid: Int32, startTicks: UInt64)

    let process: @Sendable (String) async -> Process?
    let request: @Sendable (String) async -> NetworkRequest?
    let serveNames: @Sendable (String) async throws(EngineError) -> Void

    /// - Parameters:
    ///   - process: nil for a container that does not run; what it still has of networks is taken back.
    ///   - request: what its files say; nil where it is not there.
    ///   - serveNames: lets the container's shim answer names from now on; again is no failure.
    package init(
        process: @escaping @Sendable (String) async -> Process?,
        request: @escaping @Sendable (String) async -> NetworkRequest?,
        serveNames: @escaping @Sendable (String) async throws(EngineError) -> Void
    ) {
        self.process = process
        self.request = request
        self.serveNames = serveNames
    }
}

/// What a former engine left: of living containers it is kept, what was begun is finished, the rest goes.
extension NetworkService {
    /// Does all of it, if it is not done yet; for an engine that takes over containers in networks.
    package func takeOver() async throws(EngineError) { try await load() }

    func reconcile() async {
        for (id, records) in endpoints where records.contains(where: \.isActive) {
            guard let process = await containers.process(id) else {
                await takeBack(id)
                continue
            }
            for record in records where record.change != nil { await finish(record, process) }
        }
        await removeStrays()
        await correctNames()
        let bridged = endpoints.values.flatMap { $0 }.filter {
            $0.isActive && definitions[$0.networkID]?.driver == .bridge
        }
        if !isFilterSet, !bridged.isEmpty { await adoptFilter() }
    }

    private func finish(_ record: EndpointRecord, _ process: NetworkedContainers.Process) async {
        guard let network = definitions[record.networkID], let request = await containers.request(record.containerID)
        else { return }
        do throws(EngineError) {
            switch record.change {
            case .joining:
                // A device that is there already may lack all but its name.
                try await detach(record, network, process)
                try await attach(record, network, process, request)
            case .leaving:
                try await prepareFilter()
                try await leave(record, network, process, request)
            case nil: break
            }
        } catch {
            note("container \(record.containerName) in network \(network.name): \(error)")
            if record.change == .joining { await undo(record, network, process, request) }
        }
    }

    /// Bridges and containers' devices that a former engine was killed over.
    private func removeStrays() async {
        let (links, known) = (self.links, Array(definitions.values))
        let active = endpoints.values.flatMap { $0 }.filter(\.isActive)
        if definitions.values.contains(where: { $0.driver != .bridge }) { await sweepLivingContainers() }
        do throws(EngineError) {
            let strays = try await BlockingPool.shared.run { () throws(EngineError) in
                try links.deleteRetired(in: [])
                return try links.strays(known, endpoints: active)
            }
            if strays.isEmpty { return }
            guard unread.isEmpty else {
                return note("devices that belong to nothing known stay, for there are networks that cannot be read")
            }
            try await BlockingPool.shared.run { () throws(EngineError) in
                for name in strays { try links.delete(name) }
            }
        } catch { note("remove devices that are left: \(error)") }
    }

    /// Of a network without a bridge nothing is on the host: what was retired of it is in its container.
    private func sweepLivingContainers() async {
        for id in await livingContainers(await files()) {
            guard let process = await containers.process(id) else { continue }
            // It may have ended meanwhile, and its devices with it.
            if let namespace = try? Self.namespace(process.pid, process.startTicks) { sweepLater(in: namespace) }
        }
    }

    /// What is in the directory of names and configurations; nothing where it cannot be read: then nothing is done about it.
    private func files() async -> [String] {
        let directory = roots.directory
        return await BlockingPool.shared.run {
            // As above.
            (try? Directory.list(directory)) ?? []
        }
    }

    /// The containers that run and have a configuration among these, in networks or out of all of them for now.
    private func livingContainers(_ names: [String]) async -> [String] {
        var living: [String] = []
        for name in names where name.hasSuffix(".conf") {
            let id = String(name.dropLast(5))
            if await containers.process(id) != nil { living.append(id) }
        }
        return living
    }

    /// Names of those that are gone go, too; where nothing has changed nothing is written.
    private func correctNames() async {
        let networks = definitions.values.filter { !$0.isDefault && !members(of: $0.id).isEmpty }
        let tables = networks.map { (roots.names($0.id), nameTable($0)) }
        // Listed once: what is not among those that are asked for is not removed either.
        let names = await files()
        let living = await livingContainers(names).map { roots.configuration($0) }
        // Whose names those of a network are that cannot be read, is not known.
        let odd = unread.networks.keys.map(roots.names)
        let (directory, kept) = (roots.directory, Set(tables.map(\.0) + living + odd))
        do throws(EngineError) {
            try await BlockingPool.shared.run { () throws(EngineError) in
                for (path, table) in tables { try NameFiles.correct(table, at: path) }
                for name in names where !kept.contains("\(directory)/\(name)") {
                    NameFiles.remove("\(directory)/\(name)")
                }
            }
        } catch { note("correct the names of networks: \(error)") }
    }
}
