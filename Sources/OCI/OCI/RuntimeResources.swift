import JSON

/// The limits of a container's cgroup.
package struct LinuxResources: Hashable, Sendable, RuntimeWritable {
    package var devices: [LinuxDeviceRule] = []
    package var memory: LinuxMemory?
    package var cpu: LinuxCPU?
    package var pids: LinuxPids?
    package var blockIO: LinuxBlockIO?
    package var hugepageLimits: [LinuxHugepageLimit] = []
    package var network: LinuxNetworkLimits?
    /// By the name of the device.
    package var rdma: [String: LinuxRdmaLimit] = [:]
    /// Files of cgroup v2 and what to write into them.
    package var unified: [String: String] = [:]
    package var other = JSONObject()

    package init() {}

    package init(_ resources: RuntimeProperty) throws(RuntimeSpecError) {
        devices = try resources["devices"]?.list(LinuxDeviceRule.init(_:)) ?? []
        if let property = try resources["memory"] { memory = try LinuxMemory(property) }
        if let property = try resources["cpu"] { cpu = try LinuxCPU(property) }
        if let property = try resources["pids"] { pids = try LinuxPids(property) }
        if let property = try resources["blockIO"] { blockIO = try LinuxBlockIO(property) }
        hugepageLimits = try resources["hugepageLimits"]?.list(LinuxHugepageLimit.init(_:)) ?? []
        if let property = try resources["network"] { network = try LinuxNetworkLimits(property) }
        if let devices = try resources["rdma"] { rdma = try devices.map(LinuxRdmaLimit.init(_:)) }
        unified = try resources["unified"]?.stringMap() ?? [:]
        other = try resources.members(except: [
            "devices", "memory", "cpu", "pids", "blockIO", "hugepageLimits", "network", "rdma",
            "unified",
        ])
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.putList("devices", devices)
        object.put("memory", memory)
        object.put("cpu", cpu)
        object.put("pids", pids)
        object.put("blockIO", blockIO)
        object.putList("hugepageLimits", hugepageLimits)
        object.put("network", network)
        if !rdma.isEmpty { object.put("rdma", rdma) }
        object.putMap("unified", unified)
        object.merge(other)
        return .object(object)
    }
}

/// Which devices may be used: rules are applied in their order.
package struct LinuxDeviceRule: Hashable, Sendable, RuntimeWritable {
    package var allow: Bool
    /// `a`, `c` or `b`.
    package var type: String
    /// Nil for all.
    package var major: Int64?
    package var minor: Int64?
    /// Letters of `rwm`.
    package var access: String

    package init(allow: Bool, type: String = "a", major: Int64? = nil, minor: Int64? = nil, access: String = "rwm") {
        self.allow = allow
        self.type = type
        self.major = major
        self.minor = minor
        self.access = access
    }

    init(_ rule: RuntimeProperty) throws(RuntimeSpecError) {
        allow = try rule.required("allow").bool()
        let kind = try rule["type"]?.string() ?? "a"
        type = kind.isEmpty ? "a" : kind
        guard ["a", "b", "c", "u"].contains(type) else { throw rule.failure("type must be a, b or c") }
        major = try Self.number(rule["major"])
        minor = try Self.number(rule["minor"])
        let letters = try rule["access"]?.string() ?? "rwm"
        access = letters.isEmpty ? "rwm" : letters
        guard access.allSatisfy({ "rwm".contains($0) }) else { throw rule.failure("access must be of r, w and m") }
    }

    /// The kernel compares 32 bits: a rule for a greater number would hold for another device.
    private static func number(_ property: RuntimeProperty?) throws(RuntimeSpecError) -> Int64? {
        guard let property else { return nil }
        let number: Int64 = try property.integer()
        guard number <= UInt32.max else { throw property.failure("must be at most \(UInt32.max)") }
        return number < 0 ? nil : number
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("allow", allow)
        object.put("type", type)
        object.put("major", major)
        object.put("minor", minor)
        object.put("access", access)
        return .object(object)
    }
}

