import DockerAPI
import EngineAPI
import JSON

extension CommandGroup {
    static let network = CommandGroup(
        name: "network", abstract: "Manage networks.",
        commands: [
            NetworkListCommand.self, NetworkCreateCommand.self, NetworkRemoveCommand.self, NetworkInspectCommand.self,
            NetworkConnectCommand.self, NetworkDisconnectCommand.self, NetworkPruneCommand.self,
        ])
}

struct NetworkListCommand: Command {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List networks.", aliases: ["list"])
    @Flag("q|quiet", help: "Ids alone.") var quiet = false
    @Flag("no-trunc", help: "Do not shorten ids.") var noTrunc = false
    @Option("f|filter", help: "name=…, driver=…, id=…, label=…, type=…, dangling=…")
    var filter: [String] = []
    @Option("format", help: "table, json, or a template such as '{{.Name}}'.") var format: String?

    func run() async throws {
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        let networks = try await CommandEnvironment.connect().networks(NetworkFilter(dockerQuery: query))
        if quiet { return Console.out(networks.map { (noTrunc ? $0.id : $0.id.shortID) + "\n" }.joined()) }
        let listing = Listing(
            columns: [
                ("ID", "NETWORK ID"), ("Name", "NAME"), ("Driver", "DRIVER"), ("Scope", "SCOPE"), ("IPv4", "IPV4"),
                ("IPv6", "IPV6"),
                ("Internal", "INTERNAL"), ("Labels", "LABELS"), ("CreatedAt", "CREATED AT"),
            ],
            rows: networks.map { network in
                [
                    "ID": noTrunc ? network.id : network.id.shortID, "Name": network.spec.name,
                    "Driver": network.spec.driver, "Scope": "local", "IPv4": "true",
                    "IPv6": String(network.spec.enablesIPv6),
                    "Internal": String(network.spec.isInternal), "CreatedAt": network.createdAt.goTextWithFraction,
                    "Labels": network.spec.labels.listed,
                ]
            }, labels: networks.map(\.spec.labels))
        Console.out(try listing.text(format: format, usual: ["ID", "Name", "Driver", "Scope"]))
    }
}

struct NetworkCreateCommand: Command {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a network.")
    @Option("d|driver", help: "bridge, macvlan or ipvlan.") var driver = "bridge"
    @Option("subnet", help: "10.1.0.0/16") var subnet: [String] = []
    @Option("ip-range", help: "The part to choose addresses from.") var ipRange: [String] = []
    @Option("gateway", help: "The host's address.") var gateway: [String] = []
    @Option("aux-address", help: "NAME=ADDRESS of somebody else.") var auxAddress: [String] = []
    @Flag("internal", help: "No way out, and none in.") var `internal` = false
    @Flag("attachable", help: "Containers may join by hand.") var attachable = false
    @Flag("ipv6", help: "Addresses of version 6, too.") var version6 = false
    @Option("ipam-driver", help: "The keeper of addresses.") var ipamDriver = "default"
    @Option("ipam-opt", help: "KEY=VALUE for the keeper of addresses.") var ipamOpt: [String] = []
    @Option("o|opt", help: "KEY=VALUE")
    var opt: [String] = []
    @Option("label", help: "KEY=VALUE") var label: [String] = []
    @Option("scope", help: "local.") var scope: String?
    @Flag("ingress", help: "Of swarms alone.") var ingress = false
    @Flag("config-only", help: "Write down subnets and options for other networks to take.") var configOnly = false
    @Option("config-from", help: "The network whose configuration to take.") var configFrom: String?
    @Argument("NETWORK") var name: String

    func run() async throws {
        for (isSo, what) in [(ingress, "Ingress"), (scope.map { $0 != "local" } ?? false, "swarm-scoped")] where isSo {
            throw UsageError(message: "\(what) networks are of swarms, and not supported", code: 1)
        }
        var spec = NetworkSpec(name: name)
        spec.driver = driver
        (spec.isInternal, spec.isAttachable, spec.enablesIPv6) = (`internal`, attachable, version6)
        (spec.ipamDriver, spec.ipamOptions) = (ipamDriver, Self.map(ipamOpt))
        spec.options = Self.map(opt)
        spec.labels = Self.map(label)
        spec.pools = try pools()
        spec.configuration = try configuration()
        Console.out(try await CommandEnvironment.connect().createNetwork(spec) + "\n")
    }

    private func configuration() throws -> NetworkConfigurationRole? {
        guard configOnly, configFrom != nil else { return configOnly ? .only : configFrom.map { .from($0) } }
        throw UsageError(
            message: "a configuration network cannot depend on another configuration network", code: 1)
    }

