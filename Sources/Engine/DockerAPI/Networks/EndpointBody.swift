import EngineAPI
import JSON

extension EndpointSpec {
    /// docker's `EndpointSettings`, as a request has them.
    package init(dockerBody body: BodyReader) throws(EngineError) {
        self.init()
        aliases = try body.texts("Aliases") ?? []
        let ipam = try body.object("IPAMConfig")
        ipv4Address = try ipam.filledText("IPv4Address")
        ipv6Address = try ipam.filledText("IPv6Address")
        macAddress = try body.filledText("MacAddress")
        options = try body.textMap("DriverOpts")
        gatewayPriority = Int(try body.whole("GwPriority") ?? 0)
        linkLocalAddresses = try ipam.texts("LinkLocalIPs") ?? []
        links = try (body.texts("Links") ?? []).map(ContainerLink.init)
    }

    package var dockerBody: JSONValue {
        var ipam = JSONObject()
        ipam["IPv4Address"] = ipv4Address.map(JSONValue.string)
        ipam["IPv6Address"] = ipv6Address.map(JSONValue.string)
        if !linkLocalAddresses.isEmpty { ipam["LinkLocalIPs"] = .texts(linkLocalAddresses) }
        return [
            "IPAMConfig": ipam.isEmpty ? .null : .object(ipam),
            "Links": links.isEmpty ? .null : .texts(links.map(\.text)),
            "Aliases": aliases.isEmpty ? .null : .texts(aliases), "MacAddress": .string(macAddress ?? ""),
            "DriverOpts": options.isEmpty ? .null : .textMap(options), "GwPriority": .count(gatewayPriority),
        ]
    }
}

extension EndpointDetails {
    var dockerBody: JSONValue {
        var body = spec.dockerBody.object ?? JSONObject()
        // Of a container that does not run, the one that it is to have.
        if !macAddress.isEmpty { body["MacAddress"] = .string(macAddress) }
        body["NetworkID"] = .string(networkID)
        body["EndpointID"] = .string(endpointID)
        body["Gateway"] = .string(gateway)
        body["IPAddress"] = .string(ipv4Address)
        body["IPPrefixLen"] = .count(ipv4PrefixLength)
        body["IPv6Gateway"] = .string(ipv6Gateway)
        body["GlobalIPv6Address"] = .string(ipv6Address)
        body["GlobalIPv6PrefixLen"] = .count(ipv6PrefixLength)
        body["DNSNames"] = dnsNames.isEmpty ? .null : .texts(dnsNames)
        return .object(body)
    }

    init(name: String, dockerBody body: JSONValue) {
        var spec = EndpointSpec()
        spec.aliases = body.texts("Aliases")
        spec.ipv4Address = body.field("IPAMConfig")?.filledText("IPv4Address")
        spec.ipv6Address = body.field("IPAMConfig")?.filledText("IPv6Address")
        spec.linkLocalAddresses = body.field("IPAMConfig")?.texts("LinkLocalIPs") ?? []
        // What another engine writes so that it cannot be read is left out.
        spec.links = body.texts("Links").compactMap { try? ContainerLink($0) }
        spec.gatewayPriority = Int(body.whole("GwPriority") ?? 0)
        self.init(networkName: name, networkID: body.text("NetworkID"), spec: spec)
        endpointID = body.text("EndpointID")
        gateway = body.text("Gateway")
        ipv4Address = body.text("IPAddress")
        ipv4PrefixLength = Int(body.whole("IPPrefixLen") ?? 0)
        ipv6Gateway = body.text("IPv6Gateway")
        ipv6Address = body.text("GlobalIPv6Address")
        ipv6PrefixLength = Int(body.whole("GlobalIPv6PrefixLen") ?? 0)
        macAddress = body.text("MacAddress")
        dnsNames = body.texts("DNSNames")
    }
}

/// docker's `NetworkSettings` of a container.
enum NetworkSettingsBody {
    /// - Parameter running: the container's id while it runs: what its end is called in a network that needs none.
    static func networks(_ mode: String, _ endpoints: [EndpointDetails], running: String?) -> JSONObject {
        if let network = NetworkDetails.builtIn.first(where: { $0.spec.name == mode }) {
            var details = EndpointDetails(networkName: mode, networkID: network.id, spec: EndpointSpec())
            details.endpointID = running ?? ""
            return JSONObject([(mode, details.dockerBody)])
        }
        return JSONObject(endpoints.map { ($0.networkName, $0.dockerBody) })
    }

