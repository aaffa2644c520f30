import EngineAPI
import Images
import Lifecycle
import Linux
import Networking
import Snapshots

/// Containers: what tells of them.
extension GantryEngine {
    public func containers(_ filter: ContainerFilter) async throws(EngineError) -> [ContainerSummary] {
        let selection = try await ContainerSelection(filter, core: core)
        var found: [ContainerSummary] = []
        for container in core.context.index.all {
            let summary = try await core.summary(of: container)
            if selection.accepts(summary) { found.append(summary) }
        }
        await core.showImages(of: &found)
        found.sort { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        if let limit = filter.limit, limit > 0 { found = Array(found.prefix(limit)) }
        if filter.withSizes { for place in found.indices { try await core.addSizes(to: &found[place]) } }
        return found
    }

    public func inspect(_ reference: String) async throws(EngineError) -> ContainerDetails {
        let container = try core.context.index.find(reference)
        var details = await container.details(runtime: core.context.runtimes.defaultName, on: core.context.host)
        details.spec.cgroupMode = SpecBuilder.cgroupMode(details.spec, host: core.context.host)
        details.hasLeftNone = container.definition.hasLeftNone
        details.places = await core.places(of: container)
        details.spec.links = await core.links(of: container)
        if container.isNetworked {
            details.networks = try await core.context.networks.details(container.id)
            details.ports = try await core.ports(of: container)
        }
        return details
    }
}

extension GantryEngine {
    /// Four numbers that only ever rise, if over the highest to 0: their sum is the same while each is.
    public var containersRevision: UInt64? {
        let context = core.context
        return context.index.revision.number &+ context.networks.revision.number &+ context.settings.revision.number
            &+ context.images.revision.number
    }
}

extension EngineCore {
    /// A row of the list, anew where something of it has changed.
    func summary(of container: Container) async throws(EngineError) -> ContainerSummary {
        let revision = container.currentRevision
        if let known = container.summary(at: revision) { return known }
        var summary = await container.summary
        summary.hasLeftNone = container.definition.hasLeftNone
        summary.volumesDirectory = context.roots.volumes
        for owner in context.index.owners(ofLinksTo: container.id) {
            let name = await owner.name
            for link in owner.definition.spec.links where link.id == container.id {
                summary.linkNames.append("\(name)/\(link.alias)")
            }
        }
        if container.isNetworked {
            summary.networks = try await context.networks.details(container.id)
            summary.ports = try await ports(of: container)
        }
        container.keep(summary, at: revision)
        return summary
    }

    /// A container's image has its id for a name where the name that the container was made by is another image's by now,
    /// or nobody's: so people see that it runs an old one.
    func showImages(of summaries: inout [ContainerSummary]) async {
        let current = await context.images.meant(by: Set(summaries.map(\.image)))
        for place in summaries.indices {
            guard let meant = current[summaries[place].image], meant != summaries[place].imageID else { continue }
            summaries[place].image = summaries[place].imageID
        }
    }

    /// The ports that a running container serves, published or not.
    func ports(of container: Container) async throws(EngineError) -> [PortMapping] {
        guard await container.run != nil else { return [] }
        let published = try await context.networks.ports(container.id)
        let bound = Set(published.map(\.port))
        return published.map {
            PortMapping($0.port, hostAddress: $0.hostAddress.description, hostPort: $0.hostPort)
        } + container.definition.servedPorts.filter { !bound.contains($0) }.map { PortMapping($0) }
    }

    /// With the names that the others have now.
    func links(of container: Container) async -> [ContainerLink] {
        var links = container.definition.spec.links
        for place in links.indices {
            if let name = await links[place].id.flatMap({ context.index[$0] })?.name { links[place].name = name }
        }
        return links
    }

    /// Told from memory, as all of an inspection is.
    func places(of container: Container) async -> ContainerPlaces {
        let mode = container.definition.spec.networkMode
        let files = context.roots.files(container.id)
        // Who shares a network has its files, too; an owner that is gone has left none.
        let owner = mode?.container.flatMap { try? context.index.find($0).id } ?? container.id
        var places = ContainerPlaces()
        places.resolvConfPath = "\(context.roots.files(owner))/resolv.conf"
        places.hostsPath = "\(context.roots.files(owner))/hosts"
        places.hostnamePath = "\(files)/hostname"
        places.volumesDirectory = context.roots.volumes
        places.storageDriver = context.images.driver.rawValue
        places.root = await context.images.rootPlaces(containerID: container.id).map { root in
            OverlayPlaces(
                lower: root.lower, upper: root.upper, work: root.work,
                merged: "\(context.roots.bundle(container.id))/rootfs")
        }
        return places
    }

    /// The runtime for containers that name none.
    var runtimeName: String { context.runtimes.defaultName }
}

extension Container {
    fileprivate var summary: ContainerSummary {
        let definition = definition
        let spec = definition.spec
        return ContainerSummary(
            id: id, name: name, image: spec.image, imageID: definition.imageID,
            command: Self.commandText(definition.arguments), createdAt: createdAt, state: state,
            labels: definition.labels, tty: spec.tty, networkMode: spec.networkMode?.rawValue ?? "none",
            mounts: spec.mounts)
    }

    /// As docker's list shows a command: its arguments in quotes where they hold a space.
    private static func commandText(_ words: [String]) -> String {
        let arguments = words.dropFirst().map { $0.contains(" ") ? "'\($0)'" : $0 }
        return (words.prefix(1) + arguments).joined(separator: " ")
    }

