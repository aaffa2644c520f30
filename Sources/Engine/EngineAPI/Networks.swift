import Linux

/// What a network is made from: the body of docker's `networks/create`.
public struct NetworkSpec: Hashable, Sendable, Codable {
    public var name: String
    /// `bridge`, `macvlan`, `ipvlan`, `host` or `null`.
    public var driver = "bridge"
    /// No way out of the network, and none in.
    public var isInternal = false
    public var isAttachable = false
    /// Addresses of version 6, too.
    public var enablesIPv6 = false
    public var ipamDriver = "default"
    /// Nil where nothing was said of them.
    public var ipamOptions: [String: String]?
    /// Empty: the engine chooses.
    public var pools: [AddressPool] = []
    /// Of the driver, by docker's names: `com.docker.network.bridge.name`, `com.docker.network.driver.mtu`, `parent`.
    public var options: [String: String] = [:]
    public var labels: [String: String] = [:]
    /// Nil for a network that says of itself all that it is.
    public var configuration: NetworkConfigurationRole?

    public init(name: String) { self.name = name }
}

/// What a network has to do with a configuration that several may take: docker's `--config-only` and `--config-from`.
public enum NetworkConfigurationRole: Hashable, Sendable, Codable {
    /// It is nothing but one: subnets and options are written down, no container can be in it.
    case only
    /// Its subnets, options and labels are those of the configuration of that name.
    case from(String)
}

/// Addresses that a network gives out, each as text.
public struct AddressPool: Hashable, Sendable, Codable {
    /// `10.1.0.0/16`
    public var subnet: String
    /// The part of the subnet that addresses are chosen from; nil for all of it.
    public var range: String?
    public var gateway: String?
    /// Addresses that are somebody else's, by name.
    public var auxiliary: [String: String] = [:]

    public init(subnet: String, range: String? = nil, gateway: String? = nil) {
        self.subnet = subnet
        self.range = range
        self.gateway = gateway
    }

    /// The pools of subnets, each with what of ranges, gateways and others' addresses is of its version, as docker's client
    /// puts them together.
    ///
    /// - Throws: `EngineError` in docker's words, where one belongs to none of them.
    public static func pools(
        of subnets: [String], ranges: [String], gateways: [String], auxiliary: [String: String] = [:]
    ) throws(EngineError) -> [AddressPool] {
        var pools = subnets.map { AddressPool(subnet: $0) }
        guard !pools.isEmpty || ranges.isEmpty && gateways.isEmpty && auxiliary.isEmpty else {
            throw EngineError(.invalid, "every ip-range or gateway must have a corresponding subnet")
        }
        func pool(_ address: String) throws(EngineError) -> Int {
            let isVersion6 = address.contains(":")
            guard let index = pools.firstIndex(where: { $0.subnet.contains(":") == isVersion6 }) else {
                throw EngineError(.invalid, "no matching subnet for \(address)")
            }
            return index
        }
        for range in ranges { pools[try pool(range)].range = range }
        for address in gateways { pools[try pool(address)].gateway = address }
        for (name, address) in auxiliary { pools[try pool(address)].auxiliary[name] = address }
        return pools
    }
}

/// All that is known of one network.
public struct NetworkDetails: Hashable, Sendable {
    public var id: String
    public var spec: NetworkSpec
    public var createdAt: Timestamp
    /// Those that run in it, by the container's id.
    public var members: [String: NetworkMember] = [:]
    /// The device on the host, where there is one and the engine says it.
    public var hostInterface: String?

    public init(id: String, spec: NetworkSpec, createdAt: Timestamp) {
        self.id = id
        self.spec = spec
        self.createdAt = createdAt
    }

    /// `bridge`, `host` and `none` are there always and cannot be removed.
    public var isPredefined: Bool { ["bridge", "host", "none"].contains(spec.name) }
}

/// A container in a network, as the network tells of it.
public struct NetworkMember: Hashable, Sendable {
    public var name: String
    public var endpointID: String
    public var macAddress: String
    /// With the prefix's length: `172.17.0.2/16`; empty for none.
    public var ipv4Address: String
    public var ipv6Address: String

    public init(name: String, endpointID: String, macAddress: String, ipv4Address: String, ipv6Address: String) {
        self.name = name
        self.endpointID = endpointID
        self.macAddress = macAddress
        self.ipv4Address = ipv4Address
        self.ipv6Address = ipv6Address
    }
}

/// Which networks a list holds. Conditions of different kinds must all hold; of one kind, any.
public struct NetworkFilter: Hashable, Sendable {
    public var ids: [String] = []
    public var names: [String] = []
    public var drivers: [String] = []
    /// `key` or `key=value`.
    public var labels: [String] = []
    /// None of these may hold.
    public var withoutLabels: [String] = []
    /// Created before then.
    public var until: Timestamp?
    public var scopes: [String] = []
    /// `custom` or `builtin`.
    public var types: [String] = []
    /// Those without a container (true), or with one.
    public var dangling: Bool?

