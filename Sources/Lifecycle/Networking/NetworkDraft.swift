import EngineAPI
import Linux

/// Makes a network's definition of what was asked for, or refuses it.
package struct NetworkDraft {
    let networks: [NetworkDefinition]
    let routes: [Subnet]

    /// - Parameters:
    ///   - networks: those that are there.
    ///   - routes: where the host's routes lead, the default route left out.
    package init(networks: [NetworkDefinition], routes: [Subnet]) {
        self.networks = networks
        self.routes = routes
    }

    /// - Parameters:
    ///   - id: 64 hexadecimal digits.
    ///   - linkName: the bridge's, where the caller asks for none.
    package func definition(
        _ wanted: NetworkSpec, id: String, createdAt: Int64, linkName: String
    ) throws(EngineError) -> NetworkDefinition {
        try checkName(wanted.name)
        var spec = try configured(wanted)
        let driver = try driver(spec)
        guard ["", "default"].contains(wanted.ipamDriver) else {
            throw EngineError(.notFound, "plugin \"\(wanted.ipamDriver)\" not found", object: wanted.ipamDriver)
        }
        let hasOwnSubnet = !spec.pools.isEmpty
        spec.driver = driver.rawValue
        if driver == .configuration {
            try SubnetChoice(networks: [], routes: []).check(spec)
            return NetworkDefinition(
                id: id, spec: spec, driver: driver, createdAt: createdAt, linkName: "", blocks: [],
                hasOwnSubnet: hasOwnSubnet)
        }
        let blocks = try SubnetChoice(networks: networks, routes: routes).blocks(spec, id: id)
        spec.ipamDriver = "default"
        spec.pools = blocks.map(\.pool)
        let link = try link(&spec, driver, linkName, id)
        return NetworkDefinition(
            id: id, spec: spec, driver: driver, createdAt: createdAt, linkName: link, blocks: blocks,
            hasOwnSubnet: hasOwnSubnet)
    }

    private func checkName(_ name: String) throws(EngineError) {
        guard !name.allSatisfy(\.isWhitespace) else { throw EngineError(.invalid, "invalid name: name is empty") }
        // Docker takes any text. A terminal shows this one, and a container's mode is told by its first word.
        guard name.utf8.count <= 255, !name.hasPrefix("container:"),
            name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw EngineError(.invalid, "invalid name: \(name.debugDescription)", object: name) }
        if ["host", "none", "default", "container"].contains(name) {
            throw EngineError(.denied, "operation is not permitted on predefined \(name) network", object: name)
        }
        if networks.contains(where: { $0.name == name }) {
            throw EngineError(.conflict, "network with name \(name) already exists", object: name)
        }
    }

    private func driver(_ spec: NetworkSpec) throws(EngineError) -> NetworkDefinition.Driver {
        if spec.configuration == .only { return .configuration }
        let name = spec.driver
        switch name {
        case "", "bridge", "default": return .bridge
        case "macvlan": return .macvlan
        case "ipvlan": return .ipvlan
        case "host", "null", "none":
            throw EngineError(.denied, "only one instance of \"\(name)\" network is allowed", object: name)
        default: throw EngineError(.notFound, "plugin \"\(name)\" not found", object: name)
        }
    }

    private func link(
        _ spec: inout NetworkSpec, _ driver: NetworkDefinition.Driver, _ own: String, _ id: String
    ) throws(EngineError) -> String {
        try NetworkOptions(spec.options).check(driver)
        let option = driver == .bridge ? "com.docker.network.bridge.name" : "parent"
        let name = spec.options[option] ?? ""
        if name.isEmpty {
            if driver == .bridge { return own }
            // As docker: a device of its own, called so, by which the containers reach each other alone.
            spec.isInternal = true
            return "\(driver == .macvlan ? "dm" : "di")-\(id.prefix(12))"
        }
        // The kernel takes nearly any byte. The packet filter's rules hold the name in quotation marks, where `*` stands
        // for any ending, and `"` and `\` are no names at all: one such network would break the rules of all.
        guard name.utf8.count <= 15, name != ".", name != "..",
            name.utf8.allSatisfy({ $0.isWordByte || "_.:@-".utf8.contains($0) })
        else {
            throw EngineError(.invalid, "invalid network interface name '\(name)'", object: name)
        }
        if driver == .bridge, let other = networks.first(where: { $0.linkName == name }) {
            throw EngineError(
                .denied, "cannot create network \(spec.name): bridge \(name) already has network \(other.name)")
        }
        // Of two networks over one device the kernel could not tell a container's devices apart.
        if driver == .ipvlan, let other = networks.first(where: { $0.driver == .ipvlan && $0.linkName == name }) {
            throw EngineError(
                .denied, "network di-\(other.id.prefix(12)) is already using parent interface \(name)", object: name)
        }
        return name
    }
}

extension NetworkDefinition.Block {
    fileprivate var pool: AddressPool {
        var pool = AddressPool(
            subnet: subnet.description, range: range == subnet ? nil : range.description, gateway: gateway.description)
        pool.auxiliary = auxiliary.mapValues(\.description)
        return pool
    }
}

extension UInt8 {
    fileprivate var isWordByte: Bool { (48...57).contains(self) || (97...122).contains(self | 0x20) }
}