/// Memory limits in bytes; -1 is none.
package struct LinuxMemory: Hashable, Sendable, RuntimeWritable {
    package var limitBytes: Int64?
    package var reservationBytes: Int64?
    /// Memory and swap together.
    package var swapBytes: Int64?
    package var kernelBytes: Int64?
    package var kernelTCPBytes: Int64?
    package var swappiness: UInt64?
    package var disableOOMKiller: Bool?
    package var useHierarchy: Bool?
    package var checkBeforeUpdate: Bool?

    package init(limitBytes: Int64? = nil) { self.limitBytes = limitBytes }

    init(_ memory: RuntimeProperty) throws(RuntimeSpecError) {
        limitBytes = try memory["limit"]?.integer()
        reservationBytes = try memory["reservation"]?.integer()
        swapBytes = try memory["swap"]?.integer()
        kernelBytes = try memory["kernel"]?.integer()
        kernelTCPBytes = try memory["kernelTCP"]?.integer()
        swappiness = try memory["swappiness"]?.integer()
        disableOOMKiller = try memory["disableOOMKiller"]?.bool()
        useHierarchy = try memory["useHierarchy"]?.bool()
        checkBeforeUpdate = try memory["checkBeforeUpdate"]?.bool()
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("limit", limitBytes)
        object.put("reservation", reservationBytes)
        object.put("swap", swapBytes)
        object.put("kernel", kernelBytes)
        object.put("kernelTCP", kernelTCPBytes)
        object.put("swappiness", swappiness)
        object.put("disableOOMKiller", disableOOMKiller)
        object.put("useHierarchy", useHierarchy)
        object.put("checkBeforeUpdate", checkBeforeUpdate)
        return .object(object)
    }
}

package struct LinuxCPU: Hashable, Sendable, RuntimeWritable {
    package var shares: UInt64?
    /// Of `periodMicroseconds`; -1 is no limit.
    package var quotaMicroseconds: Int64?
    package var burstMicroseconds: UInt64?
    package var periodMicroseconds: UInt64?
    package var realtimeRuntimeMicroseconds: Int64?
    package var realtimePeriodMicroseconds: UInt64?
    /// Lists as in cpuset(7): `0-3,7`.
    package var cpus: String?
    package var mems: String?
    package var idle: Int64?

    package init() {}

    init(_ cpu: RuntimeProperty) throws(RuntimeSpecError) {
        shares = try cpu["shares"]?.integer()
        quotaMicroseconds = try cpu["quota"]?.integer()
        burstMicroseconds = try cpu["burst"]?.integer()
        periodMicroseconds = try cpu["period"]?.integer()
        realtimeRuntimeMicroseconds = try cpu["realtimeRuntime"]?.integer()
        realtimePeriodMicroseconds = try cpu["realtimePeriod"]?.integer()
        cpus = try cpu["cpus"]?.string()
        mems = try cpu["mems"]?.string()
        idle = try cpu["idle"]?.integer()
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("shares", shares)
        object.put("quota", quotaMicroseconds)
        object.put("burst", burstMicroseconds)
        object.put("period", periodMicroseconds)
        object.put("realtimeRuntime", realtimeRuntimeMicroseconds)
        object.put("realtimePeriod", realtimePeriodMicroseconds)
        object.put("cpus", cpus)
        object.put("mems", mems)
        object.put("idle", idle)
        return .object(object)
    }
}

package struct LinuxPids: Hashable, Sendable, RuntimeWritable {
    /// Below zero is no limit. Zero is as good as nothing said, as in runc up to 1.3: in a new cgroup that is no limit,
    /// which crun reads there too. The specification's 1.3 makes it a limit, by which a container could never begin a
    /// second process; engines write it for "none".
    package var limit: Int64?

    package init(limit: Int64?) { self.limit = limit }

    init(_ pids: RuntimeProperty) throws(RuntimeSpecError) { limit = try pids["limit"]?.integer() }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("limit", limit)
        return .object(object)
    }
}

