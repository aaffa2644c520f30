import JSON

/// How packets of a container are marked, by the controllers net_cls and net_prio of cgroup v1.
package struct LinuxNetworkLimits: Hashable, Sendable, RuntimeWritable {
    package struct Priority: Hashable, Sendable, RuntimeWritable {
        /// An interface of the runtime's network namespace.
        package var name: String
        package var priority: UInt32

        package init(name: String, priority: UInt32) {
            self.name = name
            self.priority = priority
        }

        init(_ entry: RuntimeProperty) throws(RuntimeSpecError) {
            name = try entry.required("name").string()
            priority = try entry.required("priority").integer()
        }

        package var json: JSONValue { ["name": name.json, "priority": priority.json] }
    }

    package var classID: UInt32?
    package var priorities: [Priority] = []

    package init() {}

    init(_ network: RuntimeProperty) throws(RuntimeSpecError) {
        classID = try network["classID"]?.integer()
        priorities = try network["priorities"]?.list(Priority.init(_:)) ?? []
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("classID", classID)
        object.putList("priorities", priorities)
        return .object(object)
    }
}

/// How much of a device for remote memory access a container may have.
package struct LinuxRdmaLimit: Hashable, Sendable, RuntimeWritable {
    package var hcaHandles: UInt32?
    package var hcaObjects: UInt32?

    package init(hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
        self.hcaHandles = hcaHandles
        self.hcaObjects = hcaObjects
    }

    init(_ limit: RuntimeProperty) throws(RuntimeSpecError) {
        hcaHandles = try limit["hcaHandles"]?.integer()
        hcaObjects = try limit["hcaObjects"]?.integer()
        guard hcaHandles != nil || hcaObjects != nil else {
            throw limit.failure("must have hcaHandles or hcaObjects")
        }
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("hcaHandles", hcaHandles)
        object.put("hcaObjects", hcaObjects)
        return .object(object)
    }
}
