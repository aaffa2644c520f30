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
            let (client, server) = try Self.connect(peer, port)
            defer {
                client.close()
                server.close()
            }
            shutdown(client.rawValue, Int32(SHUT_WR))
            var buffer = [UInt8](repeating: 7, count: 64 << 10)
            try #require(NetworkPeer.wait(server, POLLIN, 5))
            #expect(try server.read(into: &buffer) == 0)
            // As much as there is room for on the way.
            var sent = 0
            while NetworkPeer.wait(server, POLLOUT, 1) { sent += try UnixSocket.send(server, buffer, from: 0) }
            shutdown(server.rawValue, Int32(SHUT_WR))
            // Until the shim's side has heard of the end: then all the rest waits there.
            var received = 0
            var piece = [UInt8](repeating: 0, count: 16 << 10)
            while try !Self.isOver(server) {
                if NetworkPeer.wait(client, POLLIN, 1) { received += try client.read(into: &piece) }
            }
            #expect(try eventually { try ProcessStat.read(pid: shim).state == "S" }, "a loop that turns never sleeps")
            while NetworkPeer.wait(client, POLLIN, 10) {
                let count = try client.read(into: &buffer)
                if count == 0 { break }
                received += count
            }
            #expect(received == sent)
        }
    }

    /// A client of the published port that takes little at a time, and who answers it in the container.
    private static func connect(_ peer: NetworkPeer, _ port: UInt16) throws -> (Descriptor, Descriptor) {
        let listener = OwnedDescriptor(
            try peer.here { () throws(KernelError) in
                try InternetSocket.bound(.stream, SocketEndpoint(IPAddress(.v4, 0), 7))
            })
        let client = try InternetSocket.open(.stream, .v6)
        var size: Int32 = 4096
        setsockopt(client.rawValue, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        _ = try InternetSocket.connect(client, to: SocketEndpoint(IPAddress(.v6, 1), port))
        try #require(NetworkPeer.wait(client, POLLOUT, 5) && NetworkPeer.wait(listener.descriptor, POLLIN, 5))
        return (client, try UnixSocket.accept(listener.descriptor))
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