package struct LinuxHugepageLimit: Hashable, Sendable, RuntimeWritable {
    /// `2MB`, `1GB`.
    package var pageSize: String
    package var limitBytes: UInt64

    package init(pageSize: String, limitBytes: UInt64) {
        self.pageSize = pageSize
        self.limitBytes = limitBytes
    }

    init(_ limit: RuntimeProperty) throws(RuntimeSpecError) {
        pageSize = try limit.required("pageSize").string()
        limitBytes = try limit.required("limit").integer()
    }

    package var json: JSONValue { ["pageSize": pageSize.json, "limit": limitBytes.json] }
}

package struct LinuxBlockIO: Hashable, Sendable, RuntimeWritable {
    /// 10 to 1000; 0 is none given.
    package var weight: UInt16?
    package var leafWeight: UInt16?
    package var weightDevice: [LinuxBlockWeight] = []
    package var throttleReadBytesPerSecond: [LinuxThrottle] = []
    package var throttleWriteBytesPerSecond: [LinuxThrottle] = []
    package var throttleReadOperationsPerSecond: [LinuxThrottle] = []
    package var throttleWriteOperationsPerSecond: [LinuxThrottle] = []

    package init() {}

    init(_ io: RuntimeProperty) throws(RuntimeSpecError) {
        weight = try io["weight"]?.integer()
        leafWeight = try io["leafWeight"]?.integer()
        weightDevice = try io["weightDevice"]?.list(LinuxBlockWeight.init(_:)) ?? []
        throttleReadBytesPerSecond = try io["throttleReadBpsDevice"]?.list(LinuxThrottle.init(_:)) ?? []
        throttleWriteBytesPerSecond = try io["throttleWriteBpsDevice"]?.list(LinuxThrottle.init(_:)) ?? []
        throttleReadOperationsPerSecond = try io["throttleReadIOPSDevice"]?.list(LinuxThrottle.init(_:)) ?? []
        throttleWriteOperationsPerSecond = try io["throttleWriteIOPSDevice"]?.list(LinuxThrottle.init(_:)) ?? []
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("weight", weight)
        object.put("leafWeight", leafWeight)
        object.putList("weightDevice", weightDevice)
        object.putList("throttleReadBpsDevice", throttleReadBytesPerSecond)
        object.putList("throttleWriteBpsDevice", throttleWriteBytesPerSecond)
        object.putList("throttleReadIOPSDevice", throttleReadOperationsPerSecond)
        object.putList("throttleWriteIOPSDevice", throttleWriteOperationsPerSecond)
        return .object(object)
    }
}

package struct LinuxBlockWeight: Hashable, Sendable, RuntimeWritable {
    package var major: Int64
    package var minor: Int64
    package var weight: UInt16?
    package var leafWeight: UInt16?

    package init(major: Int64, minor: Int64, weight: UInt16?) {
        self.major = major
        self.minor = minor
        self.weight = weight
    }

    init(_ device: RuntimeProperty) throws(RuntimeSpecError) {
        major = try device.required("major").integer()
        minor = try device.required("minor").integer()
        weight = try device["weight"]?.integer()
        leafWeight = try device["leafWeight"]?.integer()
        guard weight != nil || leafWeight != nil else { throw device.failure("must have weight or leafWeight") }
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("major", major)
        object.put("minor", minor)
        object.put("weight", weight)
        object.put("leafWeight", leafWeight)
        return .object(object)
    }
}

/// A device's rate: bytes or operations per second, as the list says that it is in.
package struct LinuxThrottle: Hashable, Sendable, RuntimeWritable {
    package var major: Int64
    package var minor: Int64
    package var ratePerSecond: UInt64

    package init(major: Int64, minor: Int64, ratePerSecond: UInt64) {
        self.major = major
        self.minor = minor
        self.ratePerSecond = ratePerSecond
    }

    init(_ device: RuntimeProperty) throws(RuntimeSpecError) {
        major = try device.required("major").integer()
        minor = try device.required("minor").integer()
        ratePerSecond = try device.required("rate").integer()
    }

    package var json: JSONValue { ["major": major.json, "minor": minor.json, "rate": ratePerSecond.json] }
}
