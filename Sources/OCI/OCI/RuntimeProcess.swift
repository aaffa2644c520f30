import JSON

/// The program of a container, or a further one (`exec --process`).
package struct RuntimeProcess: Hashable, Sendable, RuntimeWritable {
    package var terminal = false
    package var consoleSize: RuntimeConsoleSize?
    package var user = RuntimeUser()
    package var args: [String] = []
    package var env: [String] = []
    package var cwd: String
    package var capabilities: RuntimeCapabilities?
    package var rlimits: [RuntimeRlimit] = []
    package var noNewPrivileges = false
    package var apparmorProfile: String?
    package var selinuxLabel: String?
    package var oomScoreAdj: Int32?
    package var scheduler: RuntimeScheduler?
    package var ioPriority: RuntimeIOPriority?
    /// Of `exec` alone: the first program runs where its cgroup lets it.
    package var execCPUAffinity: RuntimeCPUAffinity?
    package var other = JSONObject()

    package init(args: [String], cwd: String = "/") {
        self.args = args
        self.cwd = cwd
    }

    package init(_ process: RuntimeProperty) throws(RuntimeSpecError) {
        terminal = try process["terminal"]?.bool() ?? false
        if let size = try process["consoleSize"] { consoleSize = try RuntimeConsoleSize(size) }
        if let property = try process["user"] { user = try RuntimeUser(property) }
        args = try process["args"]?.strings() ?? []
        env = try process["env"]?.strings() ?? []
        cwd = try process.required("cwd").string()
        if let sets = try process["capabilities"] { capabilities = try RuntimeCapabilities(sets) }
        rlimits = try process["rlimits"]?.list(RuntimeRlimit.init(_:)) ?? []
        noNewPrivileges = try process["noNewPrivileges"]?.bool() ?? false
        apparmorProfile = try process["apparmorProfile"]?.string()
        selinuxLabel = try process["selinuxLabel"]?.string()
        oomScoreAdj = try process["oomScoreAdj"]?.integer()
        if let property = try process["scheduler"] { scheduler = try RuntimeScheduler(property) }
        if let property = try process["ioPriority"] { ioPriority = try RuntimeIOPriority(property) }
        if let property = try process["execCPUAffinity"] { execCPUAffinity = try RuntimeCPUAffinity(property) }
        other = try process.members(except: [
            "terminal", "consoleSize", "user", "args", "env", "cwd", "capabilities", "rlimits", "noNewPrivileges",
            "apparmorProfile", "selinuxLabel", "oomScoreAdj", "scheduler", "ioPriority", "execCPUAffinity",
        ])
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.putFlag("terminal", terminal)
        object.put("consoleSize", consoleSize)
        object.put("user", user)
        object.put("args", args)
        object.putList("env", env)
        object.put("cwd", cwd)
        object.put("capabilities", capabilities)
        object.putList("rlimits", rlimits)
        object.putFlag("noNewPrivileges", noNewPrivileges)
        object.put("apparmorProfile", apparmorProfile)
        object.put("selinuxLabel", selinuxLabel)
        object.put("oomScoreAdj", oomScoreAdj)
        object.put("scheduler", scheduler)
        object.put("ioPriority", ioPriority)
        object.put("execCPUAffinity", execCPUAffinity)
        object.merge(other)
        return .object(object)
    }
}

/// The initial size of a terminal, in characters.
package struct RuntimeConsoleSize: Hashable, Sendable, RuntimeWritable {
    package var height: UInt16
    package var width: UInt16

    package init(height: UInt16, width: UInt16) {
        self.height = height
        self.width = width
    }

    init(_ size: RuntimeProperty) throws(RuntimeSpecError) {
        height = try size.required("height").integer()
        width = try size.required("width").integer()
    }

    package var json: JSONValue { ["height": height.json, "width": width.json] }
}

/// Who the program runs as, in numbers of the container's user namespace.
package struct RuntimeUser: Hashable, Sendable, RuntimeWritable {
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var umask: UInt32?
    package var additionalGids: [UInt32] = []
    /// Of Windows.
    package var username: String?

    package init(uid: UInt32 = 0, gid: UInt32 = 0, additionalGids: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.additionalGids = additionalGids
    }

    init(_ user: RuntimeProperty) throws(RuntimeSpecError) {
        uid = try user["uid"]?.integer() ?? 0
        gid = try user["gid"]?.integer() ?? 0
        umask = try user["umask"]?.integer()
        additionalGids =
            try user["additionalGids"]?.list { (gid) throws(RuntimeSpecError) in try gid.integer() } ?? []
        username = try user["username"]?.string()
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("uid", uid)
        object.put("gid", gid)
        object.put("umask", umask)
        object.putList("additionalGids", additionalGids)
        object.put("username", username)
        return .object(object)
    }
}

/// The five capability sets, each of names such as `CAP_CHOWN`.
package struct RuntimeCapabilities: Hashable, Sendable, RuntimeWritable {
    package var bounding: [String] = []
    package var effective: [String] = []
    package var inheritable: [String] = []
    package var permitted: [String] = []
    package var ambient: [String] = []

    package init() {}

    init(_ sets: RuntimeProperty) throws(RuntimeSpecError) {
        bounding = try sets["bounding"]?.strings() ?? []
        effective = try sets["effective"]?.strings() ?? []
        inheritable = try sets["inheritable"]?.strings() ?? []
        permitted = try sets["permitted"]?.strings() ?? []
        ambient = try sets["ambient"]?.strings() ?? []
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.putList("bounding", bounding)
        object.putList("effective", effective)
        object.putList("inheritable", inheritable)
        object.putList("permitted", permitted)
        object.putList("ambient", ambient)
        return .object(object)
    }
}

/// A limit of setrlimit(2).
package struct RuntimeRlimit: Hashable, Sendable, RuntimeWritable {
    /// `RLIMIT_NOFILE` and the like.
    package var type: String
    package var soft: UInt64
    package var hard: UInt64

    package init(type: String, soft: UInt64, hard: UInt64) {
        self.type = type
        self.soft = soft
        self.hard = hard
    }

    init(_ limit: RuntimeProperty) throws(RuntimeSpecError) {
        type = try limit.required("type").string()
        soft = try limit.required("soft").integer()
        hard = try limit.required("hard").integer()
    }

    package var json: JSONValue { ["type": type.json, "hard": hard.json, "soft": soft.json] }
}