    public init() {}
}

/// How a container is to be part of a network.
public struct EndpointSpec: Hashable, Sendable, Codable {
    /// Names beside the container's own.
    public var aliases: [String] = []
    public var ipv4Address: String?
    public var ipv6Address: String?
    public var macAddress: String?
    /// Further addresses, which no network gives: docker's `LinkLocalIPs`.
    public var linkLocalAddresses: [String] = []
    public var options: [String: String] = [:]
    /// Names that this container alone has for others of the network.
    public var links: [ContainerLink] = []
    /// Of a container's networks that lead outside the one with the highest has its default route.
    public var gatewayPriority = 0

    public init() {}

    /// Members that an earlier version did not write have their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        aliases = try container.decodeIfPresent([String].self, forKey: .aliases) ?? []
        ipv4Address = try container.decodeIfPresent(String.self, forKey: .ipv4Address)
        ipv6Address = try container.decodeIfPresent(String.self, forKey: .ipv6Address)
        macAddress = try container.decodeIfPresent(String.self, forKey: .macAddress)
        linkLocalAddresses = try container.decodeIfPresent([String].self, forKey: .linkLocalAddresses) ?? []
        options = try container.decodeIfPresent([String: String].self, forKey: .options) ?? [:]
        links = try container.decodeIfPresent([ContainerLink].self, forKey: .links) ?? []
        gatewayPriority = try container.decodeIfPresent(Int.self, forKey: .gatewayPriority) ?? 0
    }
}

/// How a container is part of a network.
public struct EndpointDetails: Hashable, Sendable, Codable {
    public var networkName: String
    public var networkID: String
    /// Empty while the container does not run.
    public var endpointID = ""
    public var spec: EndpointSpec
    public var gateway = ""
    public var ipv4Address = ""
    public var ipv4PrefixLength = 0
    public var ipv6Gateway = ""
    public var ipv6Address = ""
    public var ipv6PrefixLength = 0
    public var macAddress = ""
    /// What the container is called in the network.
    public var dnsNames: [String] = []

    public init(networkName: String, networkID: String, spec: EndpointSpec) {
        self.networkName = networkName
        self.networkID = networkID
        self.spec = spec
    }
}

/// What an engine does about networks.
public protocol NetworkEngine: Sendable {
    func networks(_ filter: NetworkFilter) async throws(EngineError) -> [NetworkDetails]
    /// By name, id or a unique beginning of the id.
    func inspectNetwork(_ reference: String) async throws(EngineError) -> NetworkDetails
    /// Makes a network; returns its id. `conflict` where the name is taken, `denied` where the subnet is.
    func createNetwork(_ spec: NetworkSpec) async throws(EngineError) -> String
    /// `denied` while containers run in it, and for those that are always there.
    func removeNetwork(_ reference: String) async throws(EngineError)
    /// Makes a container part of a network; one that runs, at once.
    func connect(_ container: String, to network: String, _ spec: EndpointSpec) async throws(EngineError)
    func disconnect(_ container: String, from network: String, force: Bool) async throws(EngineError)
    /// Removes the networks that no container is part of; gives their names.
    func pruneNetworks(_ filter: NetworkFilter) async throws(EngineError) -> PruneResult
}

/// An engine that knows nothing of networks.
extension NetworkEngine {
    private var refusal: EngineError { EngineError(.unsupported, "this engine has no networks") }

    public func networks(_ filter: NetworkFilter) async throws(EngineError) -> [NetworkDetails] { throw refusal }
    public func inspectNetwork(_ reference: String) async throws(EngineError) -> NetworkDetails { throw refusal }
    public func createNetwork(_ spec: NetworkSpec) async throws(EngineError) -> String { throw refusal }
    public func removeNetwork(_ reference: String) async throws(EngineError) { throw refusal }
    public func connect(_ container: String, to network: String, _ spec: EndpointSpec) async throws(EngineError) {
        throw refusal
    }
    public func disconnect(_ container: String, from network: String, force: Bool) async throws(EngineError) {
        throw refusal
    }
    public func pruneNetworks(_ filter: NetworkFilter) async throws(EngineError) -> PruneResult { throw refusal }
}

extension NetworkDetails {
    /// `host` and `none`, which need nothing.
    package static let builtIn: [NetworkDetails] = ["host", "none"].map { name in
        var spec = NetworkSpec(name: name)
        spec.driver = name == "none" ? "null" : name
        let digits = name.utf8.map { String($0, radix: 16) }.joined()
        let id = digits + String(repeating: "0", count: 64 - digits.count)
        return NetworkDetails(id: id, spec: spec, createdAt: Timestamp(nanosecondsSinceEpoch: 0))
    }

    package static func builtIn(_ reference: String) -> NetworkDetails? {
        builtIn.first { $0.spec.name == reference || reference.count > 3 && $0.id.hasPrefix(reference) }
    }
}
