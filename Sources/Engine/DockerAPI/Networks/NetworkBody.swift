import EngineAPI
import JSON
import Linux

extension NetworkDetails {
    /// The answer of `GET /networks/{id}`.
    package var dockerBody: JSONValue {
        let members = members.sorted { $0.key < $1.key }.map { id, member -> (String, JSONValue) in
            (
                id,
                [
                    "Name": .string(member.name), "EndpointID": .string(member.endpointID),
                    "MacAddress": .string(member.macAddress), "IPv4Address": .string(member.ipv4Address),
                    "IPv6Address": .string(member.ipv6Address),
                ]
            )
        }
        var body = spec.dockerMembers
        body["Id"] = .string(id)
        body["Created"] = .string(WireTime.text(createdAt))
        body["Scope"] = "local"
        body["EnableIPv4"] = true
        body["Ingress"] = false
        body["Containers"] = .object(JSONObject(members))
        if let hostInterface { body["Gantry"] = ["Interface": .string(hostInterface)] }
        return .object(body)
    }

    /// Reads an entry of any engine's list, or an inspection; nil where it has no id.
    package init?(dockerBody body: JSONValue) {
        guard let id = body.filledText("Id") else { return nil }
        var spec = NetworkSpec(name: body.text("Name"))
        spec.read(body)
        self.init(
            id: id, spec: spec, createdAt: WireTime.parse(body.text("Created")) ?? Timestamp(nanosecondsSinceEpoch: 0))
        hostInterface = body.field("Gantry")?.filledText("Interface")
        for (id, member) in body.field("Containers")?.object?.members ?? [] {
            members[id] = NetworkMember(
                name: member.text("Name"), endpointID: member.text("EndpointID"),
                macAddress: member.text("MacAddress"), ipv4Address: member.text("IPv4Address"),
                ipv6Address: member.text("IPv6Address"))
        }
    }
}

extension NetworkSpec {
    /// The body of `POST /networks/create`.
    package init(dockerBody body: BodyReader) throws(EngineError) {
        self.init(name: try body.text("Name"))
        if try body.flag("Ingress") {
            throw EngineError(.unsupported, "Ingress networks are of swarms, and not supported")
        }
        let scope = try body.text("Scope")
        guard ["", "local"].contains(scope) else {
            throw EngineError(.denied, "cannot create a \(scope) scoped network when swarm is not active")
        }
        if body.value.field("EnableIPv4") != nil, try !body.flag("EnableIPv4") {
            throw EngineError(.unsupported, "networks without IPv4 are not supported")
        }
        let source = try body.object("ConfigFrom").filledText("Network")
        if try body.flag("ConfigOnly") {
            guard source == nil else {
                throw EngineError(.denied, "a configuration network cannot depend on another configuration network")
            }
            configuration = .only
        } else {
            configuration = source.map(NetworkConfigurationRole.from)
        }
        driver = try body.filledText("Driver") ?? "bridge"
        isInternal = try body.flag("Internal")
        isAttachable = try body.flag("Attachable")
        enablesIPv6 = try body.flag("EnableIPv6")
        options = try body.textMap("Options")
        labels = try body.textMap("Labels")
        let ipam = try body.object("IPAM")
        ipamDriver = try ipam.filledText("Driver") ?? "default"
        if ipam.value.field("Options") ?? .null != .null { ipamOptions = try ipam.textMap("Options") }
        for entry in try ipam.objects("Config") { pools.append(try AddressPool(dockerBody: entry)) }
    }

    package var dockerCreateBody: JSONValue { .object(dockerMembers) }

