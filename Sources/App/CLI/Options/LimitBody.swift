import DockerAPI
import EngineAPI
import JSON

extension LimitOptions {
    /// The limits as members of docker's `HostConfig`; those that were not given are absent.
    func members() throws -> [(String, JSONValue)] {
        let given: [(String, JSONValue?)] = [
            ("Memory", try sizeValue(memory, "-m, --memory")),
            ("MemoryReservation", try sizeValue(memoryReservation, "--memory-reservation")),
            ("MemorySwap", memorySwap == "-1" ? -1 : try sizeValue(memorySwap, "--memory-swap")),
            ("NanoCpus", try nanoCPUs()), ("CpuShares", cpuShares.map(JSONValue.integer)),
            ("CpuPeriod", cpuPeriod.map(JSONValue.integer)), ("CpuQuota", cpuQuota.map(JSONValue.integer)),
            ("CpuRealtimePeriod", cpuRtPeriod.map(JSONValue.integer)),
            ("CpuRealtimeRuntime", cpuRtRuntime.map(JSONValue.integer)),
            ("CpusetCpus", cpusetCpus.map(JSONValue.string)), ("CpusetMems", cpusetMems.map(JSONValue.string)),
            ("PidsLimit", pidsLimit.map(JSONValue.integer)), ("BlkioWeight", blkioWeight.map(JSONValue.integer)),
        ]
        return given.compactMap { name, value in value.map { (name, $0) } }
    }

    private func nanoCPUs() throws -> JSONValue? {
        guard let cpus else { return nil }
        func refusal(_ reason: String) -> UsageError {
            UsageError(value: cpus, of: "--cpus", reason)
        }
        let parts = cpus.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let divisor = parts.count > 1 ? Int64(parts[1]).map(Double.init) : 1
        let number = parts.count > 1 ? Int64(parts[0]).map(Double.init) : Double(cpus)
        guard let number, let divisor, divisor > 0, number >= 0, number / divisor < 1e6 else {
            throw refusal("failed to parse \(cpus) as a rational number")
        }
        let nanoseconds = number * 1e9 / divisor
        guard abs(nanoseconds - nanoseconds.rounded()) < 1e-3 else { throw refusal("value is too precise") }
        return .integer(Int64(nanoseconds.rounded()))
    }
}

/// A size with docker's units as a number of bytes.
func sizeValue(_ text: String?, _ flag: String) throws -> JSONValue? {
    guard let text else { return nil }
    guard let bytes = ByteCount.parse(text), bytes >= 0 else {
        throw UsageError(value: text, of: flag, "invalid size: '\(text)'")
    }
    return .integer(bytes)
}
