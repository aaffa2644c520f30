import Glibc
import Linux
import Netlink
import Testing

@testable import Shim

/// A published port of datagrams that the shim serves, between sockets of the test.
@Suite final class DatagramForwardTests {
    private let directory: String
    private let loop: EventLoop
    private var sockets: [Descriptor] = []
    private var watches: [EventLoop.Watch] = []

    init() throws {
        var template = Array("/tmp/gantry-forward-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        loop = try EventLoop()
    }

    deinit {
        for watch in watches { loop.forget(watch) }
        for socket in sockets { socket.close() }
        unlink(file)
        rmdir(directory)
    }

    private var file: String { directory + "/network" }

    private func bound(_ address: IPAddress, in namespace: Descriptor? = nil) throws -> Descriptor {
        let local = SocketEndpoint(address, 0)
        let socket: Descriptor
        if let namespace {
            socket = try NetworkNamespace.run(in: namespace) { () throws(KernelError) in
                try InternetSocket.bound(.datagram, local)
            }
        } else {
            socket = try InternetSocket.bound(.datagram, local)
        }
        sockets.append(socket)
        return socket
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private func lead(to target: SocketEndpoint?) throws {
        let place = target.map { "\($0.address) \($0.port)" } ?? "none"
        try FileContents.replace(file, with: Array("forward \(place)\n".utf8), durable: false)
    }

    private func forward(_ port: Descriptor) throws -> DatagramForward {
        try DatagramForward(
            loop, port, index: 0, configuration: LiveConfiguration(path: file), budget: DescriptorBudget(limit: 1000))
    }

    private func onDatagram(_ socket: Descriptor, _ body: @escaping (String, SocketEndpoint) throws -> Void) throws {
        watches.append(
            try loop.watch(socket, .readable) { _ in
                do {
                    var buffer = [UInt8](repeating: 0, count: 64)
                    let (count, peer) = try InternetSocket.receive(socket, into: &buffer)
                    try body(String(decoding: buffer[..<count], as: UTF8.self), peer)
                } catch { Issue.record(error) }
            })
    }

    /// Answers with what it is asked and a word of its own.
    private func serve(_ socket: Descriptor, _ word: String) throws {
        try onDatagram(socket) { text, peer in try InternetSocket.send(socket, Array((text + word).utf8), to: peer) }
    }

    /// For what never comes: the loop's end, and the expectation's failure.
    private func run() throws {
        loop.after(milliseconds: 10_000) { [unowned loop] in loop.end() }
        try loop.run()
    }

    @Test(
        "An answer comes from the address that was asked, whichever of them the route would choose",
        arguments: [
            ("0.0.0.0", "127.0.0.1", ["127.0.0.3", "127.0.0.2"]), ("::", "::1", ["fd77::3", "fd77::2", "::1"]),
        ])
    func askedAddress(any: String, own: String, asked: [String]) throws {
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        var netlink = try NetlinkSocket(in: namespace.descriptor)
        // The loopback's index in every namespace.
        try netlink.setUp(1)
        for text in asked where text.hasPrefix("fd77") {
            try netlink.addAddress(try address(text), prefixLength: 128, to: 1)
        }
        let place = namespace.descriptor
        let (port, client) = (try bound(address(any), in: place), try bound(address(own), in: place))
        // What the shim opens is in the test's own network, as the container is here.
        let server = try bound(address("127.0.0.1"))
        try serve(server, "!")
        try lead(to: SocketEndpoint(try address("127.0.0.1"), try InternetSocket.port(server)))
        let served = try forward(port)
        defer { served.close() }
        var heard: [SocketEndpoint: String] = [:]
        try onDatagram(client) { [unowned loop] text, peer in
            heard[peer] = text
            if heard.count == asked.count { loop.end() }
        }
        let number = try InternetSocket.port(port)
        let questions = try asked.map { SocketEndpoint(try address($0), number) }
        for question in questions { try InternetSocket.send(client, Array("\(question)".utf8), to: question) }
        try run()
        #expect(heard == Dictionary(uniqueKeysWithValues: questions.map { ($0, "\($0)!") }))
    }

    @Test("A client that goes on is served where the container is now; what its former address says is nobody's answer")
    func movedTarget() throws {
        let loopback = try address("127.0.0.1")
        let (first, second, port) = (try bound(loopback), try bound(loopback), try bound(loopback))
        let targets = try [first, second].map { SocketEndpoint(loopback, try InternetSocket.port($0)) }
        let client = try bound(loopback)
        let asked = SocketEndpoint(loopback, try InternetSocket.port(port))
        try serve(first, "1")
        var shim: SocketEndpoint?
        try onDatagram(second) { text, peer in
            shim = peer
            try InternetSocket.send(second, Array((text + "2").utf8), to: peer)
        }
        try lead(to: targets[0])
        let served = try forward(port)
        defer { served.close() }
        var heard: [String] = []
        try onDatagram(client) { [unowned self] text, _ in
            heard.append(text)
            switch heard.count {
            case 1:
                try lead(to: targets[1])
                try InternetSocket.send(client, Array("b".utf8), to: asked)
            case 2:
                try lead(to: nil)
                try InternetSocket.send(second, Array("late".utf8), to: #require(shim))
                // Behind it, or before it: the client hears the new one alone.
                loop.after(milliseconds: 1) { [unowned self] in
                    do {
                        try lead(to: targets[0])
                        try InternetSocket.send(client, Array("c".utf8), to: asked)
                    } catch { Issue.record(error) }
                }
            default: loop.end()
            }
        }
        try InternetSocket.send(client, Array("a".utf8), to: asked)
        try run()
        #expect(heard == ["a1", "b2", "c1"])
    }
}
