import JSON

/// A `HostConfig` of podman's inspection in the words that requests are made of: some that podman says it does not take
/// back itself.
enum PodmanHostConfig {
    static func asked(_ host: JSONValue) -> JSONValue {
        guard var object = host.object else { return host }
        if let limits = object["Ulimits"]?.array { object["Ulimits"] = .array(limits.map(limit)) }
        if let binds = object["Binds"]?.array { object["Binds"] = .array(binds.map(bind)) }
        for (name, unasked) in [("PidMode", "private"), ("UTSMode", "private"), ("Runtime", "oci")]
        where object[name]?.string == unasked { object[name] = "" }
        return .object(object)
    }

    /// `RLIMIT_NOFILE` is asked for as `nofile`.
    private static func limit(_ body: JSONValue) -> JSONValue {
        let prefix = "RLIMIT_"
        guard var limit = body.object, let name = limit["Name"]?.string, name.hasPrefix(prefix) else { return body }
        limit["Name"] = .string(name.dropFirst(prefix.count).lowercased())
        return .object(limit)
    }

    /// Every mount is told with options that it has anyway; a volume's also with how mounts spread, which docker's has not.
    private static func bind(_ body: JSONValue) -> JSONValue {
        guard let text = body.string else { return body }
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return body }
        var implied: Set<Substring> = ["rbind", "nosuid", "nodev"]
        if !parts[0].hasPrefix("/") {
            implied.formUnion(["private", "rprivate", "shared", "rshared", "slave", "rslave"])
        }
        let kept = parts[2].split(separator: ",").filter { !implied.contains($0) }
        parts[2] = kept.joined(separator: ",")
        return .string(parts.joined(separator: ":"))
    }
}
