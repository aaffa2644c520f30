import JSON

/// A system-call filter. Names are those of libseccomp: `SCMP_ACT_ERRNO`, `SCMP_ARCH_X86_64`, `SCMP_CMP_EQ`.
package struct LinuxSeccomp: Hashable, Sendable, RuntimeWritable {
    package var defaultAction: String
    package var defaultErrnoRet: UInt32?
    package var architectures: [String] = []
    /// `SECCOMP_FILTER_FLAG_…`.
    package var flags: [String] = []
    package var listenerPath: String?
    package var listenerMetadata: String?
    package var syscalls: [LinuxSyscall] = []

    package init(defaultAction: String) { self.defaultAction = defaultAction }

    init(_ seccomp: RuntimeProperty) throws(RuntimeSpecError) {
        defaultAction = try seccomp.required("defaultAction").string()
        defaultErrnoRet = try seccomp["defaultErrnoRet"]?.integer()
        architectures = try seccomp["architectures"]?.strings() ?? []
        flags = try seccomp["flags"]?.strings() ?? []
        listenerPath = try seccomp["listenerPath"]?.string()
        listenerMetadata = try seccomp["listenerMetadata"]?.string()
        syscalls = try seccomp["syscalls"]?.list(LinuxSyscall.init(_:)) ?? []
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("defaultAction", defaultAction)
        object.put("defaultErrnoRet", defaultErrnoRet)
        object.putList("architectures", architectures)
        object.putList("flags", flags)
        object.put("listenerPath", listenerPath)
        object.put("listenerMetadata", listenerMetadata)
        object.putList("syscalls", syscalls)
        return .object(object)
    }
}

/// What happens to some system calls, perhaps only with certain arguments.
package struct LinuxSyscall: Hashable, Sendable, RuntimeWritable {
    package var names: [String]
    package var action: String
    package var errnoRet: UInt32?
    /// All must hold.
    package var args: [LinuxSyscallArgument] = []

    package init(
        _ names: [String], action: String, errnoRet: UInt32? = nil, args: [LinuxSyscallArgument] = []
    ) {
        self.names = names
        self.action = action
        self.errnoRet = errnoRet
        self.args = args
    }

    init(_ rule: RuntimeProperty) throws(RuntimeSpecError) {
        names = try rule.required("names").strings()
        action = try rule.required("action").string()
        errnoRet = try rule["errnoRet"]?.integer()
        args = try rule["args"]?.list(LinuxSyscallArgument.init(_:)) ?? []
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("names", names)
        object.put("action", action)
        object.put("errnoRet", errnoRet)
        object.putList("args", args)
        return .object(object)
    }
}

package struct LinuxSyscallArgument: Hashable, Sendable, RuntimeWritable {
    /// Which argument, from 0.
    package var index: UInt32
    package var value: UInt64
    /// For `SCMP_CMP_MASKED_EQ`: what the argument, masked with `value`, is to be.
    package var valueTwo: UInt64 = 0
    package var comparison: String

    package init(index: UInt32, value: UInt64, valueTwo: UInt64 = 0, comparison: String) {
        self.index = index
        self.value = value
        self.valueTwo = valueTwo
        self.comparison = comparison
    }

    init(_ argument: RuntimeProperty) throws(RuntimeSpecError) {
        let position = try argument.required("index")
        index = try position.integer()
        guard index < 6 else { throw position.failure("must be 0 to 5") }
        value = try argument.required("value").integer()
        valueTwo = try argument["valueTwo"]?.integer() ?? 0
        comparison = try argument.required("op").string()
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.put("index", index)
        object.put("value", value)
        if valueTwo != 0 { object.put("valueTwo", valueTwo) }
        object.put("op", comparison)
        return .object(object)
    }
}
