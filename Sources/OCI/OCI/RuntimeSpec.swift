import JSON

/// The configuration of a container: `config.json` of an OCI bundle (runtime specification 1.3, Linux).
///
/// Members that this program does not know stay in `other` and are written back.
package struct RuntimeSpec: Hashable, Sendable {
    package var ociVersion: String
    package var root: RuntimeRoot?
    package var process: RuntimeProcess?
    package var hostname: String?
    package var domainname: String?
    /// In the order in which they are to be mounted.
    package var mounts: [RuntimeMount] = []
    package var hooks = RuntimeHooks()
    package var annotations: TextMap = [:]
    package var linux = RuntimeLinux()
    package var other = JSONObject()

    /// The newest version of the specification whose properties are all known here.
    package static let newestVersion = "1.3.0"

    /// - Parameter ociVersion: what a document says of itself; as old as its properties allow, for other runtimes to take.
    package init(ociVersion: String = "1.2.0") { self.ociVersion = ociVersion }

    package init(_ json: JSONValue) throws(RuntimeSpecError) {
        let spec = RuntimeProperty(json)
        guard json.object != nil else { throw RuntimeSpecError("config.json", "must be an object") }
        ociVersion = try spec.required("ociVersion").string()
        root = try spec["root"].map { (root) throws(RuntimeSpecError) in try RuntimeRoot(root) }
        process = try spec["process"].map { (process) throws(RuntimeSpecError) in try RuntimeProcess(process) }
        hostname = try spec["hostname"]?.string()
        domainname = try spec["domainname"]?.string()
        mounts = try spec["mounts"]?.list { (mount) throws(RuntimeSpecError) in try RuntimeMount(mount) } ?? []
        if let property = try spec["hooks"] { hooks = try RuntimeHooks(property) }
        annotations = try spec["annotations"]?.textMap() ?? [:]
        if let property = try spec["linux"] { linux = try RuntimeLinux(property) }
        other = try spec.members(except: [
            "ociVersion", "root", "process", "hostname", "domainname", "mounts", "hooks", "annotations", "linux",
        ])
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("ociVersion", ociVersion)
        object.put("process", process)
        object.put("root", root)
        object.put("hostname", hostname)
        object.put("domainname", domainname)
        object.putList("mounts", mounts)
        if !hooks.isEmpty { object.put("hooks", hooks) }
        object.putMap("annotations", annotations)
        object.put("linux", linux)
        object.merge(other)
        return .object(object)
    }
}

/// The container's root file system.
package struct RuntimeRoot: Hashable, Sendable, RuntimeWritable {
    /// Absolute, or relative to the bundle.
    package var path: String
    package var readonly = false

    package init(path: String, readonly: Bool = false) {
        self.path = path
        self.readonly = readonly
    }

    init(_ root: RuntimeProperty) throws(RuntimeSpecError) {
        path = try root.required("path").string()
        readonly = try root["readonly"]?.bool() ?? false
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("path", path)
        object.putFlag("readonly", readonly)
        return .object(object)
    }
}

/// A file system to be mounted in the container, or a directory or file to be bound there.
package struct RuntimeMount: Hashable, Sendable, RuntimeWritable {
    /// An absolute path inside the container.
    package var destination: String
    package var type: String?
    package var source: String?
    /// As fstab(5) takes them, and the specification's own: `rbind`, `rro`, `tmpcopyup`, …
    package var options: [String] = []
    package var uidMappings: [LinuxIDMapping] = []
    package var gidMappings: [LinuxIDMapping] = []

    package init(destination: String, type: String? = nil, source: String? = nil, options: [String] = []) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
    }

    init(_ mount: RuntimeProperty) throws(RuntimeSpecError) {
        destination = try mount.required("destination").string()
        type = try mount["type"]?.string()
        source = try mount["source"]?.string()
        options = try mount["options"]?.strings() ?? []
        uidMappings = try mount["uidMappings"]?.list(LinuxIDMapping.init(_:)) ?? []
        gidMappings = try mount["gidMappings"]?.list(LinuxIDMapping.init(_:)) ?? []
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("destination", destination)
        object.put("type", type)
        object.put("source", source)
        object.putList("options", options)
        object.putList("uidMappings", uidMappings)
        object.putList("gidMappings", gidMappings)
        return .object(object)
    }
}
