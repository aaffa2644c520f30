import EngineAPI
import Glibc
import Linux
import Testing

@testable import Networking

@Suite struct PortTests {
    private let loopback = "127.0.0.1"

    @Test("A port that names no number gets one of the machine's free ones, and holds it")
    func anyPort() throws {
        let held = try PortReservation.hold(
            [PortBinding(ContainerPort(80), hostAddress: loopback)], address: nil, owner: { _ in nil })
        defer { PortReservation.release(held) }
        let port = try #require(held.first?.published.hostPort)
        #expect(port > 0)
        let again = PortBinding(ContainerPort(81), hostAddress: loopback, hostPort: port)
        let error = #expect(throws: EngineError.self) {
            try PortReservation.hold([again], address: nil, owner: { _ in nil })
        }
        // This test's own process has it.
        #expect(
            error?.message.hasPrefix("failed to bind host port 127.0.0.1:\(port)/tcp: address already in use") == true)
        #expect(error?.message.contains("process \(getpidText)") == true)
    }

    @Test("A port of SCTP is held where the kernel has the protocol; else the refusal says that it has not")
    func sctp() throws {
        let binding = PortBinding(ContainerPort(80, .sctp), hostAddress: loopback)
        let result = Result { try PortReservation.hold([binding], address: nil, owner: { _ in nil }) }
        guard socket(AF_INET, Int32(SOCK_STREAM.rawValue), 132) < 0 else {
            let held = try result.get()
            defer { PortReservation.release(held) }
            #expect(held.count == 1 && held[0].published.hostPort != 0)
            return
        }
        let error = #expect(throws: EngineError.self) { try result.get() }
        #expect(error?.kind == .unsupported)
        #expect(error?.message.contains("/sctp: protocol not supported: this machine's kernel has no SCTP") == true)
    }

    @Test("A range gives its first free port, and is refused when none is left")
    func range() throws {
        let first = try PortReservation.hold(
            [PortBinding(ContainerPort(80), hostAddress: loopback)], address: nil, owner: { _ in nil })
        defer { PortReservation.release(first) }
        let port = try #require(first.first?.published.hostPort)
        let both = PortBinding(ContainerPort(80), hostAddress: loopback, hostPort: port, lastHostPort: port &+ 1)
        let second = try PortReservation.hold([both], address: nil, owner: { _ in nil })
        defer { PortReservation.release(second) }
        #expect(second.first?.published.hostPort == port + 1)
    }

    @Test("Where one of several cannot be had, none is held")
    func allOrNone() throws {
        let taken = try PortReservation.hold(
            [PortBinding(ContainerPort(80, .udp), hostAddress: loopback)], address: nil, owner: { _ in nil })
        defer { PortReservation.release(taken) }
        let port = try #require(taken.first?.published.hostPort)
        let pair = [
            PortBinding(ContainerPort(80), hostAddress: loopback, hostPort: port),
            PortBinding(ContainerPort(80, .udp), hostAddress: loopback, hostPort: port),
        ]
        #expect(throws: EngineError.self) { try PortReservation.hold(pair, address: nil, owner: { _ in nil }) }
        PortReservation.release(try PortReservation.hold([pair[0]], address: nil, owner: { _ in nil }))
    }

    @Test("A port that another container has is refused by the container's name")
    func owner() throws {
        let binding = PortBinding(ContainerPort(80), hostAddress: loopback, hostPort: 8080)
        let error = #expect(throws: EngineError.self) {
            try PortReservation.hold([binding], address: nil, owner: { _ in "web" })
        }
        #expect(error?.message == "Bind for 127.0.0.1:8080 failed: port is already allocated (by container web)")
        #expect(error?.kind == .conflict)
    }

    @Test("A port that one container publishes twice is refused as docker refuses it")
    func twice() throws {
        let free = try PortReservation.hold(
            [PortBinding(ContainerPort(80), hostAddress: loopback)], address: nil, owner: { _ in nil })
        let port = try #require(free.first?.published.hostPort)
        PortReservation.release(free)
        let bindings = [80, 81].map { PortBinding(ContainerPort($0), hostAddress: loopback, hostPort: port) }
        let error = #expect(throws: EngineError.self) {
            try PortReservation.hold(bindings, address: nil, owner: { _ in nil })
        }
        #expect(error?.message == "Bind for 127.0.0.1:\(port) failed: port is already allocated")
    }

    @Test("A holder is looked for by the kernel's table of sockets")
    func table() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100
               1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0 100
            """
        #expect(PortHolder.inodes(in: table, port: 8080) == ["12345"])
        #expect(PortHolder.inodes(in: table, port: 23) == [])
    }

    private var getpidText: String { String((try? ProcessStat.read(pid: ownPid).pid) ?? 0) }
    private var ownPid: Int32 {
        // /proc/self names whoever looks.
        Int32(
            ((try? FileContents.read("/proc/self/stat")) ?? []).prefix { $0 != 32 }.reduce(0) { $0 * 10 + Int($1) - 48 }
        )
    }
}
