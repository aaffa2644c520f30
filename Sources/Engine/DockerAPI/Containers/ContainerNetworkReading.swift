import EngineAPI
import JSON
import Linux

/// A line for /etc/hosts: `NAME:ADDRESS` or `NAME=ADDRESS`, the address also in brackets, or `host-gateway`.
package enum ExtraHost {
    /// - Throws: `invalid`, in docker's words.
    package static func check(_ text: String) throws(EngineError) {
        let separator: Character = text.contains("=") ? "=" : ":"
        let parts = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains(":") else {
            throw EngineError(.invalid, "bad format for add-host: \"\(text)\"")
        }
        var address = parts[1]
        if address == "host-gateway" { return }
        if address.count > 2, address.hasPrefix("["), address.hasSuffix("]") {
            address = String(address.dropFirst().dropLast())
        }
        guard IPAddress(address) != nil else {
            throw EngineError(.invalid, "invalid IP address in add-host: \"\(address)\"")
        }
    }
}

extension ContainerSpec {
    /// Reads what a create body says of networks, ports and names.
    mutating func readNetworks(_ config: BodyReader, _ host: BodyReader) throws(EngineError) {
        let mode = try config.flag("NetworkDisabled") ? "none" : try host.text("NetworkMode")
        networkMode = mode.isEmpty || mode == "default" ? nil : NetworkMode(rawValue: mode)
        if let container = networkMode?.container, container.isEmpty {
            throw EngineError(.invalid, "invalid container format container:<name|id>")
        }
        for (name, body) in try config.object("NetworkingConfig").objectMap("EndpointsConfig")
        where !body.value.isNull {
            networks[name == "default" ? "bridge" : name] = try EndpointSpec(dockerBody: body)
        }
        // A member of the configuration before 1.44.
        if let mac = try config.filledText("MacAddress") {
            networks[networkMode?.network ?? "bridge", default: EndpointSpec()].macAddress = mac
        }
        // In networks that users make, links are told of for each network alone.
        if networkMode?.isMadeByUser != true { links = try (host.texts("Links") ?? []).map(ContainerLink.init) }
        exposedPorts = try ports(config.objectMap("ExposedPorts").map(\.name))
        portBindings = try bindings(host.object("PortBindings"))
        publishesAllPorts = try host.flag("PublishAllPorts")
        dnsServers = try host.texts("Dns") ?? []
        dnsSearch = try host.texts("DnsSearch") ?? []
        dnsOptions = try host.texts("DnsOptions") ?? []
        extraHosts = try host.texts("ExtraHosts") ?? []
        for text in extraHosts { try ExtraHost.check(text) }
    }

    private func ports(_ names: [String]) throws(EngineError) -> [ContainerPort] {
        var ports: [ContainerPort] = []
        for name in names {
            guard let port = ContainerPort(name) else {
                throw EngineError(.invalid, "invalid port specification: \"\(name)\"")
            }
            ports.append(port)
        }
        return ports.sorted()
    }

    private func bindings(_ body: BodyReader) throws(EngineError) -> [PortBinding] {
        var bindings: [PortBinding] = []
        for (name, _) in body.members {
            guard let port = ContainerPort(name) else {
                throw EngineError(.invalid, "invalid port specification: \"\(name)\"")
            }
            let entries = try body.objects(name)
            // An empty list asks for any port of the host.
            if entries.isEmpty { bindings.append(PortBinding(port)) }
            for entry in entries { bindings.append(try Self.binding(port, entry)) }
        }
        return bindings.sorted { ($0.port, $0.hostAddress, $0.hostPort) < ($1.port, $1.hostAddress, $1.hostPort) }
    }

    private static func binding(_ port: ContainerPort, _ entry: BodyReader) throws(EngineError) -> PortBinding {
        let text = try entry.text("HostPort")
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt16($0) }
        guard text.isEmpty || numbers.count == parts.count && (1...2).contains(parts.count),
            numbers.first ?? 0 <= numbers.last ?? 0
        else { throw EngineError(.invalid, "invalid port specification: \"\(text)\"") }
        let address = try entry.text("HostIp")
        guard address.isEmpty || IPAddress(address) != nil else {
            throw EngineError(.invalid, "invalid port specification: invalid IP address: \"\(address)\"")
        }
        return PortBinding(
            port, hostAddress: address, hostPort: numbers.first ?? 0, lastHostPort: numbers.last)
    }

    /// The members of `HostConfig` that tell of networks.
    package var dockerNetworkMembers: [(String, JSONValue)] {
        var map = JSONObject()
        for binding in portBindings {
            let name = binding.port.description
            let range = binding.hostPort == binding.lastHostPort ? "" : "-\(binding.lastHostPort)"
            let entry: JSONValue = [
                "HostIp": .string(binding.hostAddress),
                "HostPort": .string(binding.hostPort == 0 ? "" : "\(binding.hostPort)\(range)"),
            ]
            map[name] = .array((map[name]?.array ?? []) + [entry])
        }
        return [
            ("PortBindings", .object(map)), ("PublishAllPorts", .bool(publishesAllPorts)), ("Dns", .texts(dnsServers)),
            ("DnsOptions", .texts(dnsOptions)), ("DnsSearch", .texts(dnsSearch)),
            ("ExtraHosts", extraHosts.isEmpty ? .null : .texts(extraHosts)),
        ]
    }

    package var dockerExposedPorts: JSONValue {
        let ports = Set(exposedPorts + portBindings.map(\.port)).sorted()
        return .object(JSONObject(ports.map { ($0.description, [:]) }))
    }

    var dockerNetworkingConfig: JSONValue {
        let members = networks.sorted { $0.key < $1.key }.map { ($0.key, $0.value.dockerBody) }
        return ["EndpointsConfig": .object(JSONObject(members))]
    }
}
