import EngineAPI
import JSON

extension ContainerStats {
    /// The body of docker's stats. The keys of `memory_stats.stats` are those by which docker's CLI comes to
    /// `memoryUsedBytes`.
    ///
    /// - Parameter previous: the sample before this one, for `precpu_stats`; nil leaves it empty, as one-shot does.
    package func dockerBody(previous: ContainerStats?) -> JSONValue {
        var body = JSONObject([
            ("name", .string("/\(name)")), ("id", .string(id)), ("read", .string(WireTime.text(time))),
            ("preread", .string(WireTime.text(previous?.time))), ("num_procs", 0), ("storage_stats", [:]),
            ("pids_stats", pidsBody), ("cpu_stats", cpuBody),
            ("precpu_stats", previous?.cpuBody ?? Self.emptyCPU), ("memory_stats", memoryBody),
            ("blkio_stats", blockBody),
        ])
        if !networks.isEmpty {
            let members = networks.sorted { $0.key < $1.key }.map { ($0.key, $0.value.dockerBody) }
            body["networks"] = .object(JSONObject(members))
        }
        return .object(body)
    }

    /// What docker answers for a container that does not run.
    package static func emptyDockerBody(id: String, name: String) -> JSONValue {
        [
            "name": .string("/\(name)"), "id": .string(id), "read": .string(WireTime.zero),
            "preread": .string(WireTime.zero), "pids_stats": [:], "blkio_stats": [:], "num_procs": 0,
            "storage_stats": [:], "cpu_stats": emptyCPU, "precpu_stats": emptyCPU, "memory_stats": [:],
        ]
    }

    private static let emptyCPU: JSONValue = [
        "cpu_usage": ["total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0],
        "throttling_data": ["periods": 0, "throttled_periods": 0, "throttled_time": 0],
    ]

    private var cpuBody: JSONValue {
        var usage = JSONObject([
            ("total_usage", .unsignedInteger(cpuNanoseconds)),
            ("usage_in_kernelmode", .unsignedInteger(cpuSystemNanoseconds)),
            ("usage_in_usermode", .unsignedInteger(cpuUserNanoseconds)),
        ])
        if !perCPUNanoseconds.isEmpty {
            usage["percpu_usage"] = .array(perCPUNanoseconds.map { .unsignedInteger($0) })
        }
        return [
            "cpu_usage": .object(usage),
            "system_cpu_usage": .unsignedInteger(hostCPUNanoseconds), "online_cpus": .count(onlineCPUs),
            "throttling_data": [
                "periods": 0, "throttled_periods": .unsignedInteger(throttledPeriods),
                "throttled_time": .unsignedInteger(throttledNanoseconds),
            ],
        ]
    }

    private var memoryBody: JSONValue {
        var counters = memoryCounters
        if counters["inactive_file"] == nil { counters["inactive_file"] = memoryInactiveFileBytes }
        counters["oom_kill"] = outOfMemoryKills
        var body = JSONObject([
            ("usage", .unsignedInteger(memoryTotalBytes)),
            (
                "stats",
                .object(JSONObject(counters.sorted { $0.key < $1.key }.map { ($0.key, .unsignedInteger($0.value)) }))
            ),
            ("limit", .unsignedInteger(memoryLimitBytes)),
        ])
        // As docker, which leaves out what is zero.
        if memoryPeakBytes > 0 { body["max_usage"] = .unsignedInteger(memoryPeakBytes) }
        if memoryLimitHits > 0 { body["failcnt"] = .unsignedInteger(memoryLimitHits) }
        return .object(body)
    }

    private var pidsBody: JSONValue {
        var body: JSONObject = JSONObject([("current", .unsignedInteger(pids))])
        // Go's types hold "no limit" as the largest number.
        body["limit"] = .unsignedInteger(pidsLimit ?? UInt64.max)
        return .object(body)
    }

    private var blockBody: JSONValue {
        func entry(_ operation: String, _ bytes: UInt64) -> JSONValue {
            ["major": 0, "minor": 0, "op": .string(operation), "value": .unsignedInteger(bytes)]
        }
        return [
            "io_service_bytes_recursive": [entry("read", blockReadBytes), entry("write", blockWriteBytes)],
            "io_serviced_recursive": .null, "io_queue_recursive": .null, "io_service_time_recursive": .null,
            "io_wait_time_recursive": .null, "io_merged_recursive": .null, "io_time_recursive": .null,
            "sectors_recursive": .null,
        ]
    }
}

extension ContainerStats {
    /// Reads a stats body of any engine; nil for one of a container that does not run.
    package init?(dockerBody body: JSONValue, id: String) {
        guard let time = WireTime.parse(body.text("read")) else { return nil }
        let name = body.text("name")
        self.init(
            id: body.filledText("id") ?? id, name: name.hasPrefix("/") ? String(name.dropFirst()) : name, time: time)
        readCPU(body.field("cpu_stats") ?? .null)
        readMemory(body.field("memory_stats") ?? .null)
        let pidsBody = body.field("pids_stats") ?? .null
        pids = pidsBody.unsigned("current")
        let limit = pidsBody.unsigned("limit")
        pidsLimit = limit == 0 || limit == UInt64.max ? nil : limit
        for entry in body.field("blkio_stats")?.elements("io_service_bytes_recursive") ?? [] {
            switch entry.text("op").lowercased() {
            case "read": blockReadBytes = blockReadBytes.addingSaturated(entry.unsigned("value"))
            case "write": blockWriteBytes = blockWriteBytes.addingSaturated(entry.unsigned("value"))
            default: break
            }
        }
        for (name, value) in body.field("networks")?.object?.members ?? [] {
            networks[name] = NetworkStats(dockerBody: value)
        }
    }

