import JSON

/// Programs to be run at points of a container's life, with its state on their standard input.
package struct RuntimeHooks: Hashable, Sendable, RuntimeWritable {
    /// Deprecated by the specification, still in use: in the runtime's namespaces, after the container's were made.
    package var prestart: [RuntimeHook] = []
    /// In the runtime's namespaces, after the container's were made, before pivot_root.
    package var createRuntime: [RuntimeHook] = []
    /// In the container's namespaces, before pivot_root.
    package var createContainer: [RuntimeHook] = []
    /// In the container, before its program is executed.
    package var startContainer: [RuntimeHook] = []
    /// In the runtime's namespaces, after the program was started.
    package var poststart: [RuntimeHook] = []
    /// In the runtime's namespaces, after the container was deleted.
    package var poststop: [RuntimeHook] = []

    package init() {}

    package init(_ hooks: RuntimeProperty) throws(RuntimeSpecError) {
        func list(_ name: String) throws(RuntimeSpecError) -> [RuntimeHook] {
            try hooks[name]?.list(RuntimeHook.init(_:)) ?? []
        }
        prestart = try list("prestart")
        createRuntime = try list("createRuntime")
        createContainer = try list("createContainer")
        startContainer = try list("startContainer")
        poststart = try list("poststart")
        poststop = try list("poststop")
    }

    package var isEmpty: Bool { self == RuntimeHooks() }

    package var json: JSONValue {
        var object = JSONObject()
        object.putList("prestart", prestart)
        object.putList("createRuntime", createRuntime)
        object.putList("createContainer", createContainer)
        object.putList("startContainer", startContainer)
        object.putList("poststart", poststart)
        object.putList("poststop", poststop)
        return .object(object)
    }
}

package struct RuntimeHook: Hashable, Sendable, RuntimeWritable {
    /// An absolute path.
    package var path: String
    /// With the program's own name first, as execve(2) takes them.
    package var args: [String] = []
    package var env: [String] = []
    package var timeoutSeconds: Int32?

    package init(path: String, args: [String] = [], env: [String] = [], timeoutSeconds: Int32? = nil) {
        self.path = path
        self.args = args
        self.env = env
        self.timeoutSeconds = timeoutSeconds
    }

    init(_ hook: RuntimeProperty) throws(RuntimeSpecError) {
        let property = try hook.required("path")
        path = try property.string()
        guard path.hasPrefix("/") else { throw property.failure("must be absolute") }
        args = try hook["args"]?.strings() ?? []
        env = try hook["env"]?.strings() ?? []
        timeoutSeconds = try hook["timeout"]?.integer()
        if let timeoutSeconds, timeoutSeconds <= 0 { throw hook.failure("timeout must be above zero") }
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("path", path)
        object.putList("args", args)
        object.putList("env", env)
        object.put("timeout", timeoutSeconds)
        return .object(object)
    }
}
