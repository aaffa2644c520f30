import EngineAPI
import Glibc
import Linux
import Netlink
import Synchronization
import Testing

@testable import Networking

/// What a networks' service reads at its first use.
@Suite final class LoadingTests {
    private let folder: String

    init() throws {
        folder = "/tmp/gantry-networking-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(folder)
    }

    deinit { try? Directory.removeTree(folder) }  // The test's own; nothing to tell.

    private struct Index: NetworkIndex {
        let network: NetworkDefinition
        let records: [EndpointRecord]
        var odd = UnreadNetworks()

        func networks() -> [NetworkDefinition] { [network] }
        func endpoints() -> [EndpointRecord] { records }
        func unread() -> UnreadNetworks { odd }
        func apply(_ changes: [NetworkIndexChange]) {}
    }

    private func network(_ name: String) throws -> NetworkDefinition {
        var spec = NetworkSpec(name: name)
        spec.options["com.docker.network.bridge.default_bridge"] = "true"
        return try NetworkDraft(networks: [], routes: []).definition(
            spec, id: String(repeating: "5a", count: 32), createdAt: 0, linkName: "gt-none")
    }

    @Test("A first use that failed leaves nothing: the next reads all of it once")
    func failedLoads() async throws {
        let network = try network("bridge")
        let records = ["one", "two"].enumerated().map { order, id in
            EndpointRecord(
                containerID: "c0ffee", containerName: id, networkID: network.id, order: 1 - order, spec: EndpointSpec())
        }
        // A file where the directory is to be.
        try FileContents.replace("\(folder)/run", with: [])
        let service = NetworkService(
            index: Index(network: network, records: records),
            roots: NetworkRoots(runRoot: "\(folder)/run", dataRoot: folder, suffix: "test"),
            containers: NetworkedContainers(
                process: { _ in nil }, request: { _ in nil }, serveNames: { (_) throws(EngineError) in }),
            note: { Issue.record("\($0)") })
        for _ in 0..<3 { await #expect(throws: EngineError.self) { try await service.networks() } }
        unlink("\(folder)/run")
        #expect(try await service.networks() == [network])
        #expect(await service.endpoints["c0ffee"]?.map(\.containerName) == ["two", "one"])
    }

    @Test("A container whose part in a network cannot be read is not started without it, until it is removed")
    func unreadMembership() async throws {
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        let ground = NetworkGround(namespace: namespace.descriptor)
        let network = try network("bridge")
        var index = Index(network: network, records: [])
        index.odd.memberships["c0ffee"] = [network.id]
        let service = NetworkService(
            index: index, roots: NetworkRoots(runRoot: "\(folder)/run", dataRoot: folder, suffix: "test"),
            containers: NetworkedContainers(
                process: { _ in nil }, request: { _ in nil }, serveNames: { (_) throws(EngineError) in }),
            openGround: { () throws(EngineError) in ground }, note: { Issue.record("\($0)") })
        func request(_ id: String) -> NetworkRequest {
            NetworkRequest(
                containerID: id, names: ContainerNames(hostname: "h"), bindings: [], filesDirectory: folder)
        }
        let refusal = await #expect(throws: EngineError.self) { try await service.prepare(request("c0ffee")) }
        #expect(refusal?.kind == .internal && refusal?.message.contains("network bridge cannot be read") == true)
        try await service.prepare(request("beef")).closeSockets()
        try await service.leave("c0ffee")
        #expect(await service.unread.memberships.isEmpty)
        try await service.prepare(request("c0ffee")).closeSockets()
    }

    @Test("Where the machine forwards for containers alone, the rules are ones that the kernel takes, of both versions")
    func closedRules() throws {
        var network = try network("bridge")
        network.linkName = "br0"
        let rules = FirewallRules(table: "gantry_test")
        let open = rules.whole([network], [])
        #expect(!open.contains("nfproto"))
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        let ground = NetworkGround(namespace: namespace.descriptor)
        for families in [[.v4], [.v6], [.v4, .v6]] as [Set<IPAddress.Family>] {
            let commands = rules.whole([network], [], closing: families)
            let listing = try ground.run { () throws(EngineError) in
                let filter = PacketFilter()
                try filter.run(commands)
                return try filter.run("list chain inet gantry_test forward")
            }
            #expect(listing.contains("meta nfproto ipv4 drop") == families.contains(.v4), "\(listing)")
            #expect(listing.contains("meta nfproto ipv6 drop") == families.contains(.v6), "\(listing)")
        }
    }

    @Test("A bridge that a kill left half made is finished; one of the same name that is somebody's is refused")
    func halfMadeBridge() throws {
        var network = try network("bridge")
        network.linkName = "gt-\(network.id.prefix(12))"
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        let links = HostLinks(mark: "gantry \(folder)", namespace: namespace.descriptor)
        var socket = try NetlinkSocket(in: namespace.descriptor)
        let address = MACAddress(for: IPAddress(.v4, 0x0A00_0001))
        try socket.createBridge(network.linkName, address: address, alias: "")
        _ = try links.ensure(network)
        let made = try socket.link(network.linkName)
        #expect(made.alias == links.mark && made.isUp)
        #expect(try socket.addresses(of: made.index).map(\.address) == [network.block(.v4)?.gateway])
        try socket.deleteLink(network.linkName)
        try socket.createBridge(network.linkName, address: address, alias: "somebody else")
        let refusal = #expect(throws: EngineError.self) { try links.ensure(network) }
        #expect(refusal?.message.contains("it is not of this engine") == true)
    }

    /// A setting of a device, in the namespace.
    private static func setting(_ path: String, in namespace: Descriptor) throws -> String {
        try NetworkNamespace.run(in: namespace) { () throws(KernelError) in
            String(decoding: try FileContents.read("/proc/sys/net/\(path)").filter { $0 != 10 }, as: UTF8.self)
        }
    }

    @Test(
        "A bridge learns nothing of those on it that call themselves routers, and has no version 6 without addresses of it",
        arguments: [true, false])
    func routerAdvertisements(hasVersion6: Bool) throws {
        var network = try network("bridge")
        if hasVersion6 {
            let subnet = try #require(Subnet("fd77::/64"))
            let gateway = try #require(IPAddress("fd77::1"))
            network.blocks.append(.init(subnet: subnet, range: subnet, gateway: gateway))
        }
        network.linkName = "gt-\(network.id.prefix(12))"
        let name = network.linkName
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        let links = HostLinks(mark: "gantry \(folder)", namespace: namespace.descriptor)
        func check() throws {
            #expect(try Self.setting("ipv6/conf/\(name)/accept_ra", in: namespace.descriptor) == "0")
            let isOff = try Self.setting("ipv6/conf/\(name)/disable_ipv6", in: namespace.descriptor) == "1"
            #expect(isOff != hasVersion6)
            #expect(try Self.setting("ipv4/conf/\(name)/route_localnet", in: namespace.descriptor) == "1")
        }
        _ = try links.ensure(network)
        try check()
        // As an engine before this one left it.
        try NetworkNamespace.run(in: namespace.descriptor) { () throws(KernelError) in
            try FileContents.write("1", to: "/proc/sys/net/ipv6/conf/\(name)/accept_ra")
        }
        _ = try links.ensure(network)
        try check()
        // As somebody else's `ip link delete` leaves it.
        var socket = try NetlinkSocket(in: namespace.descriptor)
        try socket.deleteLink(name)
        _ = try links.ensure(network)
        try check()
    }

    @Test("Members of a bridge that are kept apart do not reach each other by it as their router either")
    func membersApart() throws {
        var network = try network("bridge")
        network.spec.options["com.docker.network.bridge.enable_icc"] = "false"
        network.linkName = "br0"
        let ground = NetworkGround(namespace: try NetworkNamespace.make())
        defer { ground.namespace?.close() }
        let commands = FirewallRules(table: "gantry_test").whole([network], [])
        let listing = try ground.run { () throws(EngineError) in
            let filter = PacketFilter()
            try filter.run(commands)
            return try filter.run("list chain inet gantry_test forward")
        }
        let refusal = try #require(listing.firstRange(of: "iifname @apart oifname @apart drop"))
        let leave = try #require(listing.firstRange(of: "iifname . oifname @same accept"))
        #expect(refusal.upperBound < leave.lowerBound)
    }

    /// What is written down, in memory.
    private final class EmptyIndex: NetworkIndex {
        let written = Mutex<[NetworkDefinition]>([])

        func networks() -> [NetworkDefinition] { written.withLock { $0 } }
        func endpoints() -> [EndpointRecord] { [] }
        func unread() -> UnreadNetworks { UnreadNetworks() }
        func apply(_ changes: [NetworkIndexChange]) {
            for case .put(let network) in changes { written.withLock { $0.append(network) } }
        }
    }

    @Test("Where routes leave the default network no room the others can be used, and it is made once there is some")
    func noRoomForDefault() async throws {
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        let ground = NetworkGround(namespace: namespace.descriptor)
        try ground.prepare()
        var socket = try NetlinkSocket(in: namespace.descriptor)
        let taken = try ["172.16.0.0/12", "192.168.0.0/16"].map { try #require(Subnet($0)) }
        for subnet in taken { try socket.addRoute(to: subnet, gateway: nil, linkIndex: 1) }
        let notes = Mutex<[String]>([])
        let index = EmptyIndex()
        let service = NetworkService(
            index: index, roots: NetworkRoots(runRoot: "\(folder)/run", dataRoot: folder, suffix: "test"),
            containers: NetworkedContainers(
                process: { _ in nil }, request: { _ in nil }, serveNames: { (_) throws(EngineError) in }),
            openGround: { () throws(EngineError) in ground }, note: { note in notes.withLock { $0.append(note) } })
        #expect(try await service.networks() == [])
        #expect(notes.withLock { $0 }.count == 1)
        var spec = NetworkSpec(name: "mine")
        spec.pools = [AddressPool(subnet: "10.77.0.0/24")]
        #expect(try await service.create(spec).name == "mine")
        let refusal = await #expect(throws: EngineError.self) { try await service.network("bridge") }
        #expect(refusal?.message.contains("non-overlapping IPv4 address pool") == true)
        try socket.deleteRoute(to: taken[1], gateway: nil, linkIndex: 1)
        #expect(try await service.network("bridge").blocks.map(\.subnet.description) == ["192.168.0.0/20"])
        #expect(index.written.withLock { $0.map(\.name) } == ["mine", "bridge"])
    }

    @Test(
        "Containers of the default network ask servers that they can reach, and docker's where there is none",
        arguments: [
            (["2001:db8::53", "192.0.2.53"], false, ["192.0.2.53"]),
            (["2001:db8::53", "192.0.2.53"], true, ["2001:db8::53", "192.0.2.53"]),
            (["2001:db8::53"], false, ["8.8.8.8", "8.8.4.4"]),
            (["127.0.0.1", "::1"], true, ["8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"]),
        ])
    func reachable(servers: [String], hasIPv6: Bool, asked: [String]) {
        var file = ResolverFile()
        file.servers = servers
        #expect(file.reachable(hasIPv6: hasIPv6).servers == asked)
    }

    @Test("Where the host has no name server, those of other networks ask docker's choice, unless no way leads there")
    func noServers() throws {
        let open = try network("mine")
        var closed = open
        closed.spec.isInternal = true
        #expect(
            NetworkService.servers(ResolverFile(), [closed, open]).map(\.address.description) == ["8.8.8.8", "8.8.4.4"])
        #expect(NetworkService.servers(ResolverFile(), [closed]) == [])
        // Of one that cannot be asked nothing would be answered.
        let linked = NetworkService.servers(ResolverFile(text: "nameserver fe80::1%eth0"), [open])
        #expect(linked.map(\.address.description) == ["8.8.8.8", "8.8.4.4"])
        #expect(
            NetworkService.servers(ResolverFile(text: "nameserver 192.0.2.1"), [open]).map(\.address.description) == [
                "192.0.2.1"
            ])
    }

