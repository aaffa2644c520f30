import DockerAPI
import EngineAPI
import JSON
import Linux

/// The options of `run` and `create` that tell of networks.
struct NetworkOptions: CommandOptions {
    @Option(
        "network|net", help: "A network, none, host or container:NAME; name=NAME,alias=…,ip=… for more; several times.")
    var network: [String] = []
    @Option("p|publish", help: "Publish a port: [ADDRESS:][HOSTPORT:]PORT[/udp].")
    var publish: [String] = []
    @Flag("P|publish-all", help: "Publish every port that the container serves.") var publishAll =
        false
    @Option("expose", help: "A port that the container serves.") var expose: [String] = []
    @Option("network-alias|net-alias", help: "A further name in the network.")
    var networkAlias: [String] = []
    @Option("ip", help: "The address in the network.") var ip: String?
    @Option("ip6", help: "The address of version 6.") var ip6: String?
    @Option("link-local-ip", help: "A further address of the link.") var linkLocalIP: [String] = []
    @Option("mac-address", help: "The MAC address.") var macAddress: String?
    @Option("add-host", help: "NAME:ADDRESS for /etc/hosts.") var addHost: [String] = []
    @Option("dns", help: "A name server.") var dns: [String] = []
    @Option("dns-search", help: "A search domain.") var dnsSearch: [String] = []
    @Option("dns-option|dns-opt", help: "An option of the resolver.")
    var dnsOption: [String] = []
    @Option("link", help: "Another container under a name of its own: NAME:ALIAS.") var link: [String] = []

    /// Writes them into docker's create body.
    func write(_ body: inout JSONObject, _ host: inout JSONObject) throws {
        for text in link {
            do throws(EngineError) { _ = try ContainerLink(text) } catch {
                throw UsageError(value: text, of: "--link", error.message)
            }
        }
        try checkAddresses()
        let endpoints = try endpoints()
        try check(endpoints)
        host["NetworkMode"] = .string(endpoints.first?.name ?? "default")
        if endpoints.contains(where: { $0.spec != EndpointSpec() }) || endpoints.count > 1 {
            let members = endpoints.map { ($0.name, $0.spec.dockerBody) }
            body["NetworkingConfig"] = ["EndpointsConfig": .object(JSONObject(members))]
        }
        var spec = ContainerSpec(image: "")
        do throws(EngineError) {
            for text in publish { spec.portBindings += try PublishedPorts.parse(text) }
            for text in expose {
                guard !text.contains(":") else {
                    throw EngineError(.invalid, "invalid port format for --expose: \(text)")
                }
                spec.exposedPorts += try PublishedPorts.parse(text).map(\.port)
            }
        } catch {
            throw UsageError(message: error.message)
        }
        if !link.isEmpty { host["Links"] = .array(link.map(JSONValue.string)) }
        (spec.publishesAllPorts, spec.extraHosts) = (publishAll, addHost)
        (spec.dnsServers, spec.dnsSearch, spec.dnsOptions) = (dns, dnsSearch, dnsOption)
        for (name, value) in spec.dockerNetworkMembers { host[name] = value }
        body["ExposedPorts"] = spec.dockerExposedPorts
    }

    private func checkAddresses() throws {
        for text in dns where IPAddress(text) == nil {
            throw UsageError(value: text, of: "--dns", "IP address is not correctly formatted: \(text)")
        }
        for text in addHost {
            do throws(EngineError) { try ExtraHost.check(text) } catch {
                throw UsageError(value: text, of: "--add-host", error.message)
            }
        }
    }

    private func check(_ endpoints: [(name: String, spec: EndpointSpec)]) throws {
        var names: Set<String> = []
        for (name, spec) in endpoints {
            guard names.insert(name).inserted else {
                throw UsageError(message: "network \"\(name)\" is specified multiple times")
            }
            guard Self.isMadeByUser(name) || spec.aliases.isEmpty else {
                throw UsageError(message: "network-scoped aliases are only supported for user-defined networks")
            }
        }
        guard names.count < 2 || names.allSatisfy(Self.isMadeByUser) || !names.contains(where: Self.isMadeByUser) else {
            throw UsageError(
                message: "conflicting options: cannot attach both user-defined and non-user-defined network-modes")
        }
    }

    private static func isMadeByUser(_ name: String) -> Bool { NetworkMode(rawValue: name).isMadeByUser }

    private func endpoints() throws -> [(name: String, spec: EndpointSpec)] {
        var endpoints = try network.map(Self.endpoint)
        guard networkAlias.isEmpty || endpoints.first?.spec.aliases.isEmpty ?? true else {
            throw UsageError(message: "conflicting options: cannot specify both --network-alias and per-network alias")
        }
        var first = endpoints.first?.spec ?? EndpointSpec()
        first.aliases += networkAlias
        first.ipv4Address = ip ?? first.ipv4Address
        first.ipv6Address = ip6 ?? first.ipv6Address
        first.macAddress = macAddress ?? first.macAddress
        first.linkLocalAddresses += linkLocalIP
        if let name = endpoints.first?.name, Self.isMadeByUser(name) { first.links = try link.map(ContainerLink.init) }
        if endpoints.isEmpty { return first == EndpointSpec() ? [] : [("bridge", first)] }
        endpoints[0].spec = first
        return endpoints
    }

    /// `frontend`, or `name=frontend,alias=web,ip=10.1.0.5`.
    private static func endpoint(_ text: String) throws -> (name: String, spec: EndpointSpec) {
        guard text.contains("=") else { return (text, EndpointSpec()) }
        func refusal(_ reason: String) -> UsageError {
            UsageError(value: text, of: "--network", reason)
        }
        let fields: [String]
        do throws(CommaSeparated.Failure) { fields = try CommaSeparated.fields(text) } catch {
            throw refusal(error.message)
        }
        var name = ""
        var spec = EndpointSpec()
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw refusal("invalid field \(field)") }
            switch parts[0].lowercased() {
            case "name": name = parts[1]
            case "alias": spec.aliases.append(parts[1])
            case "ip": spec.ipv4Address = parts[1]
            case "ip6": spec.ipv6Address = parts[1]
            case "link-local-ip": spec.linkLocalAddresses.append(parts[1])
            case "mac-address": spec.macAddress = parts[1]
            case "gw-priority":
                guard let priority = Int(parts[1]) else {
                    throw refusal("invalid gw-priority (\(parts[1])): invalid syntax")
                }
                spec.gatewayPriority = priority
            case "driver-opt":
                guard spec.addOption(parts[1]) else { throw refusal("invalid key value pair format in driver options") }
            default: throw refusal("invalid field key \(parts[0])")
            }
        }
        guard !name.isEmpty else { throw refusal("network name is not specified") }
        return (name, spec)
    }
}

extension EndpointSpec {
    /// Adds one for the driver, `KEY=VALUE`, whose value may be empty; false where the text is no pair.
    mutating func addOption(_ text: String) -> Bool {
        let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard pair.count == 2 else { return false }
        options[pair[0]] = pair[1]
        return true
    }
}
