import Glibc
import Linux
import Testing

@testable import Netlink

/// On the real kernel, in namespaces that the test makes and that go with their descriptors.
@Suite struct NetlinkTests {
    /// Two namespaces: the host's part and a container's.
    private final class Stage {
        let host: Descriptor
        let container: Descriptor
        var netlink: NetlinkSocket

        init() throws {
            let made = try NetworkNamespace.make()
            (host, container) = (made, try NetworkNamespace.make())
            netlink = try NetlinkSocket(in: made)
        }

        deinit {
            host.close()
            container.close()
        }
    }

    @Test("A namespace is made and entered without moving the caller")
    func namespaceIsLeft() throws {
        let before = try inode(NetworkNamespace.current())
        let made = try NetworkNamespace.make()
        defer { made.close() }
        let inside = try NetworkNamespace.run(in: made) { () throws(KernelError) in
            try inode(NetworkNamespace.current())
        }
        #expect(inside != before)
        #expect(try inode(NetworkNamespace.current()) == before)
        var netlink = try NetlinkSocket(in: made)
        #expect(try netlink.links().map(\.name) == ["lo"])
    }

    @Test("A bridge has the name, address, size and alias that it was made with")
    func bridge() throws {
        let stage = try Stage()
        let mac = try #require(MACAddress("02:42:11:22:33:44"))
        try stage.netlink.createBridge("gtbridge", address: mac, mtu: 1400, alias: "gantry of a test")
        let link = try stage.netlink.link("gtbridge")
        #expect(link.kind == "bridge")
        #expect(link.address == mac)
        #expect(link.mtu == 1400)
        #expect(link.alias == "gantry of a test")
        #expect(!link.isUp)
        try stage.netlink.setUp(link.index)
        #expect(try stage.netlink.link("gtbridge").isUp)
        try stage.netlink.deleteLink("gtbridge")
        #expect(throws: NetlinkError.self) { try stage.netlink.link("gtbridge") }
    }

    @Test("Retired links are down, in no bridge and under other names; they are deleted together, and no others")
    func retirement() throws {
        let stage = try Stage()
        try stage.netlink.createBridge("gtbridge", address: MACAddress(for: address("10.9.0.1")))
        let bridge = try stage.netlink.link("gtbridge")
        try stage.netlink.setUp(bridge.index)
        for name in ["one", "two", "three"] {
            try stage.netlink.createVeth(
                name, port: bridge.index, peer: EndpointLink(name: "in-\(name)"), in: stage.container)
        }
        for name in ["one", "two"] {
            try stage.netlink.retire(try stage.netlink.link(name).index, as: "old-\(name)", group: 77)
            let link = try stage.netlink.link("old-\(name)")
            #expect(!link.isUp && link.master == nil && link.group == 77)
            #expect(throws: NetlinkError.self) { try stage.netlink.link(name) }
        }
        try stage.netlink.deleteLinks(ofGroup: 77)
        #expect(try Set(stage.netlink.links().map(\.name)) == ["lo", "gtbridge", "three"])
        #expect(try stage.netlink.link("three").isUp)
        try stage.netlink.deleteLinks(ofGroup: 77)
    }

