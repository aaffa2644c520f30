import JSON
import Linux
import OCI

/// What a container has used so far, in the words of runc's `events`: which members there are, which are left out when
/// they are zero, and in which unit, is known to those who read it.
struct ContainerStatistics {
    let texts: CgroupTexts
    /// The sizes of huge pages that the machine has, as `2MB`.
    var pageSizes: [String] = []

    /// The object under `data` of an event.
    func json() throws(KernelError) -> JSONValue {
        let members: [(String, JSONValue)] = [
            ("cpu", try cpu()), ("cpuset", try cpuset()), ("memory", try memory()), ("pids", try pids()),
            ("blkio", try blockIO()), ("hugetlb", try hugepages()), ("intel_rdt", .object(JSONObject())),
            // The runtime makes no interfaces, so it knows none to count.
            ("network_interfaces", .null),
        ]
        return .object(JSONObject(members))
    }

    private func pids() throws(KernelError) -> JSONValue {
        let controller = texts.isUnified ? nil : "pids"
        var object = JSONObject()
        object.putUnlessZero("current", try texts.number(controller, "pids.current"))
        let limit = try texts.number(controller, "pids.max")
        object.putUnlessZero("limit", limit == UInt64.max ? nil : limit)
        return .object(object)
    }

    private func hugepages() throws(KernelError) -> JSONValue {
        var object = JSONObject()
        for name in pageSizes {
            let prefix = "hugetlb.\(name)"
            // Also a machine with version 1 may have this one controller in version 2.
            let isLegacy = try texts.number("hugetlb", "\(prefix).usage_in_bytes") != nil
            guard
                let usage = isLegacy
                    ? try texts.number("hugetlb", "\(prefix).usage_in_bytes")
                    : try texts.number(nil, "\(prefix).current")
            else { continue }
            var size = JSONObject()
            size.putUnlessZero("usage", usage)
            if isLegacy {
                size.putUnlessZero("max", try texts.number("hugetlb", "\(prefix).max_usage_in_bytes"))
                size["failcnt"] = (try texts.number("hugetlb", "\(prefix).failcnt") ?? 0).json
            } else {
                size["failcnt"] = (try texts.table(nil, "\(prefix).events")?["max"] ?? 0).json
            }
            object[name] = .object(size)
        }
        return .object(object)
    }

    /// Pressure stall information, which only version 2 keeps by cgroup.
    func pressure(_ resource: String) throws(KernelError) -> JSONValue? {
        guard let lines = try texts.lines(nil, "\(resource).pressure"), !lines.isEmpty else { return nil }
        var object = JSONObject()
        for line in lines where line.count > 1 {
            var values = JSONObject()
            for word in line.dropFirst() {
                let parts = word.split(separator: "=")
                guard parts.count == 2, let value = Double(parts[1]) else { continue }
                values[String(parts[0])] = Int64(exactly: value).map(JSONValue.integer) ?? .number(value)
            }
            object[line[0]] = .object(values)
        }
        return .object(object)
    }
}

extension JSONObject {
    /// Sets a member that readers take for zero where it is missing.
    mutating func putUnlessZero(_ name: String, _ value: UInt64?) {
        if let value, value != 0 { self[name] = value.json }
    }

    /// Sets a member that readers take for an empty list where it is missing.
    mutating func putUnlessEmpty(_ name: String, _ values: [UInt64]?) {
        if let values, !values.isEmpty { self[name] = values.json }
    }
}