    /// Reads what an engine tells of a network: what it writes otherwise than docker is left as it is.
    fileprivate mutating func read(_ body: JSONValue) {
        driver = body.filledText("Driver") ?? "bridge"
        isInternal = body.flag("Internal")
        isAttachable = body.flag("Attachable")
        enablesIPv6 = body.flag("EnableIPv6")
        options = body.textMap("Options")
        labels = body.textMap("Labels")
        configuration = body.field("ConfigFrom")?.filledText("Network").map(NetworkConfigurationRole.from)
        if body.flag("ConfigOnly") { configuration = .only }
        let ipam = body.field("IPAM") ?? .null
        ipamDriver = ipam.filledText("Driver") ?? "default"
        if ipam.field("Options") ?? .null != .null { ipamOptions = ipam.textMap("Options") }
        pools = ipam.elements("Config").compactMap { entry in
            guard let subnet = entry.filledText("Subnet") else { return nil }
            var pool = AddressPool(
                subnet: subnet, range: entry.filledText("IPRange"), gateway: entry.filledText("Gateway"))
            pool.auxiliary = entry.textMap("AuxiliaryAddresses")
            return pool
        }
    }

    fileprivate var dockerMembers: JSONObject {
        let config = pools.map { pool -> JSONValue in
            var entry = JSONObject([("Subnet", .string(pool.subnet))])
            entry["IPRange"] = pool.range.map(JSONValue.string)
            entry["Gateway"] = pool.gateway.map(JSONValue.string)
            if !pool.auxiliary.isEmpty { entry["AuxiliaryAddresses"] = .textMap(pool.auxiliary) }
            return .object(entry)
        }
        return JSONObject([
            ("Name", .string(name)), ("Driver", .string(driver)), ("EnableIPv6", .bool(enablesIPv6)),
            (
                "IPAM",
                [
                    "Driver": .string(ipamDriver), "Options": ipamOptions.map { .textMap($0) } ?? .null,
                    "Config": .array(config),
                ]
            ),
            ("Internal", .bool(isInternal)), ("Attachable", .bool(isAttachable)), ("Options", .textMap(options)),
            ("Labels", .textMap(labels)), ("ConfigOnly", .bool(configuration == .only)),
            ("ConfigFrom", ["Network": .string(configuration?.source ?? "")]),
        ])
    }
}

extension NetworkConfigurationRole {
    fileprivate var source: String? {
        switch self {
        case .only: nil
        case .from(let name): name
        }
    }
}

extension AddressPool {
    fileprivate init(dockerBody body: BodyReader) throws(EngineError) {
        guard let subnet = try body.filledText("Subnet") else {
            throw EngineError(.invalid, "invalid IPAM configuration: a subnet is required")
        }
        self.init(subnet: subnet, range: try body.filledText("IPRange"), gateway: try body.filledText("Gateway"))
        auxiliary = try body.textMap("AuxiliaryAddresses")
    }
}

extension NetworkFilter {
    package init(dockerQuery query: QueryString, now: Timestamp = .now()) throws(EngineError) {
        self.init()
        let filters = try Filters(parsing: query["filters"])
        try filters.check(known: ["id", "name", "driver", "label", "label!", "scope", "type", "dangling", "until"])
        until = try filters.until(now)
        withoutLabels = filters["label!"]
        (ids, names, drivers) = (filters["id"], filters["name"], filters["driver"])
        (labels, scopes, types) = (filters["label"], filters["scope"], filters["type"])
        for type in types where type != "custom" && type != "builtin" {
            throw EngineError(.invalid, "invalid filter: 'type'='\(type)'")
        }
        dangling = try filters.isDangling
    }

    package var dockerQuery: QueryString {
        var filters = Filters()
        filters.add("id", ids)
        filters.add("name", names)
        filters.add("driver", drivers)
        filters.add("label", labels)
        filters.add("label!", withoutLabels)
        filters.add("until", until.map { [WireTime.parameter($0)] } ?? [])
        filters.add("scope", scopes)
        filters.add("type", types)
        filters.add("dangling", dangling.map { [$0 ? "true" : "false"] } ?? [])
        var query = QueryString()
        query.add("filters", filters.encoded)
        return query
    }
}
