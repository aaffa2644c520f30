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
        guard let cores = Double(cpus), cores >= 0, cores < 1e6 else {
            throw UsageError(message: "invalid argument \"\(cpus)\" for \"--cpus\" flag: failed to parse \(cpus)")
        }
        return .integer(Int64((cores * 1e9).rounded()))
    }
}

/// A size with docker's units as a number of bytes.
func sizeValue(_ text: String?, _ flag: String) throws -> JSONValue? {
    guard let text else { return nil }
    guard let bytes = ByteCount.parse(text), bytes >= 0 else {
        throw UsageError(message: "invalid argument \"\(text)\" for \"\(flag)\" flag: invalid size: '\(text)'")
    }
    return .integer(bytes)
}