    @Test("A veth's peer is made inside of the other namespace, and both carry traffic")
    func veth() throws {
        let stage = try Stage()
        try stage.netlink.createBridge("gtbridge", address: MACAddress(for: address("10.9.0.1")))
        let bridge = try stage.netlink.link("gtbridge")
        try stage.netlink.addAddress(address("10.9.0.1"), prefixLength: 24, to: bridge.index)
        try stage.netlink.addAddress(address("fd09::1"), prefixLength: 64, to: bridge.index)
        try stage.netlink.setUp(bridge.index)
        let mac = MACAddress(for: address("10.9.0.2"))
        try stage.netlink.createVeth(
            "gtveth", port: bridge.index,
            peer: EndpointLink(name: "eth0", address: mac, mtu: 1300),
            in: stage.container)
        #expect(try stage.netlink.link("gtveth").master == bridge.index)
        var inside = try NetlinkSocket(in: stage.container)
        let eth0 = try inside.link("eth0")
        #expect(eth0.address == mac)
        #expect(eth0.mtu == 1300)
        try inside.addAddress(address("10.9.0.2"), prefixLength: 24, to: eth0.index)
        try inside.addAddress(address("fd09::2"), prefixLength: 64, to: eth0.index)
        try inside.setUp(eth0.index)
        try inside.addRoute(to: #require(Subnet("0.0.0.0/0")), gateway: address("10.9.0.1"), linkIndex: eth0.index)
        let routes = try inside.routes(.v4)
        #expect(routes.contains { $0.destination == Subnet("10.9.0.0/24") && $0.gateway == nil })
        #expect(routes.contains { $0.destination.prefixLength == 0 && $0.gateway == address("10.9.0.1") })
        #expect(try inside.addresses(of: eth0.index).map(\.address).contains(address("fd09::2")))
        for host in ["10.9.0.1", "fd09::1"] {
            #expect(try exchange(SocketEndpoint(address(host), 0), stage.host, stage.container))
        }
        #expect(try inside.link("eth0").statistics.sentPackets > 0)
    }

    @Test("A device is renamed, taken down and given other routes")
    func changes() throws {
        let stage = try Stage()
        try stage.netlink.createBridge("gtdummy", address: MACAddress(for: address("10.9.0.1")))
        let index = try stage.netlink.link("gtdummy").index
        try stage.netlink.rename(index, to: "gtother")
        try stage.netlink.setUp(index)
        try stage.netlink.addRoute(to: #require(Subnet("10.77.0.0/16")), gateway: nil, linkIndex: index)
        #expect(try stage.netlink.routes(.v4).map(\.destination) == [Subnet("10.77.0.0/16")])
        try stage.netlink.deleteRoute(to: #require(Subnet("10.77.0.0/16")), gateway: nil, linkIndex: index)
        #expect(try stage.netlink.routes(.v4).isEmpty)
        try stage.netlink.setUp(index, false)
        #expect(try !stage.netlink.link("gtother").isUp)
    }

    @Test("A macvlan is made over a device, in the container's namespace")
    func macvlan() throws {
        let stage = try Stage()
        try stage.netlink.createBridge("gtdummy", address: MACAddress(for: address("10.9.0.1")))
        let parent = try stage.netlink.link("gtdummy")
        do throws(NetlinkError) {
            try stage.netlink.createMacvlan(
                EndpointLink(name: "eth0"), over: parent.index, mode: .bridge, in: stage.container)
        } catch {
            // A kernel without the driver says so.
            #expect(error.errno == .notSupported)
            return
        }
        var inside = try NetlinkSocket(in: stage.container)
        #expect(try inside.link("eth0").kind == "macvlan")
    }

    @Test("An ipvlan is made over a device that leads nowhere, in the container's namespace")
    func ipvlan() throws {
        let stage = try Stage()
        do throws(NetlinkError) {
            try stage.netlink.createDummy("gtdummy", alias: "mine")
            let parent = try stage.netlink.link("gtdummy")
            #expect(parent.kind == "dummy" && parent.alias == "mine")
            for (name, mode, flag) in [("eth0", "l2", "bridge"), ("eth1", "l2", "private")] {
                try stage.netlink.createIPvlan(
                    EndpointLink(name: name), over: parent.index, mode: IPvlanMode(mode) ?? .l3s,
                    flag: IPvlanFlag(flag) ?? .vepa, in: stage.container)
            }
        } catch {
            // A kernel without the drivers says so.
            #expect(error.errno == .notSupported)
            return
        }
        var inside = try NetlinkSocket(in: stage.container)
        for name in ["eth0", "eth1"] {
            let link = try inside.link(name)
            #expect(link.kind == "ipvlan" && link.isParentElsewhere)
        }
    }

    @Test("A refusal says what was attempted, on what, and why")
    func refusals() throws {
        let stage = try Stage()
        let mac = MACAddress(for: address("10.9.0.1"))
        try stage.netlink.createBridge("gtbridge", address: mac)
        let twice = #expect(throws: NetlinkError.self) { try stage.netlink.createBridge("gtbridge", address: mac) }
        #expect(twice?.errno == .exists)
        #expect(twice.map(String.init(describing:))?.hasPrefix("create bridge `gtbridge`: file exists") == true)
        let long = #expect(throws: NetlinkError.self) {
            try stage.netlink.createBridge("a-name-of-17-byte", address: mac)
        }
        #expect(long?.errno.rawValue == ERANGE)
        // The kernel's own words come along.
        #expect(long?.detail.isEmpty == false)
    }

    @Test("A dump of many links comes whole, over several datagrams")
    func longDump() throws {
        let stage = try Stage()
        for number in 1...60 {
            let mac = MACAddress(for: address("10.9.0.\(number)"))
            try stage.netlink.createBridge("gtbridge\(number)", address: mac)
        }
        #expect(try stage.netlink.links().count == 61)
    }

    @Test("A message cut off anywhere is read without harm")
    func cutOff() throws {
        var message = NetlinkMessage(16, .making, head: LinkHead.bytes())
        message.put(LinkAttribute.name, text: "eth0")
        message.nest(LinkAttribute.info) { $0.put(LinkAttribute.infoKind, text: "veth") }
        let body = message.encoded(sequence: 1).dropFirst(16)
        for count in 0...body.count { _ = Link(body.prefix(count)) }
        let whole = try #require(Link(body))
        #expect(whole.name == "eth0")
        #expect(whole.kind == "veth")
    }

    @Test("Of what is told of the packet filter this very table's losses are heard, and what is cut off harms nobody")
    func news() {
        func message(_ type: UInt16, family: UInt8 = 1, _ value: [UInt8]) -> [UInt8] {
            let attribute = [UInt8(4 + value.count), 0, 1, 0] + value
            let padded = attribute + Array(repeating: 0, count: (4 - attribute.count % 4) % 4)
            let body = [family, 0, 0, 0] + padded
            return [UInt8(16 + body.count), 0, 0, 0, UInt8(type & 0xFF), UInt8(type >> 8)]
                + Array(repeating: 0, count: 10) + body
        }
        func message(_ type: UInt16, family: UInt8 = 1, table: String) -> [UInt8] {
            message(type, family: family, Array(table.utf8) + [0])
        }
        func generation(_ number: UInt8) -> [UInt8] { message(0xA0F, family: 0, [0, 0, 1, number]) }
        var news = FilterNews(of: "gantry")
        let others = [(0xA02, 2, "gantry"), (0xA02, 1, "gantry_2"), (0xA00, 1, "gantry"), (0xA08, 1, "gantry_2")]
        let row = others.flatMap { message(UInt16($0.0), family: UInt8($0.1), table: $0.2) }
        #expect(news.losses(in: (row + generation(1))[...]) == [])
        let whole = row + message(0xA02, table: "gantry")
        #expect(news.losses(in: whole[...]) == [.table])
        for count in 0..<whole.count { #expect(news.losses(in: whole[..<count]) == []) }
        // A rule, told in another datagram than the change that it belongs to.
        #expect(news.losses(in: message(0xA08, table: "gantry")[...]) == [])
        #expect(news.losses(in: generation(2)[...]) == [.part(generation: 0x102)])
        #expect(news.losses(in: generation(3)[...]) == [])
        let chain = message(0xA05, table: "gantry") + generation(4) + message(0xA06, table: "gantry") + generation(5)
        #expect(news.losses(in: chain[...]) == [.part(generation: 0x104)])
    }

    /// Whether a datagram comes through from one namespace to a socket in the other.
    private func exchange(
        _ server: SocketEndpoint, _ there: Descriptor, _ here: Descriptor
    ) throws -> Bool {
        let listener = try NetworkNamespace.run(in: there) { () throws(KernelError) in
            try InternetSocket.bound(.datagram, server)
        }
        defer { listener.close() }
        let port = try InternetSocket.port(listener)
        let client = try NetworkNamespace.run(in: here) { () throws(KernelError) in
            try InternetSocket.open(.datagram, server.address.family)
        }
        defer { client.close() }
        try InternetSocket.send(client, Array("hello".utf8), to: SocketEndpoint(server.address, port))
        var entry = pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 5000) == 1
    }

    private func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(.v4, 0) }

}

private func inode(_ namespace: Descriptor) throws(KernelError) -> UInt64 { try fileNumber(namespace) }

/// Closes the descriptor, too.
private func fileNumber(_ file: Descriptor) throws(KernelError) -> UInt64 {
    defer { file.close() }
    var facts = stat()
    try kernelCall("stat") { fstat(file.rawValue, &facts) }
    return UInt64(facts.st_ino)
}
