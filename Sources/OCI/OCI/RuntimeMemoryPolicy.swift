import JSON

/// On which memory nodes a container's programs get their memory, for set_mempolicy(2).
package struct LinuxMemoryPolicy: Hashable, Sendable, RuntimeWritable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        case `default` = "MPOL_DEFAULT"
        case bind = "MPOL_BIND"
        case interleave = "MPOL_INTERLEAVE"
        case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"
        case preferred = "MPOL_PREFERRED"
        case preferredMany = "MPOL_PREFERRED_MANY"
        case local = "MPOL_LOCAL"
    }

    package enum Flag: String, Hashable, Sendable, CaseIterable {
        case balancing = "MPOL_F_NUMA_BALANCING"
        case relativeNodes = "MPOL_F_RELATIVE_NODES"
        case staticNodes = "MPOL_F_STATIC_NODES"
    }

    package var mode: Mode
    /// A list as in cpuset(7): `0-3,7`.
    package var nodes: String?
    package var flags: [Flag] = []

    package init(_ mode: Mode, nodes: String? = nil, flags: [Flag] = []) {
        self.mode = mode
        self.nodes = nodes
        self.flags = flags
    }

    init(_ policy: RuntimeProperty) throws(RuntimeSpecError) {
        mode = try policy.required("mode").word()
        nodes = try policy["nodes"]?.string()
        flags = try policy["flags"]?.list { (flag) throws(RuntimeSpecError) in try flag.word() } ?? []
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("mode", mode.rawValue)
        object.put("nodes", nodes)
        object.putList("flags", flags.map(\.rawValue))
        return .object(object)
    }
}
