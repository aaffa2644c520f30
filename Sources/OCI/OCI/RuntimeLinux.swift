import JSON

/// The `linux` section: namespaces, devices, resources and what else only Linux has.
package struct RuntimeLinux: Hashable, Sendable, RuntimeWritable {
    package var uidMappings: [LinuxIDMapping] = []
    package var gidMappings: [LinuxIDMapping] = []
    package var sysctl: [String: String] = [:]
    package var resources: LinuxResources?
    /// A path below the cgroup root. The specification gives a relative path no meaning; it is taken as below the root.
    package var cgroupsPath: String?
    package var namespaces: [LinuxNamespace] = []
    package var devices: [LinuxDevice] = []
    /// By their names on the host.
    package var netDevices: [String: LinuxNetDevice] = [:]
    package var seccomp: LinuxSeccomp?
    package var rootfsPropagation: String?
    package var maskedPaths: [String] = []
    package var readonlyPaths: [String] = []
    package var mountLabel: String?
    /// Offsets of the time namespace's clocks, by `monotonic` and `boottime`.
    package var timeOffsets: [String: LinuxTimeOffset] = [:]
    package var personality: LinuxPersonality?
    package var intelRdt: LinuxIntelRdt?
    package var memoryPolicy: LinuxMemoryPolicy?
    package var other = JSONObject()

    package init() {}

    init(_ linux: RuntimeProperty) throws(RuntimeSpecError) {
        uidMappings = try linux["uidMappings"]?.list(LinuxIDMapping.init(_:)) ?? []
        gidMappings = try linux["gidMappings"]?.list(LinuxIDMapping.init(_:)) ?? []
        sysctl = try linux["sysctl"]?.stringMap() ?? [:]
        if let property = try linux["resources"] { resources = try LinuxResources(property) }
        cgroupsPath = try linux["cgroupsPath"]?.string()
        namespaces = try linux["namespaces"]?.list(LinuxNamespace.init(_:)) ?? []
        devices = try linux["devices"]?.list(LinuxDevice.init(_:)) ?? []
        if let devices = try linux["netDevices"] { netDevices = try devices.map(LinuxNetDevice.init(_:)) }
        if let property = try linux["seccomp"] { seccomp = try LinuxSeccomp(property) }
        rootfsPropagation = try linux["rootfsPropagation"]?.string()
        maskedPaths = try linux["maskedPaths"]?.strings() ?? []
        readonlyPaths = try linux["readonlyPaths"]?.strings() ?? []
        mountLabel = try linux["mountLabel"]?.string()
        if let offsets = try linux["timeOffsets"] { timeOffsets = try offsets.map(LinuxTimeOffset.init(_:)) }
        if let property = try linux["personality"] { personality = try LinuxPersonality(property) }
        if let property = try linux["intelRdt"] { intelRdt = try LinuxIntelRdt(property) }
        if let property = try linux["memoryPolicy"] { memoryPolicy = try LinuxMemoryPolicy(property) }
        other = try linux.members(except: [
            "uidMappings", "gidMappings", "sysctl", "resources", "cgroupsPath", "namespaces", "devices", "seccomp",
            "rootfsPropagation", "maskedPaths", "readonlyPaths", "mountLabel", "timeOffsets",
            "personality", "netDevices", "intelRdt", "memoryPolicy",
        ])
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.putList("uidMappings", uidMappings)
        object.putList("gidMappings", gidMappings)
        object.putMap("sysctl", sysctl)
        object.put("resources", resources)
        object.put("cgroupsPath", cgroupsPath)
        object.putList("namespaces", namespaces)
        object.putList("devices", devices)
        if !netDevices.isEmpty { object.put("netDevices", netDevices) }
        object.put("seccomp", seccomp)
        object.put("rootfsPropagation", rootfsPropagation)
        object.putList("maskedPaths", maskedPaths)
        object.putList("readonlyPaths", readonlyPaths)
        object.put("mountLabel", mountLabel)
        if !timeOffsets.isEmpty { object.put("timeOffsets", timeOffsets) }
        object.put("personality", personality)
        object.put("intelRdt", intelRdt)
        object.put("memoryPolicy", memoryPolicy)
        object.merge(other)
        return .object(object)
    }
}