    private mutating func readCPU(_ body: JSONValue) {
        let usage = body.field("cpu_usage") ?? .null
        cpuNanoseconds = usage.unsigned("total_usage")
        cpuUserNanoseconds = usage.unsigned("usage_in_usermode")
        cpuSystemNanoseconds = usage.unsigned("usage_in_kernelmode")
        hostCPUNanoseconds = body.unsigned("system_cpu_usage")
        perCPUNanoseconds = usage.elements("percpu_usage").map { $0.unsigned ?? 0 }
        onlineCPUs = max(1, Int(body.whole("online_cpus") ?? Int64(perCPUNanoseconds.count)))
        throttledPeriods = body.field("throttling_data")?.unsigned("throttled_periods") ?? 0
        throttledNanoseconds = body.field("throttling_data")?.unsigned("throttled_time") ?? 0
    }

    private mutating func readMemory(_ body: JSONValue) {
        memoryTotalBytes = body.unsigned("usage")
        memoryLimitBytes = body.unsigned("limit")
        let stats = body.field("stats") ?? .null
        // cgroup v1 has the sum over child groups under a name of its own.
        memoryInactiveFileBytes =
            stats.field("total_inactive_file") != nil
            ? stats.unsigned("total_inactive_file") : stats.unsigned("inactive_file")
        outOfMemoryKills = stats.unsigned("oom_kill")
        memoryPeakBytes = body.unsigned("max_usage")
        memoryLimitHits = body.unsigned("failcnt")
        // The kills are of another file, and stand among these for want of a place.
        for (name, value) in stats.object?.members ?? [] where name != "oom_kill" {
            memoryCounters[name] = value.unsigned
        }
    }
}

extension NetworkStats {
    fileprivate var dockerBody: JSONValue {
        [
            "rx_bytes": .unsignedInteger(receivedBytes), "rx_packets": .unsignedInteger(receivedPackets),
            "rx_errors": 0, "rx_dropped": 0, "tx_bytes": .unsignedInteger(sentBytes),
            "tx_packets": .unsignedInteger(sentPackets), "tx_errors": 0, "tx_dropped": 0,
        ]
    }

    fileprivate init(dockerBody body: JSONValue) {
        self.init()
        receivedBytes = body.unsigned("rx_bytes")
        receivedPackets = body.unsigned("rx_packets")
        sentBytes = body.unsigned("tx_bytes")
        sentPackets = body.unsigned("tx_packets")
    }
}
