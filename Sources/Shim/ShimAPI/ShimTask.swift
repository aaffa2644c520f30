import JSON

/// `task.json` in a shim's directory: what the container is to be made of, written before the shim is started. It also
/// tells a later engine, whose shim may be dead, where the container's remains are.
package struct ShimTask: Hashable, Sendable {
    package struct Mount: Hashable, Sendable {
        package var type: String
        package var source: String
        package var target: String
        package var options: [String]
        /// Whose mount the source is, in its mount namespace; nil for one of the host's.
        package var owner: ShimProcess?
        /// The program that serves the file system in user space: the options are its own, their paths start at `source`.
        package var server: String?
        /// A path in the source that is mounted instead of all of it; links do not lead out of the source.
        package var beneath: String?

        package init(type: String, source: String, target: String, options: [String]) {
            self.type = type
            self.source = source
            self.target = target
            self.options = options
        }
    }

    /// Whose a container's files are that has a user namespace: on the disk they have the ids that the container sees.
    package struct FileIDs: Hashable, Sendable {
        /// Below which the root's files are: mounted over itself with the ids translated.
        package var directory: String
        /// As /proc/PID/uid_map and gid_map take them.
        package var uidMap: String
        package var gidMap: String
        /// Of the container's root, outside.
        package var rootUID: UInt32
        package var rootGID: UInt32

        package init(directory: String, uidMap: String, gidMap: String, rootUID: UInt32, rootGID: UInt32) {
            self.directory = directory
            self.uidMap = uidMap
            self.gidMap = gidMap
            self.rootUID = rootUID
            self.rootGID = rootGID
        }
    }

    package struct Log: Hashable, Sendable {
        /// Nil where no file is kept.
        package var path: String?
        package var maximumSizeBytes: Int64?
        package var maximumFiles: Int
        /// Whether old files are packed with gzip.
        package var packs = false
        package var form = Form.json
        /// A JSON object for each line's `attrs` of the json form.
        package var attributes = ""
        package var forward: LogForward?

        package enum Form: String, Hashable, Sendable {
            case json, compact
        }

        package init(path: String?, maximumSizeBytes: Int64?, maximumFiles: Int) {
            self.path = path
            self.maximumSizeBytes = maximumSizeBytes
            self.maximumFiles = maximumFiles
        }
    }

    /// What the shim is to do for the container's networks.
    package struct Network: Hashable, Sendable {
        /// The file that tells it, a `NetworkConfiguration`.
        package var configuration: String
        /// Whether it answers names at 127.0.0.11.
        package var servesNames: Bool
        /// Of each socket that it was started with, from descriptor 4 on: whether it takes connections.
        package var socketIsStream: [Bool]

        package init(configuration: String, servesNames: Bool, socketIsStream: [Bool]) {
            self.configuration = configuration
            self.servesNames = servesNames
            self.socketIsStream = socketIsStream
        }
    }

    package var id: String
    package var bundle: String
    package var rootMounts: [Mount] = []
    /// Nil where ids are the host's.
    package var fileIDs: FileIDs?
    package var terminal = false
    package var columns: UInt16 = 0
    package var rows: UInt16 = 0
    package var input = ShimInput.none
    package var log: Log?
    package var network: Network?
    /// The runtime's program.
    package var runtime: String
    /// What the runtime gets as `--root`.
    package var runtimeRoot: String
    /// `linux.cgroupsPath` of the bundle, where it has one.
    package var cgroupsPath: String?
    /// The directory of a cgroup of version 1 that the shim enters when it begins.
    package var shimCgroup: String?
    /// Whether nothing but the program itself is to be started by `start`: no hooks.
    package var mayOpenGate = false

    package init(id: String, bundle: String, runtime: String, runtimeRoot: String) {
        self.id = id
        self.bundle = bundle
        self.runtime = runtime
        self.runtimeRoot = runtimeRoot
    }
}

extension ShimTask {
    package static let fileName = "task.json"

    package var json: JSONValue {
        var object = JSONObject([
            ("id", .string(id)), ("bundle", .string(bundle)), ("runtime", .string(runtime)),
            ("runtimeRoot", .string(runtimeRoot)), ("terminal", .bool(terminal)),
            ("columns", .integer(Int64(columns))), ("rows", .integer(Int64(rows))),
            ("input", .string(input.rawValue)), ("rootMounts", .array(rootMounts.map(\.json))),
        ])
        if mayOpenGate { object["mayOpenGate"] = true }
        object["cgroupsPath"] = cgroupsPath.map(JSONValue.string)
        object["shimCgroup"] = shimCgroup.map(JSONValue.string)
        object["fileIDs"] = fileIDs?.json
        object["log"] = log?.json
        object["network"] = network?.json
        return .object(object)
    }

