import JSON

/// A system-call profile in docker's form, which knows capabilities and architectures, made into the runtime's form.
///
/// A file that has none of docker's members is in the runtime's form already.
package enum DockerSeccomp {
    /// - Parameters:
    ///   - capabilities: what the container holds, as `CAP_…`.
    ///   - architecture: this machine's, as Go names it: `amd64`.
    ///   - kernel: this machine's release: `6.1.0-18`.
    /// - Throws: `RuntimeSpecError` naming the member at fault.
    package static func profile(
        _ json: JSONValue, capabilities: Set<String>, architecture: String, kernel: String
    ) throws(RuntimeSpecError) -> LinuxSeccomp {
        guard var object = json.object else { throw RuntimeSpecError("seccomp", "must be an object") }
        if object["architectures"] == nil, let map = json["archMap"]?.array {
            object["architectures"] = .array(architectures(map, architecture))
        }
        object["archMap"] = nil
        object["syscalls"] = .array(
            (json["syscalls"]?.array ?? []).filter { call in
                applies(call, capabilities, architecture, kernel)
            }.map(plain))
        return try LinuxSeccomp(RuntimeProperty(.object(object), name: "seccomp"))
    }

    private static let ownNames = [
        "amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64", "s390x": "SCMP_ARCH_S390X",
        "riscv64": "SCMP_ARCH_RISCV64", "ppc64le": "SCMP_ARCH_PPC64LE",
    ]

    private static func architectures(_ map: [JSONValue], _ architecture: String) -> [JSONValue] {
        guard let own = ownNames[architecture] else { return [] }
        let entry = map.first { $0["architecture"]?.string == own }
        return [.string(own)] + (entry?["subArchitectures"]?.array ?? [])
    }

    private static func applies(
        _ call: JSONValue, _ capabilities: Set<String>, _ architecture: String, _ kernel: String
    ) -> Bool {
        func words(_ condition: JSONValue?, _ name: String) -> [String] {
            (condition?[name]?.array ?? []).compactMap(\.string)
        }
        let (includes, excludes) = (call["includes"], call["excludes"])
        if let least = includes?["minKernel"]?.string, version(kernel) < version(least) { return false }
        let arches = words(includes, "arches")
        if !arches.isEmpty, !arches.contains(architecture) { return false }
        if words(excludes, "arches").contains(architecture) { return false }
        if !words(includes, "caps").allSatisfy(capabilities.contains) { return false }
        if words(excludes, "caps").contains(where: capabilities.contains) { return false }
        return true
    }

    private static func version(_ text: String) -> (Int, Int) {
        let parts = text.split { !$0.isNumber }.prefix(2).map { Int($0) ?? 0 }
        return (parts.first ?? 0, parts.count > 1 ? parts[1] : 0)
    }

    /// `name` is docker's older way to say `names`; conditions are decided and gone.
    private static func plain(_ call: JSONValue) -> JSONValue {
        guard var object = call.object else { return call }
        if object["names"] == nil, let name = object["name"] { object["names"] = .array([name]) }
        for member in ["name", "includes", "excludes", "comment"] { object[member] = nil }
        if object["args"] == .null { object["args"] = nil }
        return .object(object)
    }
}
