import EngineAPI
import Glibc
import Linux
import Netlink
import Synchronization

@testable import Networking

/// A networks' service in a network namespace of its own, over an index in memory; which containers run the test says.
final class ServiceBench: Sendable {
    let folder: String
    let ground: NetworkGround
    let index = MemoryIndex()
    let running = Mutex<Set<String>>([])
    let notes = Mutex<[String]>([])
    /// Runs where the service asks whether a container runs.
    let whenAsked = Mutex<(@Sendable () async -> Void)?>(nil)

    init() throws {
        folder = "/tmp/gantry-networking-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(folder)
        ground = NetworkGround(namespace: try NetworkNamespace.make())
    }

    deinit {
        ground.namespace?.close()
        try? Directory.removeTree(folder)  // The test's own; nothing to tell.
    }

    /// - Parameter process: the first of each container that runs.
    func service(
        of process: NetworkedContainers.Process? = nil,
        serveNames: @escaping @Sendable (String) async throws(EngineError) -> Void = { (_) throws(EngineError) in }
    ) throws -> NetworkService {
        let own = (pid: getpid(), startTicks: try ProcessStat.read(pid: getpid()).startTicks)
        let identity = process ?? own
        return NetworkService(
            index: index, roots: NetworkRoots(runRoot: "\(folder)/run", dataRoot: folder, suffix: "test"),
            containers: NetworkedContainers(
                process: { [self] id in
                    await whenAsked.withLock { $0 }?()
                    return running.withLock { $0.contains(id) } ? identity : nil
                },
                request: { [self] id in request(id) }, serveNames: serveNames),
            openGround: { [ground] () throws(EngineError) in ground },
            note: { [self] note in notes.withLock { $0.append(note) } })
    }

    func request(_ id: String) -> NetworkRequest {
        NetworkRequest(containerID: id, names: ContainerNames(hostname: "h"), bindings: [], filesDirectory: folder)
    }

    /// As another program would run them.
    @discardableResult
    func nft(_ commands: String) throws -> String {
        try ground.run { () throws(EngineError) in try PacketFilter().run(commands) }
    }
}

/// What is written down, in memory.
final class MemoryIndex: NetworkIndex {
    private struct Rows {
        var networks: [NetworkDefinition] = []
        var records: [EndpointRecord] = []
        var unread = UnreadNetworks()
    }

    private let rows = Mutex(Rows())
    /// Runs before changes are written.
    let whenApplied = Mutex<(@Sendable ([NetworkIndexChange]) async -> Void)?>(nil)

    func networks() -> [NetworkDefinition] { rows.withLock(\.networks) }
    func endpoints() -> [EndpointRecord] { rows.withLock(\.records) }
    func unread() -> UnreadNetworks { rows.withLock(\.unread) }

    /// A network's row becomes one that a later version has written.
    func makeUnreadable(_ network: NetworkDefinition) {
        rows.withLock { rows in
            rows.networks.removeAll { $0.id == network.id }
            rows.unread.networks[network.id] = network.name
        }
    }

    func apply(_ changes: [NetworkIndexChange]) async {
        await whenApplied.withLock { $0 }?(changes)
        write(changes)
    }

    func write(_ changes: [NetworkIndexChange]) {
        rows.withLock { rows in
            for change in changes {
                switch change {
                case .put(let network):
                    rows.networks.removeAll { $0.id == network.id }
                    rows.networks.append(network)
                case .delete(let id): rows.networks.removeAll { $0.id == id }
                case .putEndpoint(let record):
                    rows.records.removeAll {
                        $0.containerID == record.containerID && $0.networkID == record.networkID
                    }
                    rows.records.append(record)
                case .deleteEndpoint(let container, let network):
                    rows.records.removeAll { $0.containerID == container && $0.networkID == network }
                }
            }
        }
    }
}

/// A process with a network of its own, as the first one of a container has.
final class LonelyProcess: Sendable {
    let pid: Int32
    let identity: NetworkedContainers.Process

    init() throws {
        let (reading, writing) = try Descriptor.pipe()
        defer { reading.close() }
        let command = "echo; exec sleep 300"
        var spawn = Spawn(program: "/usr/bin/unshare", arguments: ["unshare", "-n", "sh", "-c", command])
        spawn.environment = ["PATH=/usr/bin:/bin"]
        spawn.descriptors = [nil, writing, nil]
        pid = try spawn.start()
        writing.close()
        // It says so once it is there.
        var byte: [UInt8] = [0]
        _ = try reading.read(into: &byte)
        identity = (pid, try ProcessStat.read(pid: pid).startTicks)
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }
}

/// Waits for what another task does: until it is so, or for half a minute.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    for _ in 0..<1500 {
        if try await condition() { return true }
        await Task.detached { _ = poll(nil, 0, 20) }.value
    }
    return false
}
