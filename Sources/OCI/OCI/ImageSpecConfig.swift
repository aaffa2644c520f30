import JSON
import Linux

/// The configuration of an image (OCI image specification, "image configuration"; docker's has further members).
///
/// The image's id is the digest of the bytes this was read from, so it is never rewritten from the value; `other` here
/// and in `execution` holds what a reader of a later version may want.
package struct ImageConfig: Hashable, Sendable {
    package var platform: Platform
    package var created: Timestamp?
    package var author = ""
    package var comment = ""
    package var execution = ImageExecution()
    /// The digests of the unpacked layers, lowest first.
    package var diffIDs: [Digest] = []
    package var history: [ImageHistory] = []
    package var other = JSONObject()

    /// Far more than any image has. Three bytes of text are a step that takes thirty times as many of memory, for as long as
    /// the image is there.
    private static let mostSteps = 10_000

    package init(platform: Platform) { self.platform = platform }

    /// - Throws: `RuntimeSpecError` naming the member at fault.
    package init(_ json: JSONValue) throws(RuntimeSpecError) {
        let config = RuntimeProperty(json)
        platform = try Platform(config)
        created = try config["created"].flatMap { (time) throws(RuntimeSpecError) in
            Timestamp(rfc3339: try time.string())
        }
        author = try config["author"]?.string() ?? ""
        comment = try config["comment"]?.string() ?? ""
        if let value = try config["config"] { execution = try ImageExecution(value) }
        if let rootfs = try config["rootfs"] {
            diffIDs = try rootfs["diff_ids"]?.list { (id) throws(RuntimeSpecError) in try id.digest() } ?? []
        }
        if let steps = try config["history"] {
            guard steps.value.array?.count ?? 0 <= Self.mostSteps else {
                throw steps.failure("must not have more than \(Self.mostSteps) elements")
            }
            history = try steps.list { (step) throws(RuntimeSpecError) in try ImageHistory(step) }
        }
        other = try config.members(except: [
            "architecture", "os", "variant", "created", "author", "comment", "config", "rootfs", "history",
        ])
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("created", created?.rfc3339Nano)
        if !author.isEmpty { object.put("author", author) }
        if !comment.isEmpty { object.put("comment", comment) }
        if let members = platform.json.object { object.merge(members) }
        object.put("config", execution.json)
        object["rootfs"] = ["type": "layers", "diff_ids": diffIDs.map(\.description).json]
        object.putList("history", history)
        object.merge(other)
        return .object(object)
    }
}

/// How a container of the image runs, unless told otherwise: the member `config`.
package struct ImageExecution: Hashable, Sendable {
    package var user = ""
    package var environment: [String] = []
    package var entrypoint: [String] = []
    package var command: [String] = []
    package var workingDirectory = ""
    package var stopSignal: String?
    package var labels: TextMap = [:]
    /// As `80/tcp`, sorted.
    package var exposedPorts: [String] = []
    package var volumes: [String] = []
    package var other = JSONObject()

    package init() {}

    init(_ config: RuntimeProperty) throws(RuntimeSpecError) {
        user = try config["User"]?.string() ?? ""
        environment = try config["Env"]?.strings() ?? []
        entrypoint = try config["Entrypoint"]?.strings() ?? []
        command = try config["Cmd"]?.strings() ?? []
        workingDirectory = try config["WorkingDir"]?.string() ?? ""
        stopSignal = try config["StopSignal"]?.string()
        labels = try config["Labels"]?.textMap() ?? [:]
        exposedPorts = try config["ExposedPorts"]?.object().members.map(\.name).sorted() ?? []
        volumes = try config["Volumes"]?.object().members.map(\.name).sorted() ?? []
        other = try config.members(except: [
            "User", "Env", "Entrypoint", "Cmd", "WorkingDir", "StopSignal", "Labels", "ExposedPorts", "Volumes",
        ])
    }

    package var json: JSONValue {
        var object = JSONObject()
        if !user.isEmpty { object.put("User", user) }
        object.putList("Env", environment)
        object.putList("Entrypoint", entrypoint)
        object.putList("Cmd", command)
        if !workingDirectory.isEmpty { object.put("WorkingDir", workingDirectory) }
        object.put("StopSignal", stopSignal)
        object.putMap("Labels", labels)
        if !exposedPorts.isEmpty { object["ExposedPorts"] = Self.set(exposedPorts) }
        if !volumes.isEmpty { object["Volumes"] = Self.set(volumes) }
        object.merge(other)
        return .object(object)
    }

    /// Go writes a set of strings as an object of empty objects.
    private static func set(_ names: [String]) -> JSONValue {
        .object(JSONObject(names.map { ($0, .object(JSONObject())) }))
    }
}

/// How a layer, or a step without one, came to be.
package struct ImageHistory: Hashable, Sendable, RuntimeWritable {
    package var created: Timestamp?
    package var createdBy = ""
    package var author = ""
    package var comment = ""
    package var isEmptyLayer = false

    package init(createdBy: String, created: Timestamp? = nil) {
        self.createdBy = createdBy
        self.created = created
    }

    init(_ step: RuntimeProperty) throws(RuntimeSpecError) {
        if let time = try step["created"] { created = Timestamp(rfc3339: try time.string()) }
        createdBy = try step["created_by"]?.string() ?? ""
        author = try step["author"]?.string() ?? ""
        comment = try step["comment"]?.string() ?? ""
        isEmptyLayer = try step["empty_layer"]?.bool() ?? false
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("created", created?.rfc3339Nano)
        if !createdBy.isEmpty { object.put("created_by", createdBy) }
        if !author.isEmpty { object.put("author", author) }
        if !comment.isEmpty { object.put("comment", comment) }
        object.putFlag("empty_layer", isEmptyLayer)
        return .object(object)
    }
}
