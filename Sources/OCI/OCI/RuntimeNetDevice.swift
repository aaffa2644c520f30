import JSON

/// A network device of the host that the container is to have.
package struct LinuxNetDevice: Hashable, Sendable, RuntimeWritable {
    /// Inside; nil for that of the host. `eth%d` has the kernel find a number.
    package var name: String?

    package init(name: String? = nil) { self.name = name }

    init(_ device: RuntimeProperty) throws(RuntimeSpecError) {
        let text = try device["name"]?.string() ?? ""
        name = text.isEmpty ? nil : text
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("name", name)
        return .object(object)
    }
}
