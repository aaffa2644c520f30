import JSON
import Linux
import OCI

/// Transfers of block devices.
extension ContainerStatistics {
    func blockIO() throws(KernelError) -> JSONValue {
        var object = texts.isUnified ? try unifiedBlockIO() : try legacyBlockIO()
        if let pressure = try pressure("io") { object["psi"] = pressure }
        return .object(object)
    }

    /// The first scheduler that counts for cgroups is the one in use; the throttle's own counters come last.
    private func legacyBlockIO() throws(KernelError) -> JSONObject {
        let members = [
            ("ioServiceBytesRecursive", "io_service_bytes"), ("ioServicedRecursive", "io_serviced"),
            ("ioQueueRecursive", "io_queued"), ("ioServiceTimeRecursive", "io_service_time"),
            ("ioWaitTimeRecursive", "io_wait_time"), ("ioMergedRecursive", "io_merged"), ("ioTimeRecursive", "time"),
            ("sectorsRecursive", "sectors"),
        ]
        let forms = [
            ("blkio.bfq.", "_recursive"), ("blkio.", "_recursive"), ("blkio.throttle.", "_recursive"),
            ("blkio.throttle.", ""),
        ]
        for (prefix, suffix) in forms {
            guard try texts.lines("blkio", "\(prefix)io_serviced\(suffix)") != nil else { continue }
            var object = JSONObject()
            for (name, file) in members {
                let lines = try texts.lines("blkio", "\(prefix)\(file)\(suffix)") ?? []
                let entries = lines.compactMap(Self.legacyEntry)
                if !entries.isEmpty { object[name] = .array(entries) }
            }
            return object
        }
        return JSONObject()
    }

    /// `8:0 Read 4096`, or `8:0 12` where there is one kind; the sum over all devices is no entry.
    private static func legacyEntry(_ line: [String]) -> JSONValue? {
        guard line.count >= 2, line[0].contains(":"), let value = UInt64(line[line.count - 1]) else { return nil }
        return entry(line[0], line.count > 2 ? line[1] : "", value)
    }

    /// `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 …`, a line a device.
    private func unifiedBlockIO() throws(KernelError) -> JSONObject {
        var (bytes, operations): ([JSONValue], [JSONValue]) = ([], [])
        for line in try texts.lines(nil, "io.stat") ?? [] {
            for word in line.dropFirst() {
                let parts = word.split(separator: "=")
                guard parts.count == 2, let value = UInt64(parts[1]) else { continue }
                switch parts[0] {
                case "rbytes": bytes.append(contentsOf: Self.list(line[0], "Read", value))
                case "wbytes": bytes.append(contentsOf: Self.list(line[0], "Write", value))
                case "rios": operations.append(contentsOf: Self.list(line[0], "Read", value))
                case "wios": operations.append(contentsOf: Self.list(line[0], "Write", value))
                default: continue
                }
            }
        }
        var object = JSONObject()
        if !bytes.isEmpty { object["ioServiceBytesRecursive"] = .array(bytes) }
        if !operations.isEmpty { object["ioServicedRecursive"] = .array(operations) }
        return object
    }

    private static func list(_ device: String, _ kind: String, _ value: UInt64) -> [JSONValue] {
        entry(device, kind, value).map { [$0] } ?? []
    }

    private static func entry(_ device: String, _ kind: String, _ value: UInt64) -> JSONValue? {
        let numbers = device.split(separator: ":").compactMap { UInt64($0) }
        guard numbers.count == 2 else { return nil }
        var entry = JSONObject()
        entry.putUnlessZero("major", numbers[0])
        entry.putUnlessZero("minor", numbers[1])
        if !kind.isEmpty { entry["op"] = .string(kind) }
        entry.putUnlessZero("value", value)
        return .object(entry)
    }
}