    @Test("A change of the packet filter by whomever is seen by its generation, and each of ours counts one")
    func filterGeneration() throws {
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        let counts = try NetworkGround(namespace: namespace.descriptor).run { () throws(EngineError) -> [UInt32] in
            let filter = PacketFilter()
            var counts: [UInt32] = []
            do {
                var socket = try NetlinkSocket(.filter)
                counts.append(try socket.filterGeneration())
                for command in ["add table inet a", "list chains", "add table inet b; add chain inet b c"] {
                    try filter.run(command)
                    counts.append(try socket.filterGeneration())
                }
            } catch { throw EngineError(.internal, "\(error)") }
            return counts
        }
        #expect(counts.map { $0 &- counts[0] } == [0, 1, 1, 2])
    }

    @Test("Who only looks at others' rules does not read the elements of their sets")
    func terse() throws {
        let namespace = OwnedDescriptor(try NetworkNamespace.make())
        let listing = try NetworkGround(namespace: namespace.descriptor).run { () throws(EngineError) -> String in
            let commands = """
                add table inet a
                add set inet a s { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.77 }; }
                add chain inet a c
                add rule inet a c iifname "eth0" ip saddr @s accept
                """
            try PacketFilter().run(commands)
            return try PacketFilter(isTerse: true).run("list table inet a")
        }
        #expect(listing.contains("iifname \"eth0\"") && listing.contains("set s") && !listing.contains("192.0.2"))
    }

    @Test("Where systemd-resolved answers on the machine's loopback alone, containers ask whom it asks")
    func localStub() throws {
        let upstream = "\(folder)/resolv.conf"
        try FileContents.replace(upstream, with: Array("nameserver 10.1.2.3\nsearch corp.example\n".utf8))
        let stub = ResolverFile(text: "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n")
        let beyond = stub.beyondLocalStub(upstream)
        #expect(beyond.reachable(hasIPv6: false).servers == ["10.1.2.3"] && beyond.search == ["corp.example"])
        for text in ["nameserver 127.0.0.53\nnameserver 10.0.0.1\n", "nameserver 127.0.0.1\n", "nameserver 10.0.0.1\n"]
        {
            let other = ResolverFile(text: text)
            #expect(other.beyondLocalStub(upstream) == other)
        }
        // Without the service's file there is nothing better.
        #expect(stub.beyondLocalStub("\(folder)/none") == stub)
    }
}
