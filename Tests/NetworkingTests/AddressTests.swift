import EngineAPI
import Linux
import Testing

@testable import Networking

@Suite struct AddressTests {
    private func draft(_ networks: [NetworkDefinition] = [], routes: [String] = []) -> NetworkDraft {
        NetworkDraft(networks: networks, routes: routes.compactMap { Subnet($0) })
    }

    private func make(
        _ name: String = "net", _ pools: [AddressPool] = [], _ others: [NetworkDefinition] = [], routes: [String] = [],
        change: (inout NetworkSpec) -> Void = { _ in }
    ) throws(EngineError) -> NetworkDefinition {
        var spec = NetworkSpec(name: name)
        spec.pools = pools
        change(&spec)
        let id = String(repeating: "5a", count: 32)
        return try draft(others, routes: routes).definition(spec, id: id, createdAt: 0, linkName: "gt-\(name)")
    }

    @Test("The first of docker's pools is chosen that neither a network nor a route of the host uses")
    func choice() throws {
        let first = try make("one")
        #expect(first.blocks.map(\.subnet.description) == ["172.17.0.0/16"])
        #expect(first.blocks.first?.gateway.description == "172.17.0.1")
        let third = try make("two", [], [first], routes: ["172.18.4.0/24", "10.0.0.0/8"])
        #expect(third.blocks.map(\.subnet.description) == ["172.19.0.0/16"])
        let late = try make("late", [], [], routes: ["172.16.0.0/12"])
        #expect(late.blocks.map(\.subnet.description) == ["192.168.0.0/20"])
        #expect(throws: EngineError.self) { try make("none", [], [], routes: ["172.16.0.0/12", "192.168.0.0/16"]) }
    }

    @Test(
        "A network is called what one likes, but nothing, a container's mode, or what a terminal would obey",
        arguments: [
            ("a b/c*", nil), ("front", nil), (".x", nil), ("-a", nil), ("ü", nil), ("", "invalid name: name is empty"),
            (" \t", "invalid name: name is empty"), ("a\u{1B}b", "invalid name: "), ("container:x", "invalid name: "),
            (String(repeating: "a", count: 256), "invalid name: "),
            ("none", "operation is not permitted on predefined"),
        ] as [(String, String?)])
    func names(name: String, refusal: String?) {
        guard let refusal else {
            #expect(throws: Never.self) { try make(name) }
            return
        }
        let error = #expect(throws: EngineError.self) { try make(name) }
        #expect(error?.message.hasPrefix(refusal) == true, "\(error?.message ?? "")")
    }

    @Test(
        "What an option wishes that cannot be read or is not done is refused by its name",
        arguments: [
            ("bridge.enable_icc", "maybe", EngineError.Kind.invalid), ("bridge.enable_icc", "", .invalid),
            ("bridge.enable_ip_masquerade", "no", .invalid), ("bridge.host_binding_ipv4", "localhost", .invalid),
            ("bridge.inhibit_ipv4", "T", .unsupported), ("bridge.gateway_mode_ipv4", "isolated", .unsupported),
            ("bridge.gateway_mode_ipv6", "routed", .unsupported), ("bridge.gateway_mode_ipv4", "x", .invalid),
            ("container_iface_prefix", "lan", .unsupported),
            ("bridge.trusted_host_interfaces", "eth0", .unsupported), ("driver.mtu", "5", .invalid),
            ("driver.mtu", "big", .invalid),
        ])
    func refusedOptions(name: String, value: String, kind: EngineError.Kind) {
        let name = "com.docker.network.\(name)"
        let error = #expect(throws: EngineError.self) { try make(change: { $0.options[name] = value }) }
        #expect(error?.kind == kind && error?.message.contains(name) == true, "\(error?.message ?? "")")
    }

