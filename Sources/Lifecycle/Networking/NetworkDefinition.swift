import EngineAPI
import Linux

/// A network as it is kept: what was asked for, with all that the engine chose.
package struct NetworkDefinition: Hashable, Sendable, Codable {
    package enum Driver: String, Hashable, Sendable, Codable {
        case bridge, macvlan, ipvlan
        /// Of what is no network but the configuration of others.
        case configuration = "null"
    }

    /// A subnet and who has its first addresses.
    package struct Block: Hashable, Sendable, Codable {
        package var subnet: Subnet
        /// The part that addresses are chosen from.
        package var range: Subnet
        package var gateway: IPAddress
        package var auxiliary: [String: IPAddress] = [:]
    }

    package var id: String
    /// With the pools filled in that the engine chose.
    package var spec: NetworkSpec
    package var driver: Driver
    /// Nanoseconds since 1970.
    package var createdAt: Int64
    /// The bridge, or the device below a macvlan or an ipvlan; empty for a configuration.
    package var linkName: String
    /// One of each family at most; none of a configuration, whose subnets are those of the networks that take it.
    package var blocks: [Block]
    /// The caller gave the subnet, so that addresses of it may be asked for.
    package var hasOwnSubnet: Bool

    package init(
        id: String, spec: NetworkSpec, driver: Driver, createdAt: Int64, linkName: String, blocks: [Block],
        hasOwnSubnet: Bool
    ) {
        self.id = id
        self.spec = spec
        self.driver = driver
        self.createdAt = createdAt
        self.linkName = linkName
        self.blocks = blocks
        self.hasOwnSubnet = hasOwnSubnet
    }

    package func block(_ family: IPAddress.Family) -> Block? { blocks.first { $0.subnet.family == family } }

    package var name: String { spec.name }
    /// The network that containers get which ask for none; it gives names to nobody.
    package var isDefault: Bool { name == Self.defaultName }
    package static let defaultName = "bridge"
    /// Written down for other networks to take: nothing is made of it, and nobody is in it.
    package var isConfiguration: Bool { spec.configuration == .only }

    /// As it is told of: the default network names all that it has, as docker's does. Programs look there for the bridge's
    /// name and for the size of packets.
    package var told: NetworkSpec {
        guard isDefault else { return spec }
        let usual =
            [
                "default_bridge": "true", "enable_icc": "true", "enable_ip_masquerade": "true",
                "host_binding_ipv4": "0.0.0.0", "name": linkName,
            ].map { ("com.docker.network.bridge.\($0.key)", $0.value) } + [("com.docker.network.driver.mtu", "1500")]
        var told = spec
        told.options.merge(usual) { said, _ in said }
        return told
    }

    /// The device below is the network's own, which leads nowhere: nobody named one.
    package var hasOwnParent: Bool { driver != .bridge && (spec.options["parent"] ?? "").isEmpty }

    package var mtu: UInt32? { spec.options["com.docker.network.driver.mtu"].flatMap { UInt32($0) } }

    /// Containers on one bridge reach each other unless this says no.
    package var isolatesMembers: Bool { Self.isOff(spec.options["com.docker.network.bridge.enable_icc"]) }
    package var masquerades: Bool {
        !spec.isInternal && !Self.isOff(spec.options["com.docker.network.bridge.enable_ip_masquerade"])
    }
    /// Where published ports are bound that name no address.
    package var bindingAddress: IPAddress? {
        spec.options["com.docker.network.bridge.host_binding_ipv4"].flatMap(IPAddress.init)
            .flatMap { $0.isUnspecified ? nil : $0 }
    }

    private static func isOff(_ text: String?) -> Bool { text.flatMap(GoBool.parse) == false }
}

/// A container's part in a network, as it is kept. Active while the container runs.
package struct EndpointRecord: Hashable, Sendable, Codable {
    package var containerID: String
    package var containerName: String
    /// What it calls itself; nil before its first start.
    package var hostname: String?
    package var networkID: String
    /// Empty while not active.
    package var endpointID = ""
    package var isActive = false
    /// When it was last made.
    package var order: Int
    package var spec: EndpointSpec
    /// The last addresses, which it gets again where they are free.
    package var ipv4: IPAddress?
    package var ipv6: IPAddress?
    package var mac: MACAddress?
    package var ports: [PublishedPort] = []
    /// What was begun with the container running; an engine that finds it finishes it.
    package var change: Change?
    /// The device on the host of the last connection; nil in the records of an earlier version.
    var ownLinkName: String?

    package enum Change: String, Hashable, Sendable, Codable {
        case joining, leaving
    }

    package init(containerID: String, containerName: String, networkID: String, order: Int, spec: EndpointSpec) {
        self.containerID = containerID
        self.containerName = containerName
        self.networkID = networkID
        self.order = order
        self.spec = spec
    }

    package var addresses: [IPAddress] { [ipv4, ipv6].compactMap { $0 } }

    /// The device on the host. Each connection has one of its own, so that what is left of an earlier one is told apart.
    package var linkName: String { ownLinkName ?? "gv\(containerID.prefix(7))\(networkID.prefix(6))" }
    /// The device in the container.
    package var deviceName: String { spec.deviceName ?? "eth\(order)" }
}

/// A port of the host that leads to a container.
package struct PublishedPort: Hashable, Sendable, Codable {
    package var port: ContainerPort
    package var hostAddress: IPAddress
    package var hostPort: UInt16

    package init(_ port: ContainerPort, hostAddress: IPAddress, hostPort: UInt16) {
        self.port = port
        self.hostAddress = hostAddress
        self.hostPort = hostPort
    }

    /// As `NetworkConfiguration` keeps it: `80/tcp 0.0.0.0 8080`.
    var parkedText: String { "\(port) \(hostAddress) \(hostPort)" }

    init?(parkedText: String) {
        let words = parkedText.split(separator: " ").map(String.init)
        guard words.count == 3, let port = ContainerPort(words[0]), let address = IPAddress(words[1]),
            let number = UInt16(words[2])
        else { return nil }
        self.init(port, hostAddress: address, hostPort: number)
    }
}
