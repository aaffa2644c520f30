import EngineAPI

/// An engine whose containers exist in memory alone; for tests of what stands above `Engine`.
///
/// It keeps the contract's rules of names, states and errors, and runs the programs of `MemoryProcess`.
package actor MemoryEngine: Engine {
    struct Container {
        var id: String
        var name: String
        var spec: ContainerSpec
        var createdAt: Timestamp
        var state = ContainerState(status: .created)
        var process: MemoryProcess
        var size: TerminalSize?
    }

    var containersByID: [String: Container] = [:] { didSet { revision.raise() } }
    private nonisolated let revision = Revision()
    var execs: [String: (details: ExecDetails, process: MemoryProcess)] = [:]
    var loadedBytes = 0
    package private(set) var closedAttachments = 0
    package private(set) var removedImages: [String] = []
    private var count = 0
    private var eventContinuations: [AsyncStream<EngineEvent>.Continuation] = []
    /// What the next `create` answers with as warnings.
    package var warnings: [String] = []

    package init() {}

    package static let imageID = "sha256:" + String(repeating: "ab", count: 32)
    package static let image = "gantry/scripted:latest"

    func newID() -> String {
        count += 1
        let text = String(count, radix: 16)
        return String(repeating: "c", count: 8) + String(repeating: "0", count: 56 - text.count) + text
    }

    func find(_ reference: String) throws(EngineError) -> Container {
        if let found = containersByID[reference] { return found }
        if let found = containersByID.values.first(where: { $0.name == reference }) { return found }
        let matches = containersByID.values.filter { reference.count >= 3 && $0.id.hasPrefix(reference) }
        guard matches.count == 1 else { throw .noSuchContainer(reference) }
        return matches[0]
    }

    func emit(_ action: String, _ container: Container) {
        let event = EngineEvent(
            kind: .container, action: action, actorID: container.id,
            attributes: ["name": container.name, "image": container.spec.image], time: .now())
        for continuation in eventContinuations { continuation.yield(event) }
    }

    func attachmentClosed() { closedAttachments += 1 }

    package func version() -> EngineVersion {
        var version = EngineVersion(name: "Gantry", version: "0.1.0", apiVersion: "1.51", minimumAPIVersion: "1.24")
        version.architecture = "amd64"
        version.kernelVersion = "6.1"
        version.components = ["gantry-runtime": "0.1.0"]
        return version
    }

    package func info() -> EngineInfo {
        var info = EngineInfo()
        info.id = "memory"
        info.containersRunning = containersByID.values.filter { $0.state.isAlive }.count
        info.images = 1
        info.serverVersion = "0.1.0"
        info.cgroupVersion = "2"
        info.runtimes = ["gantry-runtime"]
        info.pid = 7
        return info
    }

    package func containers(_ filter: ContainerFilter) -> [ContainerSummary] {
        containersByID.values.filter { container in
            (filter.all || container.state.isAlive)
                && (filter.statuses.isEmpty || filter.statuses.contains(container.state.status))
                && (filter.names.isEmpty || filter.names.contains { container.name.contains($0) })
        }.sorted { $0.createdAt > $1.createdAt }.map { container in
            ContainerSummary(
                id: container.id, name: container.name, image: container.spec.image, imageID: Self.imageID,
                command: (container.spec.command ?? []).joined(separator: " "), createdAt: container.createdAt,
                state: container.state, labels: container.spec.labels, tty: container.spec.tty,
                networkMode: container.spec.networkMode?.rawValue ?? "none", mounts: container.spec.mounts)
        }
    }

    package nonisolated var containersRevision: UInt64? { revision.number }

    package func inspect(_ reference: String) throws(EngineError) -> ContainerDetails {
        let container = try find(reference)
        return ContainerDetails(
            id: container.id, name: container.name, spec: container.spec, imageID: Self.imageID,
            createdAt: container.createdAt, state: container.state, arguments: container.spec.command ?? [],
            environment: ["PATH=/bin"] + container.spec.environment,
            workingDirectory: container.spec.workingDirectory ?? "/", user: container.spec.user ?? "",
            hostname: container.spec.hostname ?? String(container.id.prefix(12)), logPath: "/log",
            cgroupPath: "gantry/\(container.id)")
    }

    package func create(_ spec: ContainerSpec, name: String?) throws(EngineError) -> CreatedContainer {
        guard spec.image == Self.image || spec.image == "gantry/scripted" else { throw .noSuchImage(spec.image) }
        let id = newID()
        let name = name ?? "made_up_\(count)"
        if let other = containersByID.values.first(where: { $0.name == name }) {
            throw EngineError(
                .conflict,
                "Conflict. The container name \"/\(name)\" is already in use by container \"\(other.id)\". You have to "
                    + "remove (or rename) that container to be able to reuse that name.", object: name)
        }
        let process = MemoryProcess(spec.command ?? [], isTerminal: spec.tty)
        let container = Container(id: id, name: name, spec: spec, createdAt: .now(), process: process)
        containersByID[id] = container
        emit("create", container)
        return CreatedContainer(id: id, warnings: warnings)
    }

    package func set(warnings: [String]) { self.warnings = warnings }

    package func process(_ reference: String) throws(EngineError) -> MemoryProcess { try find(reference).process }

    package func events(_ request: EventRequest) -> EngineStream<EngineEvent> {
        let (stream, continuation) = AsyncStream<EngineEvent>.makeStream()
        eventContinuations.append(continuation)
        return EngineStream(stream)
    }

    package var eventListenerCount: Int { eventContinuations.count }

    func recordRemoval(_ reference: String) { removedImages.append(reference) }
}