/// A namespace of the container: new, or an existing one joined by path.
package struct LinuxNamespace: Hashable, Sendable, RuntimeWritable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case pid, network, mount, ipc, uts, user, cgroup, time
    }

    package var kind: Kind
    package var path: String?

    package init(_ kind: Kind, path: String? = nil) {
        self.kind = kind
        self.path = path
    }

    init(_ namespace: RuntimeProperty) throws(RuntimeSpecError) {
        let type = try namespace.required("type")
        guard let kind = Kind(rawValue: try type.string()) else {
            throw type.failure("`\(try type.string())` is no namespace")
        }
        self.kind = kind
        let path = try namespace["path"]?.string() ?? ""
        self.path = path.isEmpty ? nil : path
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("type", kind.rawValue)
        object.put("path", path)
        return .object(object)
    }
}

/// A range of ids of the container and where it begins on the host.
package struct LinuxIDMapping: Hashable, Sendable, RuntimeWritable {
    package var containerID: UInt32
    package var hostID: UInt32
    package var size: UInt32

    package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }

    init(_ mapping: RuntimeProperty) throws(RuntimeSpecError) {
        containerID = try mapping.required("containerID").integer()
        hostID = try mapping.required("hostID").integer()
        size = try mapping.required("size").integer()
    }

    package var json: JSONValue {
        ["containerID": containerID.json, "hostID": hostID.json, "size": size.json]
    }
}

/// A device node to be made in the container.
package struct LinuxDevice: Hashable, Sendable, RuntimeWritable {
    package var path: String
    /// `c`, `b`, `u` (as `c`) or `p`.
    package var type: String
    package var major: Int64
    package var minor: Int64
    package var fileMode: UInt32?
    package var uid: UInt32?
    package var gid: UInt32?

    package init(path: String, type: String, major: Int64, minor: Int64) {
        self.path = path
        self.type = type
        self.major = major
        self.minor = minor
    }

    init(_ device: RuntimeProperty) throws(RuntimeSpecError) {
        path = try device.required("path").string()
        let property = try device.required("type")
        type = try property.string()
        guard ["c", "b", "u", "p"].contains(type) else { throw property.failure("must be c, b, u or p") }
        major = try Self.number(device, "major", limit: 0xFFF)
        minor = try Self.number(device, "minor", limit: 0xF_FFFF)
        fileMode = try device["fileMode"]?.integer()
        uid = try device["uid"]?.integer()
        gid = try device["gid"]?.integer()
    }

    /// The kernel has 12 and 20 bits for the two.
    private static func number(
        _ device: RuntimeProperty, _ name: String, limit: Int64
    ) throws(RuntimeSpecError) -> Int64 {
        guard let property = try device[name] else { return 0 }
        let number: Int64 = try property.integer()
        guard (0...limit).contains(number) else { throw property.failure("must be from 0 to \(limit)") }
        return number
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("path", path)
        object.put("type", type)
        object.put("major", major)
        object.put("minor", minor)
        object.put("fileMode", fileMode)
        object.put("uid", uid)
        object.put("gid", gid)
        return .object(object)
    }
}

package struct LinuxTimeOffset: Hashable, Sendable, RuntimeWritable {
    package var seconds: Int64
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init(_ offset: RuntimeProperty) throws(RuntimeSpecError) {
        seconds = try offset["secs"]?.integer() ?? 0
        nanoseconds = try offset["nanosecs"]?.integer() ?? 0
    }

    package var json: JSONValue { ["secs": seconds.json, "nanosecs": nanoseconds.json] }
}