    private func pools() throws -> [AddressPool] {
        do throws(EngineError) {
            return try AddressPool.pools(
                of: subnet, ranges: ipRange, gateways: gateway, auxiliary: Self.map(auxAddress))
        } catch {
            throw UsageError(message: error.message, code: 1)
        }
    }

    private static func map(_ pairs: [String]) -> [String: String] {
        Dictionary(
            pairs.map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { _, last in last })
    }
}

struct NetworkRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove networks.", aliases: ["remove"])
    @Flag("f|force", help: "Do not fail where there is none.") var force = false
    @Argument("NETWORK") var networks: [String]

    func run() async throws {
        let engine = try await CommandEnvironment.connect()
        var failed = false
        for network in networks {
            do throws(EngineError) {
                try await engine.removeNetwork(network)
                Console.out(network + "\n")
            } catch {
                if force, error.kind == .notFound { continue }
                Console.error(Refusals.line(error))
                failed = true
            }
        }
        if failed { throw ExitStatus(code: 1) }
    }
}

struct NetworkInspectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all that is known of networks.")
    @Flag("v|verbose", help: "Accepted for scripts: what swarm adds.") var verbose = false
    @OptionGroup var options: InspectOptions

    func run() async throws {
        try await options.print { engine, reference throws(EngineError) in
            try await engine.inspectNetwork(reference).dockerBody
        }
    }
}

struct NetworkConnectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Make a container part of a network.")
    @Option("alias", help: "A further name in the network.") var alias: [String] = []
    @Option("ip", help: "The address.") var ip: String?
    @Option("ip6", help: "The address of version 6.") var ip6: String?
    @Option("link", help: "Another container under a name of its own: NAME:ALIAS.") var link: [String] = []
    @Option("link-local-ip", help: "A further address of the link.") var linkLocalIP: [String] = []
    @Option("driver-opt", help: "KEY=VALUE") var driverOpt: [String] = []
    @Option("gw-priority", help: "The network with the highest has the default route.") var priority: Int?
    @Argument("NETWORK") var network: String
    @Argument("CONTAINER") var container: String

    func run() async throws {
        var spec = EndpointSpec()
        (spec.gatewayPriority, spec.linkLocalAddresses) = (priority ?? 0, linkLocalIP)
        spec.links = try link.map(ContainerLink.init)
        for pair in driverOpt where !spec.addOption(pair) {
            throw UsageError(message: "invalid key/value pair format in driver options", code: 1)
        }
        (spec.aliases, spec.ipv4Address, spec.ipv6Address) = (alias, ip, ip6)
        try await CommandEnvironment.connect().connect(container, to: network, spec)
    }
}

struct NetworkDisconnectCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "disconnect", abstract: "Take a container out of a network.")
    @Flag("f|force", help: "Accepted for scripts.") var force = false
    @Argument("NETWORK") var network: String
    @Argument("CONTAINER") var container: String

    func run() async throws {
        try await CommandEnvironment.connect().disconnect(container, from: network, force: force)
    }
}

struct NetworkPruneCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove the networks that no container is part of.")
    @Flag("f|force", help: "Do not ask.") var force = false
    @Option("filter", help: "until=…, label=…, label!=…") var filter: [String] = []

    func run() async throws {
        let warning = "This will remove all custom networks not used by at least one container."
        guard try force || LinePrompt.isConfirmed(warning) else { return }
        var query = QueryString()
        query.add("filters", try Filtering.encoded(filter))
        let result = try await CommandEnvironment.connect().pruneNetworks(NetworkFilter(dockerQuery: query))
        guard !result.removed.isEmpty else { return }
        Console.out("Deleted Networks:\n" + result.removed.map { $0 + "\n" }.joined() + "\n")
    }
}

struct PortCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "port", abstract: "List a container's published ports.")
    @Argument("CONTAINER") var container: String
    @Argument("PRIVATE_PORT[/PROTO]") var port: String?

    func run() async throws {
        let details = try await CommandEnvironment.connect().inspect(container)
        let published = details.ports.filter { $0.hostPort != 0 }.sorted { $0.port < $1.port }
        guard let port else {
            return Console.out(published.map { "\($0.port) -> \(PortTexts.host($0))\n" }.joined())
        }
        guard let wanted = ContainerPort(port) else {
            throw UsageError(message: "Error: invalid port: \(port)", code: 1)
        }
        let found = published.filter { $0.port == wanted }
        guard !found.isEmpty else {
            throw UsageError(
                message: "Error: No public port '\(port)' published for \(container)", code: 1, opening: "")
        }
        Console.out(found.map { PortTexts.host($0) + "\n" }.joined())
    }
}
