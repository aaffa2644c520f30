import CLinux
import Glibc
import Linux
import NameService
import ShimAPI

/// What this shim does for its container's networks, whether an engine runs or not: it answers names at 127.0.0.11, and
/// holds the published ports, serving by hand what comes to them past the packet filter (the host's ::1, version 6 for a
/// container without it).
final class ContainerNetwork {
    /// The first of the port's sockets that the shim was started with; the listener is descriptor 3.
    private static let firstSocket: Int32 = 4

    private let task: ShimTask.Network
    private let loop: EventLoop
    private let configuration: LiveConfiguration
    private let budget = DescriptorBudget()
    private var sockets: [Descriptor]
    private var nameServer: NameServer?
    private var streams: [StreamForward] = []
    private var datagrams: [DatagramForward] = []

    init(task: ShimTask.Network, loop: EventLoop) throws(KernelError) {
        self.task = task
        self.loop = loop
        configuration = LiveConfiguration(path: task.configuration)
        sockets = task.socketIsStream.indices.map { Descriptor(rawValue: Self.firstSocket + Int32($0)) }
        for socket in sockets {
            try kernelCall("set close-on-exec") { gantry_fcntl_int(socket.rawValue, F_SETFD, FD_CLOEXEC) }
            try socket.setNonBlocking()
        }
    }

    /// Begins to serve, once the container's namespace is there.
    func start(pid: Int32) throws(KernelError) {
        if task.servesNames { try serveNames(pid: pid) }
        for (index, socket) in sockets.enumerated() {
            if task.socketIsStream[index] {
                streams.append(
                    try StreamForward(loop, socket, index: index, configuration: configuration, budget: budget))
            } else {
                datagrams.append(
                    try DatagramForward(loop, socket, index: index, configuration: configuration, budget: budget))
            }
        }
    }

    /// Answers names in the container, if that is not done already.
    func serveNames(pid: Int32) throws(KernelError) {
        guard nameServer == nil else { return }
        let (udp, tcp) = try NetworkVisit.run(pid: pid) { () throws(KernelError) in try NameServer.sockets() }
        nameServer = try NameServer(loop, datagrams: udp, listener: tcp, configuration: configuration, pid: pid)
    }

    /// At the container's end: the ports are free at once.
    func close() {
        nameServer?.close()
        for stream in streams { stream.close() }
        for datagram in datagrams { datagram.close() }
        for socket in sockets { socket.close() }
        (nameServer, streams, datagrams, sockets) = (nil, [], [], [])
    }
}

extension ContainerSupervisor {
    /// The container has joined a network that has names.
    func serveNames() throws(ShimFailure) {
        guard let network, let process = initial?.process, status == .running || status == .paused else {
            throw ShimFailure(.conflict, "container \(task.id) has no running network")
        }
        do throws(KernelError) { try network.serveNames(pid: process.pid) } catch {
            throw ShimFailure(.internal, "answer names in container \(task.id): \(error)")
        }
    }
}

/// The file by which the engine tells of networks, read again when it was replaced.
final class LiveConfiguration {
    private var file: ChangingFile
    private var tables: [ChangingFile] = []
    private var known = NetworkConfiguration()
    private(set) var resolution = NameResolution(tables: [], forwards: false)

    init(path: String) { file = ChangingFile(path: path) }

    var current: NetworkConfiguration {
        if let text = file.changedText() {
            known = NetworkConfiguration(text: text)
            tables = known.tables.map(ChangingFile.init)
            resolution.tables = tables.map { _ in NameTable() }
            resolution.forwards = !known.servers.isEmpty
        }
        return known
    }

    /// What is to be done with a message, by the tables as they are now.
    func decide(_ message: [UInt8], limit: Int?) -> NameResolution.Decision {
        _ = current
        for index in tables.indices {
            guard let text = tables[index].changedText() else { continue }
            var table = NameTable(text: text)
            for link in known.links where link.table == index { table.link(link.alias, to: link.name) }
            resolution.tables[index] = table
        }
        return resolution.decide(message, limit: limit)
    }

    func target(_ index: Int) -> SocketEndpoint? {
        let targets = current.targets
        return targets.indices.contains(index) ? targets[index] : nil
    }
}

/// A small file that is replaced as a whole: a stat(2), which takes a microsecond, tells whether it was.
struct ChangingFile {
    private struct Version: Hashable {
        var inode: UInt64
        var seconds: Int
        var nanoseconds: Int
    }

    private let path: String
    private var version: Version?

    init(path: String) { self.path = path }

    /// The text, where it is another than the last time. One that is gone is as it was: its network goes with it.
    mutating func changedText() -> String? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        let found = Version(
            inode: UInt64(facts.st_ino), seconds: facts.st_mtim.tv_sec, nanoseconds: facts.st_mtim.tv_nsec)
        guard found != version else { return nil }
        do {
            let bytes = try FileContents.read(path, limitBytes: 16 << 20)
            version = found
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            Diagnostics.note("\(error)")
            return nil
        }
    }
}
