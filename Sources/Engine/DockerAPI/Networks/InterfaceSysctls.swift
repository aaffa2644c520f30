import EngineAPI

/// Settings of a device by its name among a container's `Sysctls`, as `net.ipv4.conf.eth0.log_martians`.
///
/// The device is not there yet when a container's settings are made: such a setting is said of the endpoint, which
/// `EndpointSpec.settingsOption` is for. Docker's clients had no such option before 1.46 of the API; what they say of the
/// first device is moved there for them, as docker does it.
enum InterfaceSysctls {
    /// - Returns: a warning that settings were moved; nil where there are none.
    /// - Throws: `invalid` for one of another device, and for any by a client that knows the option.
    static func move(in spec: inout ContainerSpec, version: APIVersion) throws(EngineError) -> String? {
        guard spec.networkMode != .host, spec.networkMode?.container == nil else { return nil }
        let named = spec.sysctls.keys.filter { Self.device(of: $0) != nil }.sorted()
        guard let first = named.first else { return nil }
        guard version <= APIVersion(1, 47) else {
            throw EngineError(
                .invalid,
                "interface specific sysctl setting \"\(first)\" must be supplied using driver option "
                    + "'\(EndpointSpec.settingsOption)'")
        }
        if let other = named.first(where: { Self.device(of: $0) != "eth0" }) {
            throw EngineError(
                .invalid,
                "unable to determine network endpoint for sysctl \(other), use driver option "
                    + "'\(EndpointSpec.settingsOption)' to set per-interface sysctls")
        }
        var moved: [String] = []
        for name in named {
            guard let value = spec.sysctls.removeValue(forKey: name) else { continue }
            var parts = name.split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
            parts[3] = "IFNAME"
            moved.append("\(parts.joined(separator: "."))=\(value)")
        }
        let settings = moved.joined(separator: ",")
        var endpoint = spec.networks[spec.firstNetwork] ?? EndpointSpec()
        // What was said of the endpoint itself counts: it is set last.
        let said = endpoint.options[EndpointSpec.settingsOption].map { [$0] } ?? []
        endpoint.options[EndpointSpec.settingsOption] = ([settings] + said).joined(separator: ",")
        spec.networks[spec.firstNetwork] = endpoint
        return "Migrated sysctl \"\(named.joined(separator: ","))\" to "
            + "DriverOpts{\"\(EndpointSpec.settingsOption)\":\"\(settings)\"}."
    }

    /// `eth0` of `net.ipv4.conf.eth0.log_martians`.
    private static func device(of name: String) -> Substring? {
        let parts = name.split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
        return parts.count == 5 && parts[0] == "net" && parts[3].hasPrefix("eth") ? parts[3] : nil
    }
}

extension ContainerSpec {
    fileprivate var firstNetwork: String { networkMode?.network ?? NetworkMode.bridge.rawValue }
}
