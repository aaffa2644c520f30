import EngineAPI
import Linux
import Netlink

/// What is said of a network by options: a wish that cannot be read, or is not fulfilled, is refused by its name. What
/// was meant to be closed is not made open.
struct NetworkOptions {
    private let options: [String: String]

    init(_ options: [String: String]) { self.options = options }

    /// - Throws: `invalid` for what no engine would take, `unsupported` for what docker's would.
    func check(_ driver: NetworkDefinition.Driver) throws(EngineError) {
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            switch driver {
            case .bridge: try checkBridge(name, value)
            case .macvlan: try checkMacvlan(name, value)
            case .ipvlan: try checkIPvlan(name, value)
            // Of which driver its options are is known when a network takes them.
            case .configuration: break
            }
        }
    }

    private func checkBridge(_ name: String, _ value: String) throws(EngineError) {
        switch name {
        case "com.docker.network.driver.mtu": try checkMTU(name, value)
        case "com.docker.network.bridge.enable_icc", "com.docker.network.bridge.enable_ip_masquerade":
            _ = try flag(name, value)
        case "com.docker.network.bridge.host_binding_ipv4":
            guard IPAddress(value) != nil else { throw unreadable(name, value, "nil ip") }
        case "com.docker.network.bridge.inhibit_ipv4":
            if try flag(name, value) { throw unsupported(name, value) }
        case "com.docker.network.bridge.gateway_mode_ipv4", "com.docker.network.bridge.gateway_mode_ipv6":
            guard ["", "nat", "nat-unprotected", "routed", "isolated"].contains(value) else {
                throw unreadable(name, value, "unknown gateway mode")
            }
            guard ["", "nat"].contains(value) else { throw unsupported(name, value) }
        case "com.docker.network.container_iface_prefix":
            guard ["", "eth"].contains(value) else { throw unsupported(name, value) }
        case "com.docker.network.bridge.trusted_host_interfaces":
            guard value.isEmpty else { throw unsupported(name, value) }
        default: break
        }
    }

    private func checkMacvlan(_ name: String, _ value: String) throws(EngineError) {
        switch name {
        case "com.docker.network.driver.mtu": try checkMTU(name, value)
        case "macvlan_mode":
            guard ["", "private", "vepa", "passthru", "bridge"].contains(value) else {
                throw EngineError(
                    .invalid,
                    "requested macvlan mode '\(value)' is not valid, 'bridge' mode is the macvlan driver default")
            }
        case "parent": try checkParent(value, "macvlan")
        default: break
        }
    }

    private func checkIPvlan(_ name: String, _ value: String) throws(EngineError) {
        switch name {
        case "com.docker.network.driver.mtu": try checkMTU(name, value)
        case "ipvlan_mode":
            guard value.isEmpty || IPvlanMode(value) != nil else {
                throw EngineError(
                    .invalid, "requested ipvlan mode '\(value)' is not valid, 'l2' mode is the ipvlan driver default")
            }
        case "ipvlan_flag":
            guard value.isEmpty || IPvlanFlag(value) != nil else {
                throw EngineError(
                    .invalid, "requested ipvlan flag '\(value)' is not valid, 'bridge' is the ipvlan driver default")
            }
        case "parent": try checkParent(value, "ipvlan")
        default: break
        }
    }

    private func checkParent(_ name: String, _ driver: String) throws(EngineError) {
        if name == "lo" {
            throw EngineError(.invalid, "loopback interface is not a valid \(driver) parent link", object: name)
        }
    }

    private func checkMTU(_ name: String, _ value: String) throws(EngineError) {
        guard let mtu = Int(value) else {
            throw unreadable(name, value, "strconv.Atoi: parsing \"\(value)\": invalid syntax")
        }
        guard (68...65535).contains(mtu) else {
            throw EngineError(.invalid, "invalid value '\(value)' for \(name)")
        }
    }

    private func flag(_ name: String, _ value: String) throws(EngineError) -> Bool {
        guard let flag = GoBool.parse(value) else {
            throw unreadable(name, value, "strconv.ParseBool: parsing \"\(value)\": invalid syntax")
        }
        return flag
    }

    private func unreadable(_ name: String, _ value: String, _ reason: String) -> EngineError {
        EngineError(.invalid, "failed to parse \(name) value: \(value) (\(reason))")
    }

    private func unsupported(_ name: String, _ value: String) -> EngineError {
        EngineError(.unsupported, "the network option \(name)=\(value) is not supported yet by this engine")
    }
}
