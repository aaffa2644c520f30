import EngineAPI
import Glibc
import Linux
import LocalEngine
import Testing

/// Connections to published ports that the shim carries: by loopback of version 6.
@Suite(
    .enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"),
    .enabled(if: access("/proc/net/if_inet6", F_OK) == 0, "needs IP version 6"), .timeLimit(.minutes(2)))
struct CarriedConnectionTests {
    @Test("A shim rests while a client leaves unread what a server left it, and passes all of it on in the end")
    func unreadRest() async throws {
        try await EngineBench.with { engine, bench in
            let id = try await bench.create("sleep 600", on: engine) { spec in
                spec.networkMode = .bridge
                spec.portBindings = [PortBinding(ContainerPort(7))]
            }
            try await engine.start(id)
            let shim = try #require(try await engine.processes(id).first { $0.role == .shim }?.pid)
            let port = try #require(try await engine.inspect(id).ports.first?.hostPort)
            let peer = try await NetworkPeer(id, engine)
            defer { peer.close() }
            let listener = OwnedDescriptor(
                try peer.here { () throws(KernelError) in
                    try InternetSocket.bound(.stream, SocketEndpoint(IPAddress(.v4, 0), 7))
                })
            let (client, server) = try Self.connect(port, listener.descriptor)
            let (other, answering) = try Self.connect(port, listener.descriptor)
            defer { for socket in [client, server, other, answering] { socket.close() } }
            shutdown(client.rawValue, Int32(SHUT_WR))
            var buffer = [UInt8](repeating: 7, count: 64 << 10)
            try #require(NetworkPeer.wait(server, POLLIN, 5))
            #expect(try server.read(into: &buffer) == 0)
            // More than there is room for on the way to the client: the rest waits at the shim.
            let place = try #require(try await engine.inspect(id).networks.first.flatMap { IPAddress($0.ipv4Address) })
            var sent = 0
            while try !Self.waits(SocketEndpoint(place, 7)) {
                if NetworkPeer.wait(server, POLLOUT, 5) {
                    sent += try UnixSocket.send(server, Array(buffer[..<8192]), from: 0)
                }
            }
            shutdown(server.rawValue, Int32(SHUT_WR))
            #expect(try eventually { try Self.isOver(server) })
            var received = 0
            // What it carries now it carries after it has heard of that.
            _ = try UnixSocket.send(other, [120], from: 0)
            #expect(NetworkPeer.wait(answering, POLLIN, 10))
            #expect(try (0..<20).contains { _ in try Self.rests(shim) })
            while NetworkPeer.wait(client, POLLIN, 10) {
                let count = try client.read(into: &buffer)
                if count == 0 { break }
                received += count
            }
            #expect(received == sent)
        }
    }

    /// A client of the published port that takes little at a time, and who answers it in the container.
    private static func connect(_ port: UInt16, _ listener: Descriptor) throws -> (Descriptor, Descriptor) {
        let client = try InternetSocket.open(.stream, .v6)
        var size: Int32 = 4096
        setsockopt(client.rawValue, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        _ = try InternetSocket.connect(client, to: SocketEndpoint(IPAddress(.v6, 1), port))
        try #require(NetworkPeer.wait(client, POLLOUT, 5) && NetworkPeer.wait(listener, POLLIN, 5))
        return (client, try UnixSocket.accept(listener))
    }

    /// Whether a process uses no time for some hundredths of a second, the kernel's measure: a loop that turns always does.
    private static func rests(_ pid: Int32) throws -> Bool {
        let before = try ProcessStat.read(pid: pid)
        _ = poll(nil, 0, 300)
        let after = try ProcessStat.read(pid: pid)
        return after.state == "S" && (before.userTicks, before.systemTicks) == (after.userTicks, after.systemTicks)
    }

    /// Whether bytes have come from there that nobody reads: proc_net(5), whose addresses are numbers of this machine.
    private static func waits(_ peer: SocketEndpoint) throws -> Bool {
        let name = peer.address.bytes.reversed().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + ":0007"
        func unread() throws -> Int {
            let lines = String(decoding: try FileContents.read("/proc/net/tcp"), as: UTF8.self).split(separator: "\n")
            return lines.map { $0.split(separator: " ") }.filter { $0.count > 4 && $0[2].lowercased() == name }
                .compactMap { Int($0[4].split(separator: ":").last ?? "", radix: 16) }.max() ?? 0
        }
        guard try unread() >= 16 << 10 else { return false }
        _ = poll(nil, 0, 200)
        return try unread() >= 16 << 10
    }

    /// Whether the other side has taken all of this one's bytes, and its end: tcp(7), TCP_INFO, whose first byte is the
    /// state.
    private static func isOver(_ socket: Descriptor) throws -> Bool {
        var info = [UInt8](repeating: 0, count: 104)
        var length = socklen_t(info.count)
        try kernelCall("read the state of a connection") {
            getsockopt(socket.rawValue, 6, TCP_INFO, &info, &length)
        }
        return info[0] == 7  // TCP_CLOSE
    }
}
