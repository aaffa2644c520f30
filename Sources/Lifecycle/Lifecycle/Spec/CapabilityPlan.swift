import EngineAPI
import Linux

/// Which capabilities a container holds: docker's default ones, with what is added and dropped.
enum CapabilityPlan {
    static let defaults = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ]

    /// - Throws: `invalid` for a name that is none, or that this machine's root cannot give.
    static func resolve(_ spec: ContainerSpec, host: HostFacts) throws(EngineError) -> [String] {
        if spec.privileged { return host.capabilities }
        let added = try names(spec.addedCapabilities, "CapAdd", host)
        let dropped = try names(spec.droppedCapabilities, "CapDrop", host)
        if added.contains("ALL") { return host.capabilities.filter { !dropped.contains($0) } }
        if dropped.contains("ALL") { return added }
        let kept = defaults.filter { !dropped.contains($0) && host.capabilities.contains($0) }
        return kept + added.filter { !kept.contains($0) }
    }

    private static func names(
        _ given: [String], _ option: String, _ host: HostFacts
    ) throws(EngineError) -> [String] {
        var names: [String] = []
        for name in given {
            let upper = name.uppercased()
            if upper == "ALL" || upper == "CAP_ALL" {
                names.append("ALL")
                continue
            }
            guard let known = CapabilitySet(name: name)?.names.first else {
                let full = upper.hasPrefix("CAP_") ? upper : "CAP_" + upper
                throw EngineError(.invalid, "invalid \(option): unknown capability: \"\(full)\"")
            }
            guard host.capabilities.contains(known) || option == "CapDrop" else {
                throw EngineError(
                    .invalid,
                    "invalid \(option): capability not supported by your kernel or not available in the current "
                        + "environment: \"\(known)\"")
            }
            if !names.contains(known) { names.append(known) }
        }
        return names
    }
}