    /// Nil where a member that every task has is missing.
    package init?(json: JSONValue) {
        guard let id = json["id"]?.string, let bundle = json["bundle"]?.string,
            let runtime = json["runtime"]?.string, let runtimeRoot = json["runtimeRoot"]?.string
        else { return nil }
        self.init(id: id, bundle: bundle, runtime: runtime, runtimeRoot: runtimeRoot)
        terminal = json["terminal"]?.bool ?? false
        columns = json["columns"]?.integer.flatMap(UInt16.init(exactly:)) ?? 0
        rows = json["rows"]?.integer.flatMap(UInt16.init(exactly:)) ?? 0
        input = json["input"]?.string.flatMap(ShimInput.init(rawValue:)) ?? .none
        rootMounts = (json["rootMounts"]?.array ?? []).compactMap(Mount.init(json:))
        fileIDs = json["fileIDs"].flatMap(FileIDs.init(json:))
        cgroupsPath = json["cgroupsPath"]?.string
        shimCgroup = json["shimCgroup"]?.string
        mayOpenGate = json["mayOpenGate"]?.bool ?? false
        log = json["log"].flatMap(Log.init(json:))
        network = json["network"].flatMap(Network.init(json:))
    }
}

extension ShimTask.FileIDs {
    fileprivate var json: JSONValue {
        [
            "directory": .string(directory), "uidMap": .string(uidMap), "gidMap": .string(gidMap),
            "rootUID": .integer(Int64(rootUID)), "rootGID": .integer(Int64(rootGID)),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let directory = json["directory"]?.string, let uidMap = json["uidMap"]?.string,
            let gidMap = json["gidMap"]?.string,
            let rootUID = json["rootUID"]?.integer.flatMap(UInt32.init(exactly:)),
            let rootGID = json["rootGID"]?.integer.flatMap(UInt32.init(exactly:))
        else { return nil }
        self.init(directory: directory, uidMap: uidMap, gidMap: gidMap, rootUID: rootUID, rootGID: rootGID)
    }
}

extension ShimTask.Mount {
    fileprivate var json: JSONValue {
        var object = JSONObject([
            ("type", .string(type)), ("source", .string(source)), ("target", .string(target)),
            ("options", .array(options.map(JSONValue.string))),
        ])
        object["owner"] = owner.map { ["pid": .integer(Int64($0.pid)), "startTicks": .unsigned($0.startTicks)] }
        object["server"] = server.map(JSONValue.string)
        object["beneath"] = beneath.map(JSONValue.string)
        return .object(object)
    }

    fileprivate init?(json: JSONValue) {
        guard let type = json["type"]?.string, let source = json["source"]?.string,
            let target = json["target"]?.string
        else { return nil }
        self.init(
            type: type, source: source, target: target, options: (json["options"]?.array ?? []).compactMap(\.string))
        if let owner = json["owner"], let pid = owner["pid"]?.integer.flatMap(Int32.init(exactly:)),
            let ticks = owner["startTicks"]?.unsigned
        {
            self.owner = ShimProcess(pid: pid, startTicks: ticks)
        }
        server = json["server"]?.string
        beneath = json["beneath"]?.string
    }
}

extension ShimTask.Log {
    fileprivate var json: JSONValue {
        var object = JSONObject([("maximumFiles", .integer(Int64(maximumFiles)))])
        object["path"] = path.map(JSONValue.string)
        if packs { object["packs"] = true }
        if form != .json { object["form"] = .string(form.rawValue) }
        if !attributes.isEmpty { object["attributes"] = .string(attributes) }
        object["maximumSizeBytes"] = maximumSizeBytes.map(JSONValue.integer)
        object["forward"] = forward?.json
        return .object(object)
    }

    fileprivate init?(json: JSONValue) {
        guard json.object != nil else { return nil }
        self.init(
            path: json["path"]?.string, maximumSizeBytes: json["maximumSizeBytes"]?.integer,
            maximumFiles: Int(json["maximumFiles"]?.integer ?? 1))
        form = json["form"]?.string.flatMap { Form(rawValue: $0) } ?? .json
        packs = json["packs"]?.bool ?? false
        attributes = json["attributes"]?.string ?? ""
        forward = json["forward"].flatMap(LogForward.init(json:))
    }
}

extension ShimTask.Network {
    fileprivate var json: JSONValue {
        [
            "configuration": .string(configuration), "servesNames": .bool(servesNames),
            "socketIsStream": .array(socketIsStream.map(JSONValue.bool)),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let configuration = json["configuration"]?.string else { return nil }
        self.init(
            configuration: configuration, servesNames: json["servesNames"]?.bool ?? false,
            socketIsStream: (json["socketIsStream"]?.array ?? []).compactMap(\.bool))
    }
}
