import EngineAPI
import JSON
import Testing

@testable import DockerAPI

/// Every member of the create body of API 1.51: what is made of it is decided here, so that none is passed over.
@Suite struct CreateFieldTests {
    enum Fate: Sendable {
        /// The specification differs from one without the member.
        case taken
        /// Refused by its name.
        case refused(String)
        /// Docker makes nothing of it on Linux, or it is the client's own note.
        case idle
    }

    static let configMembers: [(String, String, Fate)] = [
        ("Hostname", #""h""#, .taken), ("Domainname", #""d""#, .taken), ("User", #""1""#, .taken),
        ("AttachStdin", "true", .taken), ("AttachStdout", "true", .taken), ("AttachStderr", "true", .taken),
        ("ExposedPorts", #"{"80/tcp":{}}"#, .taken), ("Tty", "true", .taken), ("OpenStdin", "true", .taken),
        ("StdinOnce", "true", .taken), ("Env", #"["A=1"]"#, .taken), ("Cmd", #"["x"]"#, .taken),
        ("Healthcheck", #"{"Test":["CMD","x"]}"#, .taken), ("ArgsEscaped", "true", .idle),
        ("Volumes", #"{"/v":{}}"#, .taken), ("WorkingDir", #""/w""#, .taken), ("Entrypoint", #"["x"]"#, .taken),
        ("NetworkDisabled", "true", .taken), ("MacAddress", #""02:42:ac:11:00:02""#, .taken),
        ("OnBuild", #"["RUN x"]"#, .idle), ("Labels", #"{"a":"b"}"#, .taken), ("StopSignal", #""INT""#, .taken),
        ("StopTimeout", "3", .taken), ("Shell", #"["/bin/bash","-c"]"#, .refused("Shell")),
    ]

    static let hostMembers: [(String, String, Fate)] = [
        ("Binds", #"["/a:/b"]"#, .taken), ("ContainerIDFile", #""/f""#, .idle),
        ("LogConfig", #"{"Type":"none"}"#, .taken), ("NetworkMode", #""host""#, .taken),
        ("PortBindings", #"{"80/tcp":[{"HostPort":"1"}]}"#, .taken), ("RestartPolicy", #"{"Name":"always"}"#, .taken),
        ("AutoRemove", "true", .taken), ("VolumeDriver", #""rexray""#, .taken),
        ("VolumeDriver", #""""#, .idle), ("VolumesFrom", #"["x"]"#, .taken), ("ConsoleSize", "[24,80]", .taken),
        ("Annotations", #"{"a":"b"}"#, .taken), ("CapAdd", #"["X"]"#, .taken), ("CapDrop", #"["X"]"#, .taken),
        ("CgroupnsMode", #""host""#, .taken), ("Dns", #"["1.1.1.1"]"#, .taken), ("DnsOptions", #"["x"]"#, .taken),
        ("DnsSearch", #"["x"]"#, .taken), ("ExtraHosts", #"["a:1.1.1.1"]"#, .taken), ("GroupAdd", #"["1"]"#, .taken),
        ("IpcMode", #""host""#, .taken), ("Cgroup", #""container:x""#, .refused("Cgroup")),
        ("Links", #"["a:b"]"#, .taken), ("OomScoreAdj", "5", .taken), ("PidMode", #""host""#, .taken),
        ("Privileged", "true", .taken), ("PublishAllPorts", "true", .taken), ("ReadonlyRootfs", "true", .taken),
        ("SecurityOpt", #"["no-new-privileges"]"#, .taken), ("SecurityOpt", #"["apparmor=x"]"#, .taken),
        ("SecurityOpt", #"["label=level:s0"]"#, .taken), ("StorageOpt", #"{"size":"1G"}"#, .refused("storage-opt")),
        ("Tmpfs", #"{"/t":""}"#, .taken), ("UTSMode", #""host""#, .taken), ("ShmSize", "1024", .taken),
        ("Sysctls", #"{"a":"b"}"#, .taken), ("Runtime", #""runc""#, .taken),
        ("Isolation", #""hyperv""#, .refused("isolation")), ("Isolation", #""default""#, .taken),
        ("CpuShares", "2", .taken), ("Memory", "7000000", .taken), ("NanoCpus", "1", .taken),
        ("CgroupParent", #""/x""#, .taken), ("BlkioWeight", "10", .taken),
        ("BlkioWeightDevice", #"[{"Path":"/dev/a","Weight":10}]"#, .taken),
        ("BlkioDeviceReadBps", #"[{"Path":"/dev/a","Rate":1}]"#, .taken),
        ("BlkioDeviceWriteBps", #"[{"Path":"/dev/a","Rate":1}]"#, .taken),
        ("BlkioDeviceReadIOps", #"[{"Path":"/dev/a","Rate":1}]"#, .taken),
        ("BlkioDeviceWriteIOps", #"[{"Path":"/dev/a","Rate":1}]"#, .taken), ("CpuPeriod", "1000", .taken),
        ("CpuQuota", "1000", .taken), ("CpuRealtimePeriod", "1", .taken), ("CpuRealtimeRuntime", "1", .taken),
        ("CpusetCpus", #""0""#, .taken), ("CpusetMems", #""0""#, .taken),
        ("Devices", #"[{"PathOnHost":"/dev/a"}]"#, .taken), ("DeviceCgroupRules", #"["c 1:1 r"]"#, .taken),
        ("DeviceRequests", #"[{"Count":-1}]"#, .refused("device driver")),
        ("KernelMemory", "5", .idle), ("KernelMemoryTCP", "5", .refused("KernelMemoryTCP")),
        ("MemoryReservation", "1", .taken), ("MemorySwap", "1", .taken), ("MemorySwappiness", "1", .taken),
        ("OomKillDisable", "true", .taken), ("PidsLimit", "1", .taken),
        ("Ulimits", #"[{"Name":"core","Soft":1,"Hard":1}]"#, .taken), ("CpuCount", "1", .refused("CpuCount")),
        ("CpuPercent", "1", .refused("CpuPercent")), ("IOMaximumIOps", "1", .refused("IOMaximumIOps")),
        ("IOMaximumBandwidth", "1", .refused("IOMaximumBandwidth")),
        ("Mounts", #"[{"Type":"tmpfs","Target":"/t"}]"#, .taken), ("MaskedPaths", #"["/p"]"#, .taken),
        ("ReadonlyPaths", #"["/p"]"#, .taken), ("Init", "true", .taken),
    ]

    static let endpointMembers: [(String, String, Fate)] = [
        ("Aliases", #"["a"]"#, .taken), ("IPAMConfig", #"{"IPv4Address":"10.0.0.2"}"#, .taken),
        ("IPAMConfig", #"{"IPv6Address":"fd::2"}"#, .taken),
        ("IPAMConfig", #"{"LinkLocalIPs":["169.254.1.1"]}"#, .taken), ("IPAMConfig", #"{"LinkLocalIPs":[]}"#, .idle),
        ("Links", #"["a:b"]"#, .taken), ("MacAddress", #""02:42:ac:11:00:02""#, .taken),
        ("DriverOpts", #"{"a":"b"}"#, .taken),
        ("DriverOpts", #"{"com.docker.network.endpoint.ifname":"lan0"}"#, .taken),
        ("GwPriority", "5", .taken), ("GwPriority", "0", .idle),
        // What an inspection tells, sent back by a client that changed something else.
        ("NetworkID", #""x""#, .idle), ("EndpointID", #""x""#, .idle), ("Gateway", #""x""#, .idle),
        ("IPAddress", #""x""#, .idle), ("IPPrefixLen", "5", .idle), ("IPv6Gateway", #""x""#, .idle),
        ("GlobalIPv6Address", #""x""#, .idle), ("GlobalIPv6PrefixLen", "5", .idle), ("DNSNames", #"["x"]"#, .idle),
    ]

    private static func spec(_ text: String) throws -> ContainerSpec {
        try CreateRequest(dockerBody: BodyReader(parsing: Array(text.utf8))).spec
    }

    private func check(_ name: String, _ fate: Fate, _ with: String, without: String) throws {
        let plain = try Self.spec(without)
        switch fate {
        case .taken: #expect(try Self.spec(with) != plain, "\(name) is passed over")
        case .idle: #expect(try Self.spec(with) == plain, "\(name) changes something")
        case .refused(let words):
            let error = #expect(throws: EngineError.self, "\(name)") { try Self.spec(with) }
            #expect(error?.message.contains(words) == true, "\(name): \(error?.message ?? "")")
        }
    }

    @Test(
        "Each member of a container's configuration is taken, refused by name, or without effect",
        arguments: configMembers)
    func config(name: String, value: String, fate: Fate) throws {
        try check(name, fate, #"{"Image":"i","\#(name)":\#(value)}"#, without: #"{"Image":"i"}"#)
    }

    @Test("Each member of a host configuration is taken, refused by name, or without effect", arguments: hostMembers)
    func host(name: String, value: String, fate: Fate) throws {
        try check(
            name, fate, #"{"Image":"i","HostConfig":{"\#(name)":\#(value)}}"#, without: #"{"Image":"i"}"#)
    }

    @Test("Each member of an endpoint is taken, refused by name, or without effect", arguments: endpointMembers)
    func endpoint(name: String, value: String, fate: Fate) throws {
        func body(_ members: String) -> String {
            #"{"Image":"i","HostConfig":{"NetworkMode":"n"},"NetworkingConfig":{"EndpointsConfig":{"n":{\#(members)}}}}"#
        }
        try check(name, fate, body(#""\#(name)":\#(value)"#), without: body(""))
    }

    @Test("A member of the wrong type is refused by its path, whichever it is")
    func wrongTypes() {
        for (name, value, fate) in Self.hostMembers {
            if case .idle = fate { continue }
            // A number where no member wants one of this kind, and an array where none wants it in it.
            let wrong = value.hasPrefix("[") ? #"{"x":[[1]]}"# : "[[1]]"
            #expect(throws: EngineError.self, "\(name)") {
                try Self.spec(#"{"Image":"i","HostConfig":{"\#(name)":\#(wrong)}}"#)
            }
        }
    }
}