    static func settings(
        _ mode: String, _ endpoints: [EndpointDetails], _ ports: [PortMapping], running: String?,
        namespacePath: String?
    ) -> JSONValue {
        let bridge = endpoints.first { $0.networkName == "bridge" }
        return [
            "Bridge": "", "SandboxID": .string(namespacePath == nil ? "" : running ?? ""),
            "SandboxKey": .string(namespacePath ?? ""),
            "Ports": .object(portMap(ports)), "HairpinMode": false,
            "LinkLocalIPv6Address": "", "LinkLocalIPv6PrefixLen": 0, "SecondaryIPAddresses": .null,
            "SecondaryIPv6Addresses": .null, "EndpointID": .string(bridge?.endpointID ?? ""),
            "Gateway": .string(bridge?.gateway ?? ""), "GlobalIPv6Address": .string(bridge?.ipv6Address ?? ""),
            "GlobalIPv6PrefixLen": .count(bridge?.ipv6PrefixLength ?? 0),
            "IPAddress": .string(bridge?.ipv4Address ?? ""), "IPPrefixLen": .count(bridge?.ipv4PrefixLength ?? 0),
            "IPv6Gateway": .string(bridge?.ipv6Gateway ?? ""), "MacAddress": .string(bridge?.macAddress ?? ""),
            "Networks": .object(networks(mode, endpoints, running: running)),
        ]
    }

    /// `{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}`; null for a port that is not published.
    private static func portMap(_ ports: [PortMapping]) -> JSONObject {
        var map = JSONObject()
        for mapping in ports {
            let name = mapping.port.description
            guard mapping.hostPort != 0 else {
                if map[name] == nil { map[name] = .null }
                continue
            }
            let entry: JSONValue = [
                "HostIp": .string(mapping.hostAddress), "HostPort": .string(String(mapping.hostPort)),
            ]
            map[name] = .array((map[name]?.array ?? []) + [entry])
        }
        return map
    }

    /// Reads `Networks`; `none` and `host`, which are no networks to be part of, are left out.
    static func endpoints(dockerBody body: JSONValue?) -> [EndpointDetails] {
        (body?.object?.members ?? []).filter { $0.name != "none" && $0.name != "host" }.map {
            EndpointDetails(name: $0.name, dockerBody: $0.value)
        }
    }

    /// Of a container of the mode `none` that network is told of, unless it was left.
    static func hasLeftNone(_ mode: String?, dockerBody settings: JSONValue?) -> Bool {
        guard mode == "none", let networks = settings?.field("Networks")?.object else { return false }
        return networks["none"] == nil
    }

    static func ports(dockerBody body: JSONValue?) -> [PortMapping] {
        (body?.object?.members ?? []).flatMap { name, list -> [PortMapping] in
            guard let port = ContainerPort(name) else { return [] }
            let entries = (list.array ?? []).map { entry in
                PortMapping(
                    port, hostAddress: entry.text("HostIp"), hostPort: UInt16(entry.text("HostPort")) ?? 0)
            }
            return entries.isEmpty ? [PortMapping(port)] : entries
        }
    }
}

/// An entry of `Ports` in the list of containers.
extension PortMapping {
    var dockerBody: JSONValue {
        var body = JSONObject()
        if hostPort != 0 { body["IP"] = .string(hostAddress) }
        body["PrivatePort"] = .count(Int(port.number))
        if hostPort != 0 { body["PublicPort"] = .count(Int(hostPort)) }
        body["Type"] = .string(port.transport.rawValue)
        return .object(body)
    }

    init?(dockerBody body: JSONValue) {
        guard let number = body.whole("PrivatePort").flatMap(UInt16.init(exactly:)),
            let transport = ContainerPort.Transport(rawValue: body.text("Type"))
        else { return nil }
        self.init(
            ContainerPort(number, transport), hostAddress: body.text("IP"),
            hostPort: body.whole("PublicPort").flatMap(UInt16.init(exactly:)) ?? 0)
    }
}
