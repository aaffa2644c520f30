import EngineAPI
import Glibc
import Linux
import LocalEngine
import NameService
import Netlink

/// Sockets in a container's network, or on the host, and waiting for them with an end.
struct NetworkPeer {
    /// Nil for the host.
    let namespace: Descriptor?

    static let host = NetworkPeer(namespace: nil)

    /// Inside of a running container's network.
    init(_ id: String, _ engine: GantryEngine) async throws {
        let pid = try await engine.inspect(id).state.pid
        let ticks = try ProcessStat.read(pid: pid).startTicks
        namespace = try NetworkNamespace.open(pid: pid, startTicks: ticks)
    }

    private init(namespace: Descriptor?) { self.namespace = namespace }

    func close() { namespace?.close() }

    func here<Value: Sendable>(
        _ body: @escaping @Sendable () throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        guard let namespace else { return try body() }
        return try NetworkNamespace.run(in: namespace, body)
    }

    /// Whether a connection to the address comes about, and is answered by `greeting` where one is expected.
    func reaches(_ peer: SocketEndpoint, seconds: Int32 = 5) throws -> Bool {
        let socket = OwnedDescriptor(
            try here { () throws(KernelError) in try InternetSocket.open(.stream, peer.address.family) })
        do {
            if try InternetSocket.connect(socket.descriptor, to: peer) { return true }
            guard Self.wait(socket.descriptor, POLLOUT, seconds) else { return false }
            return try InternetSocket.pendingError(socket.descriptor) == nil
        } catch { return false }
    }

    /// What a server at the address answers to a line.
    func ask(_ text: String, _ peer: SocketEndpoint, _ kind: InternetSocket.Kind = .stream) throws -> String? {
        let socket = OwnedDescriptor(
            try here { () throws(KernelError) in try InternetSocket.open(kind, peer.address.family) })
        if try !InternetSocket.connect(socket.descriptor, to: peer) {
            guard Self.wait(socket.descriptor, POLLOUT, 5), try InternetSocket.pendingError(socket.descriptor) == nil
            else { return nil }
        }
        return try Self.exchange(text, socket.descriptor)
    }

    /// The same of bytes, and the answer's first piece.
    func ask(bytes: [UInt8], _ peer: SocketEndpoint) throws -> [UInt8]? {
        let socket = OwnedDescriptor(
            try here { () throws(KernelError) in try InternetSocket.open(.stream, peer.address.family) })
        if try !InternetSocket.connect(socket.descriptor, to: peer) {
            guard Self.wait(socket.descriptor, POLLOUT, 5) else { return nil }
        }
        _ = try UnixSocket.send(socket.descriptor, bytes, from: 0)
        guard Self.wait(socket.descriptor, POLLIN, 5) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        return Array(buffer[..<(try socket.descriptor.read(into: &buffer))])
    }

    static func exchange(_ text: String, _ socket: Descriptor) throws -> String? {
        _ = try UnixSocket.send(socket, Array(text.utf8), from: 0)
        guard wait(socket, POLLIN, 5) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try socket.read(into: &buffer)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// What the name server of this container says; nil where it says nothing.
    func resolve(_ name: String, _ type: UInt16 = DNSQuery.typeA) throws -> [DNSRecord]? {
        guard let name = DNSName(name) else { return nil }
        let socket = OwnedDescriptor(try here { () throws(KernelError) in try InternetSocket.open(.datagram, .v4) })
        let server = SocketEndpoint(IPAddress(.v4, 0x7F00_000B), 53)
        try InternetSocket.send(socket.descriptor, DNSQuery(id: 77, name: name, type: type).encoded, to: server)
        guard Self.wait(socket.descriptor, POLLIN, 3) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try socket.descriptor.read(into: &buffer)
        let response = try DNSResponse(parsing: Array(buffer[..<count]))
        return response.code == .success ? response.records : nil
    }

    static func wait(_ socket: Descriptor, _ events: Int32, _ seconds: Int32) -> Bool {
        var entry = pollfd(fd: socket.rawValue, events: Int16(events), revents: 0)
        return poll(&entry, 1, seconds * 1000) == 1
    }
}

func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    for _ in 0..<1500 {
        if try await condition() { return true }
        await Task.detached { _ = poll(nil, 0, 20) }.value
    }
    return false
}

/// The program in the container listens a moment after it began.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<1500 {
        if try condition() { return true }
        _ = poll(nil, 0, 20)
    }
    return false
}
