import EngineAPI
import Lifecycle
import Linux
import Metrics

/// What the kernel tells of containers' processes.
extension GantryEngine {
    public func stats(
        _ references: [String], every interval: Duration?
    ) async throws(EngineError) -> EngineStream<[ContainerStats]> {
        var watched: [Container] = []
        for reference in references { watched.append(try core.context.index.find(reference)) }
        let session = StatsSession(watched, every: interval, core: core)
        return EngineStream { try await session.next() }
    }

    public func top(_ reference: String, psArguments: [String]) async throws(EngineError) -> ProcessTable {
        let container = try core.context.index.find(reference)
        guard let run = await container.run else { throw await container.notRunning(reference) }
        let pids = Set(await core.members(of: container, initPID: run.initial.pid))
        let table = try await PsCommand.table(arguments: psArguments, pids: pids)
        // Between its end and the report of it there is nothing to list.
        if table.rows.isEmpty, await container.hasEnded { throw await container.notRunning(reference) }
        await container.tellOfTop()
        return table
    }

    public func processes(_ reference: String) async throws(EngineError) -> [ProcessNode] {
        let container = try core.context.index.find(reference)
        guard let run = await container.run else { return [] }
        return ProcessTree.nodes(
            shimPID: await container.shim?.pid, initPID: run.initial.pid,
            members: await core.members(of: container, initPID: run.initial.pid))
    }
}

extension EngineCore {
    fileprivate func cgroup(_ container: Container) -> Cgroup {
        Cgroup(path: container.cgroupPath, layout: cgroups)
    }

    fileprivate func members(of container: Container, initPID: Int32) async -> [Int32] {
        guard context.host.hasCgroups else { return NamespaceMembers.pids(of: initPID) }
        return ProcessTree.members(of: cgroup(container), shimPID: await container.shim?.pid)
    }
}

/// One reader's samples. The cgroups' files are open while it lives.
private actor StatsSession {
    private let containers: [Container]
    private let interval: Duration?
    private let core: EngineCore
    private let host = HostSampler()
    /// By container, with the process for which it was made: another run has another cgroup of the same name.
    private var samplers: [String: (pid: Int32, sampler: any ContainerSampler)] = [:]
    private var isFirst = true

    init(_ containers: [Container], every interval: Duration?, core: EngineCore) {
        self.containers = containers
        self.interval = interval
        self.core = core
    }

    func next() async throws -> [ContainerStats]? {
        if !isFirst {
            guard let interval else { return nil }
            try await core.context.clock.sleep(for: interval)
        }
        isFirst = false
        var facts: [(container: Container, name: String, pid: Int32)] = []
        for container in containers {
            if let run = await container.run {
                facts.append((container, await container.name, run.initial.pid))
            } else {
                samplers[container.id] = nil
            }
        }
        let sample = host.sample()
        return facts.compactMap { self.sampler($0.container, $0.name, $0.pid).sample(host: sample) }
    }

    private func sampler(_ container: Container, _ name: String, _ pid: Int32) -> any ContainerSampler {
        if let known = samplers[container.id], known.pid == pid { return known.sampler }
        let ownNetwork = container.definition.spec.networkMode != .host
        let networkPID = ownNetwork ? pid : nil
        let made: any ContainerSampler =
            core.context.host.hasCgroups
            ? CgroupSampler(cgroup: core.cgroup(container), id: container.id, name: name, networkPID: networkPID)
            : NamespaceSampler(initPID: pid, id: container.id, name: name, networkPID: networkPID)
        samplers[container.id] = (pid, made)
        return made
    }
}