    fileprivate func details(runtime: String, on host: HostFacts) -> ContainerDetails {
        let definition = definition
        var spec = definition.spec.withDefaults(on: host)
        // Docker's configuration of a container is that of its image with what was asked for over it.
        spec.labels = definition.labels
        spec.exposedPorts = definition.servedPorts
        spec.anonymousVolumes = Array(Set(spec.anonymousVolumes + definition.imageVolumes)).sorted()
        spec.healthCheck = definition.health
        spec.stopSignal = spec.stopSignal ?? (definition.stopSignal == "SIGTERM" ? nil : definition.stopSignal)
        var details = ContainerDetails(
            id: id, name: name, spec: spec, imageID: definition.imageID, createdAt: createdAt, state: state,
            arguments: definition.arguments, environment: definition.environment,
            workingDirectory: definition.workingDirectory, user: definition.user, hostname: definition.hostname,
            restartCount: restartCount, logPath: logPath, runtime: spec.runtime ?? runtime, execIDs: unendedExecIDs,
            cgroupPath: cgroupPath)
        details.entrypointLength = definition.entrypointLength
        details.launch = launch
        return details
    }
}

extension ContainerSpec {
    /// With what a container gets where nothing else is said, as docker shows it.
    fileprivate func withDefaults(on host: HostFacts) -> ContainerSpec {
        var spec = self
        spec.shmSizeBytes = SpecBuilder.shmSizeBytes(self)
        if let memory = limits.memoryBytes, memory > 0, limits.memorySwapBytes ?? 0 == 0 {
            let (twice, overflow) = memory.multipliedReportingOverflow(by: 2)
            if !overflow { spec.limits.memorySwapBytes = twice }
        }
        if let pids = limits.pids, pids <= 0 { spec.limits.pids = nil }
        guard !privileged else { return spec }
        spec.maskedPaths = maskedPaths ?? SpecBuilder.maskedPaths(on: host)
        spec.readonlyPaths = readonlyPaths ?? SpecBuilder.readonlyPaths
        return spec
    }
}

/// A filter of the container list with its references looked up and its patterns made.
private struct ContainerSelection {
    private let filter: ContainerFilter
    private let names: [FilterPattern]
    private let ids: [FilterPattern]
    private var ancestorIDs: Set<String> = []
    private var goneAncestors: Set<String> = []
    private var before: Timestamp?
    private var since: Timestamp?

    /// - Throws: `notFound` for a reference of `before` or `since`, `invalid` for a pattern that is none.
    init(_ filter: ContainerFilter, core: EngineCore) async throws(EngineError) {
        self.filter = filter
        names = try FilterPattern.all(filter.names, of: "name")
        ids = try FilterPattern.all(filter.ids, of: "id")
        if let reference = filter.before { before = try core.context.index.find(reference).createdAt }
        if let reference = filter.since { since = try core.context.index.find(reference).createdAt }
        for ancestor in filter.ancestors {
            // An image that is gone may still be named by its containers, by the text alone. A name that is another
            // image's by now stands for that one.
            if let image = try? await core.context.images.resolve(ancestor) {
                let id = image.id.description
                ancestorIDs.insert(id)
                // As docker: whoever runs what was made from it counts, too.
                ancestorIDs.formUnion(await core.context.images.descendants(of: id))
            } else {
                goneAncestors.insert(ancestor)
            }
        }
    }

    func accepts(_ summary: ContainerSummary) -> Bool {
        let showsAll = filter.all || !filter.statuses.isEmpty || filter.limit ?? 0 > 0
        let state = summary.state
        return !filter.matchesNone && (showsAll || state.isActive)
            // With and without the slash that once stood before names.
            && ids.accept(summary.id) && (names.accept(summary.name) || names.accept("/\(summary.name)"))
            && (filter.statuses.isEmpty || filter.statuses.contains(state.status))
            && filter.labels.allSatisfy { Self.holds($0, summary.labels) }
            && (filter.networks.isEmpty
                || filter.networks.contains { network in
                    summary.networks.contains { $0.networkName == network || $0.networkID.hasPrefix(network) }
                        || summary.networkMode == network && !summary.hasLeftNone
                })
            && (filter.volumes.isEmpty
                || filter.volumes.contains { wanted in
                    summary.mounts.contains { $0.source == wanted || PathName.cleaned($0.target) == wanted }
                })
            && (filter.published.isEmpty
                || summary.ports.contains { mapping in
                    let port = ContainerPort(mapping.hostPort, mapping.port.transport)
                    return mapping.hostPort != 0 && filter.published.contains { $0.contains(port) }
                })
            && (filter.exposed.isEmpty
                || summary.ports.contains { mapping in filter.exposed.contains { $0.contains(mapping.port) } })
            && (filter.ancestors.isEmpty || ancestorIDs.contains(summary.imageID)
                || goneAncestors.contains(summary.image))
            && (filter.healths.isEmpty || filter.healths.contains(state.health?.status ?? .none))
            && (filter.exitCodes.isEmpty
                || !state.isAlive && state.finishedAt != nil && filter.exitCodes.contains(state.exitCode))
            && before.map { summary.createdAt < $0 } ?? true && since.map { summary.createdAt > $0 } ?? true
    }

    private static func holds(_ label: String, _ labels: [String: String]) -> Bool {
        guard let equals = label.firstIndex(of: "=") else { return labels[label] != nil }
        return labels[String(label[..<equals])] == String(label[label.index(after: equals)...])
    }
}
