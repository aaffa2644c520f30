import EngineAPI

extension ResourceLimits {
    /// These limits with those of an update in their places, by docker's rules. What docker's API has no word for: a
    /// limit of memory of -1 takes that limit away, and with it the one of swap; a CPU quota below zero takes away what the
    /// CPUs are limited to, said either way.
    ///
    /// - Throws: `conflict` where the two say the same thing in different ways, `invalid` for less memory than none.
    func updated(by change: ResourceLimits) throws(EngineError) -> ResourceLimits {
        guard change.memoryBytes ?? 0 >= -1 else {
            throw EngineError(.invalid, "Minimum memory limit allowed is 6MB")
        }
        try checkConflicts(with: change)
        var result = self
        func take<Value>(_ path: WritableKeyPath<ResourceLimits, Value?>) {
            if let value = change[keyPath: path] { result[keyPath: path] = value }
        }
        for path in [
            \ResourceLimits.memoryBytes, \.memoryReservationBytes, \.memorySwapBytes, \.memorySwappiness, \.nanoCPUs,
            \.cpuShares, \.cpuPeriodMicroseconds, \.cpuQuotaMicroseconds, \.cpuRealtimePeriodMicroseconds,
            \.cpuRealtimeRuntimeMicroseconds, \.pids, \.blockIOWeight,
        ] { take(path) }
        for path in [\ResourceLimits.cpusetCPUs, \.cpusetMemoryNodes] { take(path) }
        for path in [
            \ResourceLimits.blockIODeviceWeights, \.blockIOReadBytesPerSecond, \.blockIOWriteBytesPerSecond,
            \.blockIOReadsPerSecond, \.blockIOWritesPerSecond,
        ] { take(path) }
        take(\.oomKillDisabled)
        result.dropLifted(change)
        return result
    }

    private mutating func dropLifted(_ change: ResourceLimits) {
        if change.memoryBytes == -1 { (memoryBytes, memorySwapBytes) = (nil, nil) }
        if change.cpuQuotaMicroseconds ?? 0 < 0 { (nanoCPUs, cpuQuotaMicroseconds) = (change.nanoCPUs, nil) }
        // An earlier version kept what takes a quota away, which would conflict with the CPUs that are asked for now.
        if nanoCPUs ?? 0 > 0, cpuQuotaMicroseconds ?? 0 < 0 { cpuQuotaMicroseconds = nil }
    }

    private func checkConflicts(with change: ResourceLimits) throws(EngineError) {
        func isSet(_ value: Int64?) -> Bool { value ?? 0 > 0 }
        func refuse(_ message: String) -> EngineError { EngineError(.conflict, message) }
        if isSet(change.nanoCPUs) {
            if isSet(cpuPeriodMicroseconds) {
                throw refuse(
                    "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set")
            }
            if isSet(cpuQuotaMicroseconds) {
                throw refuse("Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set")
            }
        }
        if isSet(nanoCPUs), !isSet(change.nanoCPUs) {
            if isSet(change.cpuPeriodMicroseconds) {
                throw refuse(
                    "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set")
            }
            if isSet(change.cpuQuotaMicroseconds) {
                throw refuse("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set")
            }
        }
        if let memory = change.memoryBytes, let swap = memorySwapBytes, swap > 0, memory > swap,
            change.memorySwapBytes ?? 0 == 0
        {
            throw refuse(
                "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same "
                    + "time")
        }
    }
}
