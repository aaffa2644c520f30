import EngineAPI
import JSON

/// docker's `Resources`: the limits among the members of a `HostConfig` and of an update.
extension ResourceLimits {
    package init(dockerBody host: BodyReader) throws(EngineError) {
        self.init()
        memoryBytes = try host.filledWhole("Memory")
        memoryReservationBytes = try host.filledWhole("MemoryReservation")
        memorySwapBytes = try host.filledWhole("MemorySwap")
        // -1 is docker's older way to say nothing.
        memorySwappiness = try host.whole("MemorySwappiness").flatMap { $0 == -1 ? nil : $0 }
        oomKillDisabled = try host.flag("OomKillDisable") ? true : nil
        nanoCPUs = try host.filledWhole("NanoCpus")
        cpuShares = try host.filledWhole("CpuShares")
        cpuPeriodMicroseconds = try host.filledWhole("CpuPeriod")
        cpuQuotaMicroseconds = try host.filledWhole("CpuQuota")
        cpuRealtimePeriodMicroseconds = try host.filledWhole("CpuRealtimePeriod")
        cpuRealtimeRuntimeMicroseconds = try host.filledWhole("CpuRealtimeRuntime")
        cpusetCPUs = try host.filledText("CpusetCpus")
        cpusetMemoryNodes = try host.filledText("CpusetMems")
        // 0 and less all mean unlimited; absent is as it was.
        pids = try host.whole("PidsLimit").map { $0 > 0 ? $0 : -1 }
        blockIOWeight = try host.filledWhole("BlkioWeight")
        blockIODeviceWeights = try Self.rates(host, "BlkioWeightDevice", "Weight")
        blockIOReadBytesPerSecond = try Self.rates(host, "BlkioDeviceReadBps", "Rate")
        blockIOWriteBytesPerSecond = try Self.rates(host, "BlkioDeviceWriteBps", "Rate")
        blockIOReadsPerSecond = try Self.rates(host, "BlkioDeviceReadIOps", "Rate")
        blockIOWritesPerSecond = try Self.rates(host, "BlkioDeviceWriteIOps", "Rate")
    }

    private static func rates(
        _ host: BodyReader, _ name: String, _ member: String
    ) throws(EngineError) -> [DeviceRate]? {
        var rates: [DeviceRate] = []
        for element in try host.objects(name) {
            guard let rate = try element.unsigned(member) else {
                throw EngineError(.invalid, "invalid JSON: \(element.name(member)) must be a whole number")
            }
            rates.append(DeviceRate(path: try element.text("Path"), rate: rate))
        }
        return rates.isEmpty ? nil : rates
    }

    /// The members of a `HostConfig`; what is not limited has Go's zero.
    var dockerMembers: [(String, JSONValue)] {
        func rates(_ list: [DeviceRate]?, _ member: String) -> JSONValue {
            .array(
                (list ?? []).map { entry in
                    .object(JSONObject([("Path", .string(entry.path)), (member, .unsignedInteger(entry.rate))]))
                })
        }
        return [
            ("Memory", .integer(memoryBytes ?? 0)), ("MemoryReservation", .integer(memoryReservationBytes ?? 0)),
            ("MemorySwap", .integer(memorySwapBytes ?? 0)),
            ("MemorySwappiness", memorySwappiness.map { .integer($0) } ?? .null),
            ("OomKillDisable", oomKillDisabled.map { .bool($0) } ?? .null), ("NanoCpus", .integer(nanoCPUs ?? 0)),
            ("CpuShares", .integer(cpuShares ?? 0)), ("CpuPeriod", .integer(cpuPeriodMicroseconds ?? 0)),
            ("CpuQuota", .integer(cpuQuotaMicroseconds ?? 0)),
            ("CpuRealtimePeriod", .integer(cpuRealtimePeriodMicroseconds ?? 0)),
            ("CpuRealtimeRuntime", .integer(cpuRealtimeRuntimeMicroseconds ?? 0)),
            ("CpusetCpus", .string(cpusetCPUs ?? "")), ("CpusetMems", .string(cpusetMemoryNodes ?? "")),
            ("PidsLimit", pids.map { .integer($0) } ?? .null), ("BlkioWeight", .integer(blockIOWeight ?? 0)),
            ("BlkioWeightDevice", rates(blockIODeviceWeights, "Weight")),
            ("BlkioDeviceReadBps", rates(blockIOReadBytesPerSecond, "Rate")),
            ("BlkioDeviceWriteBps", rates(blockIOWriteBytesPerSecond, "Rate")),
            ("BlkioDeviceReadIOps", rates(blockIOReadsPerSecond, "Rate")),
            ("BlkioDeviceWriteIOps", rates(blockIOWritesPerSecond, "Rate")),
        ]
    }
}

extension RestartPolicy {
    /// Nil where the body names none.
    package init?(dockerBody body: BodyReader) throws(EngineError) {
        let name = try body.text("Name")
        let retries = try body.whole("MaximumRetryCount") ?? 0
        guard !name.isEmpty else {
            guard retries == 0 else {
                throw EngineError(.invalid, "invalid restart policy: maximum retry count needs a policy")
            }
            return nil
        }
        guard let kind = Kind(rawValue: name) else {
            throw EngineError(
                .invalid,
                "invalid restart policy: unknown policy '\(name)'; use one of 'no', 'always', 'on-failure', or "
                    + "'unless-stopped'")
        }
        self.init(kind, maximumRetries: Int(clamping: retries))
    }

    package var dockerBody: JSONValue {
        ["Name": .string(kind.rawValue), "MaximumRetryCount": .count(maximumRetries)]
    }

    /// As `--restart` takes it: `on-failure:3`.
    package init(option text: String) throws(EngineError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var retries = 0
        if parts.count == 2 {
            guard let count = Int(parts[1]) else {
                throw EngineError(.invalid, "invalid restart policy format: maximum retry count must be an integer")
            }
            retries = count
        }
        let body: JSONValue = ["Name": .string(parts[0]), "MaximumRetryCount": .count(retries)]
        self = try RestartPolicy(dockerBody: BodyReader(body)) ?? RestartPolicy()
    }
}

extension ContainerUpdate {
    /// What a body asks for and an update leaves as it is, in words for the person who asked.
    package static func warnings(dockerBody body: BodyReader) -> [String] {
        let known = Set((ResourceLimits().dockerMembers.map(\.0) + ["RestartPolicy"]).map { $0.lowercased() })
        let ignored = body.members.filter { !known.contains($0.name.lowercased()) && !$0.value.isEmptyValue }
        return ignored.map { "\($0.name.prefix(80)) is not changed by an update: it stays as it is." }
    }

    /// Reads the body of `POST /containers/{id}/update`.
    package init(dockerBody body: BodyReader) throws(EngineError) {
        self.init()
        limits = try ResourceLimits(dockerBody: body)
        restartPolicy = try RestartPolicy(dockerBody: body.object("RestartPolicy"))
    }

    package var dockerBody: JSONValue {
        var body = JSONObject()
        for (name, value) in limits.dockerMembers where !value.isEmptyValue { body[name] = value }
        if let restartPolicy { body["RestartPolicy"] = restartPolicy.dockerBody }
        return .object(body)
    }
}