    @Test("Go's words for no are all no, and what changes nothing is taken")
    func takenOptions() throws {
        for word in ["0", "f", "F", "false", "FALSE", "False"] {
            let network = try make(change: {
                for name in ["enable_icc", "enable_ip_masquerade", "inhibit_ipv4"] {
                    $0.options["com.docker.network.bridge.\(name)"] = word
                }
                $0.options["com.docker.network.bridge.gateway_mode_ipv4"] = "nat"
                $0.options["com.docker.network.bridge.host_binding_ipv4"] = "127.0.0.1"
            })
            #expect(network.isolatesMembers && !network.masquerades, "\(word)")
            #expect(network.bindingAddress?.description == "127.0.0.1")
        }
        let error = #expect(throws: EngineError.self) {
            try make(change: { ($0.driver, $0.options) = ("macvlan", ["parent": "eth0", "macvlan_mode": "privat"]) })
        }
        #expect(error?.message.contains("requested macvlan mode 'privat' is not valid") == true)
    }

    @Test(
        "A bridge is named by what both the kernel and the packet filter's rules take as one name",
        arguments: [
            ("br0", true), ("br-a.b_c:d@e", true), ("rvimg*", false), ("rvim\"g", false), ("a\\b", false), (".", false),
            ("..", false), ("a b", false), ("a/b", false), ("sixteen-bytes-16", false), ("bré", false), ("a\n", false),
        ])
    func bridgeNames(name: String, isOne: Bool) {
        let result = Result { () throws(EngineError) in
            try make(change: { $0.options["com.docker.network.bridge.name"] = name })
        }
        switch result {
        case .success(let network): #expect(isOne && network.linkName == name)
        case .failure(let error): #expect(!isOne && error.message == "invalid network interface name '\(name)'")
        }
    }

    @Test("A network of version 6 has a unique local subnet where none was given")
    func version6() throws {
        let network = try make("six", change: { $0.enablesIPv6 = true })
        #expect(network.block(.v6)?.subnet.description == "fd5a:5a5a:5a5a:5a5a::/64")
        #expect(network.block(.v6)?.gateway.description == "fd5a:5a5a:5a5a:5a5a::1")
    }

    @Test(
        "Pools that cannot be are refused in docker's words",
        arguments: [
            (AddressPool(subnet: "10.1.0.0"), "invalid subnet 10.1.0.0: invalid CIDR block notation"),
            (AddressPool(subnet: "10.1.0.0/33"), "invalid subnet 10.1.0.0/33: invalid CIDR block notation"),
            (AddressPool(subnet: "10.1.0.5/16"), "invalid subnet 10.1.0.5/16: it should be 10.1.0.0/16"),
            (AddressPool(subnet: "10.1.0.0/32"), "invalid subnet 10.1.0.0/32: it has no addresses for containers"),
            (
                AddressPool(subnet: "172.17.4.0/24"),
                "invalid pool request: Pool overlaps with other one on this address space"
            ),
            (
                AddressPool(subnet: "10.1.0.0/16", range: "10.2.0.0/24"),
                "invalid ip-range 10.2.0.0/24: it is not within the subnet 10.1.0.0/16"
            ),
            (AddressPool(subnet: "10.1.0.0/16", gateway: "10.2.0.1"), "no matching subnet for gateway 10.2.0.1"),
            (AddressPool(subnet: "10.1.0.0/16", gateway: "one"), "invalid gateway one"),
            (
                AddressPool(subnet: "10.1.0.0/16", gateway: "10.1.255.255"),
                "invalid gateway 10.1.255.255: it is the address of the subnet 10.1.0.0/16 itself or of all in it"
            ),
            (
                AddressPool(subnet: "10.1.0.0/16", gateway: "10.1.0.0"),
                "invalid gateway 10.1.0.0: it is the address of the subnet 10.1.0.0/16 itself or of all in it"
            ),
        ])
    func badPools(pool: AddressPool, message: String) throws {
        let other = try make("other")
        let error = #expect(throws: EngineError.self) { try make("net", [pool], [other]) }
        #expect(error?.message == message)
    }

    @Test("Addresses are given out in order, the gateway left out, and freed ones come last")
    func order() throws {
        let network = try make("net", [AddressPool(subnet: "10.1.0.0/29")])
        var book = AddressBook()
        let first = try (0..<3).map { _ in try book.next(.v4, in: network).description }
        #expect(first == ["10.1.0.2", "10.1.0.3", "10.1.0.4"])
        book.release(try #require(IPAddress("10.1.0.2")), in: network.id)
        let rest = try (0..<3).map { _ in try book.next(.v4, in: network).description }
        #expect(rest == ["10.1.0.5", "10.1.0.6", "10.1.0.2"])
        let error = #expect(throws: EngineError.self) { try book.next(.v4, in: network) }
        #expect(error?.message.hasPrefix("no available IPv4 addresses on this network's address pools: net") == true)
    }

    @Test("A range bounds what is chosen, not what may be asked for")
    func range() throws {
        let network = try make("net", [AddressPool(subnet: "10.1.0.0/16", range: "10.1.5.0/30", gateway: "10.1.5.1")])
        var book = AddressBook()
        let chosen = try (0..<3).map { _ in try book.next(.v4, in: network).description }
        #expect(chosen == ["10.1.5.0", "10.1.5.2", "10.1.5.3"])
        try book.take(#require(IPAddress("10.1.9.9")), in: network)
        #expect(throws: EngineError.self) { try book.take(#require(IPAddress("10.1.9.9")), in: network) }
        #expect(throws: EngineError.self) { try book.take(#require(IPAddress("10.1.5.1")), in: network) }
        #expect(throws: EngineError.self) { try book.take(#require(IPAddress("10.2.0.1")), in: network) }
    }

    @Test("A former address is given again while it is free")
    func preference() throws {
        let network = try make("net", [AddressPool(subnet: "10.1.0.0/24")])
        var book = AddressBook()
        let former = try #require(IPAddress("10.1.0.77"))
        #expect(try book.next(.v4, in: network, preferring: former) == former)
        #expect(try book.next(.v4, in: network, preferring: former) != former)
    }

    @Test("A network's name is nobody else's", arguments: ["host", "default", "container", "taken"])
    func takenNames(name: String) throws {
        let taken = try make("taken", [AddressPool(subnet: "10.1.0.0/16")])
        #expect(throws: EngineError.self) { try make(name, [], [taken]) }
    }

    @Test("Drivers that are not there, and options without sense, are refused")
    func badOptions() throws {
        #expect(throws: EngineError.self) { try make(change: { $0.driver = "overlay" }) }
        #expect(throws: EngineError.self) { try make(change: { $0.ipamDriver = "dhcp" }) }
        for name in ["a name too long for it", "a/b"] {
            #expect(throws: EngineError.self) {
                try make(change: { $0.options["com.docker.network.bridge.name"] = name })
            }
        }
        #expect(throws: EngineError.self) { try make(change: { $0.options["com.docker.network.driver.mtu"] = "none" }) }
        let named = try make(change: { $0.options["com.docker.network.bridge.name"] = "br-mine" })
        #expect(named.linkName == "br-mine")
    }
}
