import JSON
import Linux
import OCI

/// Memory, in bytes, in the four kinds that version 1 counts; version 2's figures are put into their places.
extension ContainerStatistics {
    func memory() throws(KernelError) -> JSONValue {
        var object = JSONObject()
        let raw = try texts.table(texts.isUnified ? nil : "memory", "memory.stat") ?? [:]
        object.putUnlessZero("cache", raw[texts.isUnified ? "file" : "cache"])
        for (name, entry) in texts.isUnified ? try unifiedEntries() : try legacyEntries() {
            object[name] = entry.json
        }
        if !raw.isEmpty { object["raw"] = raw.json }
        if let pressure = try pressure("memory") { object["psi"] = pressure }
        return .object(object)
    }

    private struct Entry {
        var limit: UInt64 = 0
        var usage: UInt64 = 0
        var maximum: UInt64 = 0
        var failures: UInt64 = 0

        var json: JSONValue {
            var object = JSONObject()
            object["limit"] = limit.json
            object.putUnlessZero("usage", usage)
            object.putUnlessZero("max", maximum)
            object["failcnt"] = failures.json
            return .object(object)
        }
    }

    private func legacyEntries() throws(KernelError) -> [(String, Entry)] {
        var entries: [(String, Entry)] = []
        let kinds = [("usage", "memory"), ("swap", "memory.memsw"), ("kernel", "memory.kmem")]
        for (name, prefix) in kinds + [("kernelTCP", "memory.kmem.tcp")] {
            var entry = Entry()
            // Accounting of swap and of the kernel's memory is the kernel's choice: without it, all is zero.
            if let usage = try texts.number("memory", "\(prefix).usage_in_bytes") {
                entry.usage = usage
                entry.limit = try texts.number("memory", "\(prefix).limit_in_bytes") ?? 0
                entry.maximum = try texts.number("memory", "\(prefix).max_usage_in_bytes") ?? 0
                entry.failures = try texts.number("memory", "\(prefix).failcnt") ?? 0
            }
            entries.append((name, entry))
        }
        return entries
    }

    /// Version 1 counts memory and swap together, so these are added up; a sum of highest values would mean nothing.
    private func unifiedEntries() throws(KernelError) -> [(String, Entry)] {
        var usage = Entry()
        usage.limit = try texts.number(nil, "memory.max") ?? 0
        usage.usage = try texts.number(nil, "memory.current") ?? 0
        usage.maximum = try texts.number(nil, "memory.peak") ?? 0
        usage.failures = try texts.table(nil, "memory.events")?["max"] ?? 0
        var swap = Entry()
        swap.usage = (try texts.number(nil, "memory.swap.current") ?? 0) &+ usage.usage
        let (limit, overflows) = (try texts.number(nil, "memory.swap.max") ?? 0).addingReportingOverflow(usage.limit)
        swap.limit = overflows ? UInt64.max : limit
        return [("usage", usage), ("swap", swap), ("kernel", Entry()), ("kernelTCP", Entry())]
    }
}
