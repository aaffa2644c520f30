import OCI

/// What a document says for other platforms, which has no effect on this one.
enum ForeignProperties {
    /// The sections and properties that the specification has for others.
    private static let sections: [String] = ["solaris", "windows", "vm", "zos", "freebsd"]

    /// Nothing is passed over in silence, and nothing of it is an error: a document may serve several platforms.
    static func warnings(_ spec: RuntimeSpec) -> [String] {
        var names: [String] = []
        if !spec.other.isEmpty { names = sections.filter { spec.other[$0] != nil } }
        if let process = spec.process {
            if process.user.username != nil { names.append("process.user.username") }
            if !process.other.isEmpty, process.other["commandLine"] != nil { names.append("process.commandLine") }
        }
        return names.map { "\($0): ignored, it is for another platform" }
    }

    /// Members that the specification does not have, at the levels where others have extended it.
    static func unknown(_ spec: RuntimeSpec) -> [String] {
        let top = spec.other.members.map(\.name).filter { !sections.contains($0) }
        let process = (spec.process?.other.members ?? []).map { "process.\($0.name)" }
        let linux = spec.linux.other.members.map { "linux.\($0.name)" }
        let resources = (spec.linux.resources?.other.members ?? []).map { "linux.resources.\($0.name)" }
        return top + process.filter { $0 != "process.commandLine" } + linux + resources
    }
}
