import JSON

/// A share of the processor's caches and memory bandwidth, by a group of the resctrl file system.
package struct LinuxIntelRdt: Hashable, Sendable, RuntimeWritable {
    /// A group that others made, or share; nil for one of the container's own. `/` is the group of all.
    package var closID: String?
    /// `L3:0=7f0;1=1f`.
    package var l3CacheSchema: String?
    /// `MB:0=20;1=70`.
    package var memBwSchema: String?
    /// Further lines of the group's `schemata`.
    package var schemata: [String] = []
    package var enableMonitoring = false
    /// These two are of the specification before 1.3, which has no meaning for the one without the other.
    package var enableCMT = false
    package var enableMBM = false

    package init() {}

    init(_ rdt: RuntimeProperty) throws(RuntimeSpecError) {
        if let property = try rdt["closID"] {
            let name = try property.string()
            let isName = !name.utf8.contains(47) && !name.utf8.contains(10) && name != "." && name != ".."
            guard isName || name == "/" else {
                throw property.failure("`\(name)` is no name of a group")
            }
            closID = name.isEmpty ? nil : name
        }
        l3CacheSchema = try rdt["l3CacheSchema"].flatMap(Self.line)
        if let property = try rdt["memBwSchema"] {
            memBwSchema = try Self.line(property)
            guard memBwSchema?.hasPrefix("MB:") != false else { throw property.failure("must begin with `MB:`") }
        }
        schemata =
            try rdt["schemata"]?.list { (line) throws(RuntimeSpecError) in try Self.line(line) ?? "" }
            .filter { !$0.isEmpty } ?? []
        enableMonitoring = try rdt["enableMonitoring"]?.bool() ?? false
        enableCMT = try rdt["enableCMT"]?.bool() ?? false
        enableMBM = try rdt["enableMBM"]?.bool() ?? false
    }

    /// A line that is empty says nothing.
    private static func line(_ property: RuntimeProperty) throws(RuntimeSpecError) -> String? {
        let text = try property.string()
        guard !text.utf8.contains(10) else { throw property.failure("must be one line") }
        return text.isEmpty ? nil : text
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("closID", closID)
        object.put("l3CacheSchema", l3CacheSchema)
        object.put("memBwSchema", memBwSchema)
        object.putList("schemata", schemata)
        object.putFlag("enableMonitoring", enableMonitoring)
        object.putFlag("enableCMT", enableCMT)
        object.putFlag("enableMBM", enableMBM)
        return .object(object)
    }
}
