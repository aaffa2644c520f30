import OCI

/// Properties of a container's unit that annotations give, `org.systemd.property.TimeoutStopUSec`: `uint64 5000000`. Where
/// the cgroup is not systemd's they mean nothing, as to other runtimes.
///
/// Annotations often come from whoever asks for a container, who has no say on the host: only properties that concern
/// this unit alone are taken. Others have systemd run programs, start and stop other units or power the machine off
/// (CVE-2024-3154: `FailureAction`, `OnSuccess`, `Conflicts`), or undo what the runtime itself sets up (`DeviceAllow`,
/// `Delegate`, `Slice`).
enum SystemdAnnotations {
    static let prefix = "org.systemd.property."

    /// As systemd.unit(5), systemd.scope(5), systemd.kill(5) and systemd.resource-control(5) have them, by the names of
    /// the bus.
    private static let known: Set<String> = [
        "CollectMode", "Documentation", "After", "Before", "DefaultDependencies", "IgnoreOnIsolate",
        "TimeoutStopUSec", "RuntimeMaxUSec", "RuntimeRandomizedExtraUSec", "OOMPolicy",
        "KillMode", "KillSignal", "RestartKillSignal", "FinalKillSignal", "SendSIGKILL", "SendSIGHUP",
        "CPUAccounting", "CPUWeight", "StartupCPUWeight", "CPUShares", "StartupCPUShares", "CPUQuotaPerSecUSec",
        "CPUQuotaPeriodUSec", "AllowedCPUs", "StartupAllowedCPUs", "AllowedMemoryNodes", "StartupAllowedMemoryNodes",
        "MemoryAccounting", "MemoryMin", "MemoryLow", "DefaultMemoryMin", "DefaultMemoryLow", "StartupMemoryLow",
        "MemoryHigh", "StartupMemoryHigh", "MemoryMax", "StartupMemoryMax", "MemorySwapMax", "StartupMemorySwapMax",
        "MemoryZSwapMax", "StartupMemoryZSwapMax", "MemoryZSwapWriteback", "MemoryLimit", "ManagedOOMSwap",
        "ManagedOOMMemoryPressure", "ManagedOOMMemoryPressureLimit", "ManagedOOMPreference",
        "TasksAccounting", "TasksMax",
        "IOAccounting", "IOWeight", "StartupIOWeight", "IODeviceWeight", "IOReadBandwidthMax", "IOWriteBandwidthMax",
        "IOReadIOPSMax", "IOWriteIOPSMax", "IODeviceLatencyTargetUSec", "BlockIOAccounting", "BlockIOWeight",
        "StartupBlockIOWeight", "BlockIODeviceWeight", "BlockIOReadBandwidth", "BlockIOWriteBandwidth",
        "IPAccounting", "IPAddressAllow", "IPAddressDeny", "SocketBindAllow", "SocketBindDeny",
        "RestrictNetworkInterfaces",
    ]

    /// In the order of their names, so that the same document always gives the same unit.
    static func properties(
        _ annotations: TextMap
    ) throws(RuntimeError) -> [(name: String, value: BusValue)] {
        var found: [(name: String, value: BusValue)] = []
        for (key, text) in annotations.members where key.hasPrefix(prefix) {
            let name = String(key.dropFirst(prefix.count))
            if let reason = refusal(ofName: name) {
                throw RuntimeError("annotations.\(key): annotation \(key) name incorrect: \(reason)")
            }
            let property: (name: String, value: BusValue)
            do throws(BusText.Malformed) {
                property = try inMicroseconds(name, try BusText.value(text))
            } catch {
                throw RuntimeError("annotations.\(key): annotation \(key)=\(text) value parse error: \(error.reason)")
            }
            guard known.contains(property.name) else {
                throw RuntimeError(
                    "annotations.\(key): property \(name) is refused: it is none of a container's own limits and times")
            }
            found.append(property)
        }
        return found
    }

    private static func refusal(ofName name: String) -> String? {
        if name.utf8.count < 3 { return "too short" }
        let isWord = name.utf8.allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
        return isWord ? nil : "contains non-alphabetic character"
    }

    /// Units' files have `TimeoutStopSec`, in seconds; on the bus it is `TimeoutStopUSec`.
    private static func inMicroseconds(
        _ name: String, _ value: BusValue
    ) throws(BusText.Malformed) -> (name: String, value: BusValue) {
        let stem = name.dropLast(3)
        guard name.hasSuffix("Sec"), let last = stem.utf8.last, (97...122).contains(last) else { return (name, value) }
        guard let seconds = value.seconds, seconds >= 0, seconds < 18_446_744_073_709 else {
            throw BusText.Malformed(reason: "not a number of seconds")
        }
        return (stem + "USec", .uint64(UInt64(seconds * 1_000_000)))
    }
}

extension BusValue {
    /// A number of any type; nil for what is none.
    fileprivate var seconds: Double? {
        switch self {
        case .byte(let number): Double(number)
        case .int16(let number): Double(number)
        case .uint16(let number): Double(number)
        case .int32(let number): Double(number)
        case .uint32(let number): Double(number)
        case .int64(let number): Double(number)
        case .uint64(let number): Double(number)
        case .double(let number): number
        case .bool, .string, .path, .signature, .array, .structure, .variant: nil
        }
    }
}
