import JSON
import Linux
import OCI

/// Time on the processors, in nanoseconds, and which processors and memory nodes there were.
extension ContainerStatistics {
    func cpu() throws(KernelError) -> JSONValue {
        var object = JSONObject()
        object["usage"] = texts.isUnified ? try unifiedUsage() : try legacyUsage()
        object["throttling"] = try throttling()
        if let pressure = try pressure("cpu") { object["psi"] = pressure }
        return .object(object)
    }

    private func unifiedUsage() throws(KernelError) -> JSONValue {
        let table = try texts.table(nil, "cpu.stat") ?? [:]
        var usage = JSONObject()
        usage.putUnlessZero("total", table["usage_usec"].map { $0 * 1000 })
        usage["kernel"] = ((table["system_usec"] ?? 0) * 1000).json
        usage["user"] = ((table["user_usec"] ?? 0) * 1000).json
        return .object(usage)
    }

    private func legacyUsage() throws(KernelError) -> JSONValue {
        var usage = JSONObject()
        usage.putUnlessZero("total", try texts.number("cpuacct", "cpuacct.usage"))
        let each = try texts.lines("cpuacct", "cpuacct.usage_percpu")?.first?.compactMap { UInt64($0) }
        usage.putUnlessEmpty("percpu", each)
        // Lines of processor, user and system, below one of headings.
        let all = try texts.lines("cpuacct", "cpuacct.usage_all")?.dropFirst().filter { $0.count >= 3 }
        usage.putUnlessEmpty("percpu_kernel", all?.compactMap { UInt64($0[2]) })
        usage.putUnlessEmpty("percpu_user", all?.compactMap { UInt64($0[1]) })
        // In ticks, of which a second has a hundred on every machine that Linux has user space for.
        let ticks = try texts.table("cpuacct", "cpuacct.stat") ?? [:]
        usage["kernel"] = ((ticks["system"] ?? 0) * 10_000_000).json
        usage["user"] = ((ticks["user"] ?? 0) * 10_000_000).json
        return .object(usage)
    }

    private func throttling() throws(KernelError) -> JSONValue {
        let table = try texts.table(texts.isUnified ? nil : "cpu", "cpu.stat") ?? [:]
        var object = JSONObject()
        object.putUnlessZero("periods", table["nr_periods"])
        object.putUnlessZero("throttledPeriods", table["nr_throttled"])
        object.putUnlessZero("throttledTime", table["throttled_time"] ?? table["throttled_usec"].map { $0 * 1000 })
        return .object(object)
    }

    func cpuset() throws(KernelError) -> JSONValue {
        let controller = texts.isUnified ? nil : "cpuset"
        var object = JSONObject()
        object.putUnlessEmpty("cpus", try set(controller, "cpuset.cpus"))
        object["cpu_exclusive"] = (try flag("cpuset.cpu_exclusive")).json
        object.putUnlessEmpty("mems", try set(controller, "cpuset.mems"))
        for name in [
            "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
            "memory_pressure", "sched_load_balance",
        ] {
            object[name] = (try flag("cpuset.\(name)")).json
        }
        let level = try texts.lines("cpuset", "cpuset.sched_relax_domain_level")?.first?.first
        object["sched_relax_domain_level"] = .integer(level.flatMap { Int64($0) } ?? 0)
        return .object(object)
    }

    private func flag(_ file: String) throws(KernelError) -> UInt64 {
        texts.isUnified ? 0 : try texts.number("cpuset", file) ?? 0
    }

    private func set(_ controller: String?, _ file: String) throws(KernelError) -> [UInt64]? {
        try texts.lines(controller, file)?.first?.first.map(Self.members)
    }

    /// The numbers of a list such as `0-3,7`; nothing of one that is malformed or endless.
    static func members(of list: String) -> [UInt64] {
        var members: [UInt64] = []
        for part in list.split(separator: ",") {
            let ends = part.split(separator: "-").map { UInt64($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last, last < 65536 else {
                return []
            }
            members += first...last
        }
        return members
    }
}
