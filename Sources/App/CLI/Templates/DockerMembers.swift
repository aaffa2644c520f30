import JSON

/// What docker's types say of their members, and the JSON that templates work with does not: those that are left out or
/// null where they are empty, and those whose name in Go is another.
///
/// From the structures of moby's `api/types` that `inspect` and `events` show.
enum DockerMembers {
    private static let list = TemplateValue(.null, nullText: "[]")
    private static let map = TemplateValue(.null, nullText: "map[]")
    private static let pointer = TemplateValue(.null, nullText: "<nil>")
    private static let text = TemplateValue(.string(""))
    private static let number = TemplateValue(.integer(0))
    private static let flag = TemplateValue(.bool(false))
    private static let duration = TemplateValue(.null, nullText: "0s")

    private static let lists: Set<String> = [
        "Aliases", "Args", "Binds", "BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps",
        "BlkioDeviceWriteIOps", "BlkioWeightDevice", "CapAdd", "CapDrop", "Cmd", "DNSNames", "DeviceCgroupRules",
        "DeviceRequests", "Devices", "Dns", "DnsOptions", "DnsSearch", "Entrypoint", "Env", "ExecIDs", "ExtraHosts",
        "GroupAdd", "Layers", "LinkLocalIPs", "Links", "MaskedPaths", "Mounts", "OnBuild", "ReadonlyPaths",
        "RepoDigests", "RepoTags", "SecurityOpt", "Shell", "Ulimits", "VolumesFrom", "Warnings",
    ]
    private static let maps: Set<String> = [
        "Annotations", "Config", "DriverOpts", "ExposedPorts", "Labels", "Options", "PortBindings", "StorageOpt",
        "Sysctls", "Tmpfs", "Volumes",
    ]
    private static let pointers: Set<String> = [
        "DriverConfig", "Health", "Healthcheck", "IPAMConfig", "Init", "MemorySwappiness", "OomKillDisable",
        "PidsLimit", "SizeRootFs", "SizeRw", "StopTimeout", "UsageData",
    ]
    private static let texts: Set<String> = [
        "CgroupnsMode", "Consistency", "Domainname", "IPv4Address", "IPv6Address", "MacAddress", "Propagation",
        "Runtime", "StopSignal", "Subpath", "User", "WorkingDir",
    ]
    private static let flags: Set<String> = [
        "ArgsEscaped", "CreateMountpoint", "NetworkDisabled", "NoCopy", "NonRecursive", "ReadOnlyForceRecursive",
        "ReadOnlyNonRecursive",
    ]

    /// Maps whose names a person chooses. `Config` is one of a log driver alone, and else docker's own.
    static let open = maps.subtracting(["Config"])
        .union(["Attributes", "AuxAddress", "AuxiliaryAddresses", "Networks", "Ports", "Services"])

    /// Members whose names other types have for other things, by one that their own type alone has, and always.
    private static let types: [(mark: String, members: [String: TemplateValue])] = [
        ("HostConfig", ["GraphDriver": pointer, "ImageManifestDescriptor": pointer]),
        ("PublishAllPorts", ["KernelMemory": number, "KernelMemoryTCP": number]),
        ("Destination", ["Type": text, "Name": text, "Driver": text]),
        (
            "Target",
            [
                "Type": text, "Source": text, "ReadOnly": flag, "BindOptions": pointer, "VolumeOptions": pointer,
                "ImageOptions": pointer, "TmpfsOptions": pointer, "ClusterOptions": pointer,
            ]
        ),
        (
            "Test",
            [
                "Interval": duration, "Timeout": duration, "StartPeriod": duration, "StartInterval": duration,
                "Retries": number,
            ]
        ),
        (
            "RootFS",
            [
                "Author": text, "Comment": text, "Container": text, "Created": text, "Descriptor": pointer,
                "DockerVersion": text, "GraphDriver": pointer, "Manifests": list, "OsVersion": text, "Parent": text,
                "Variant": text, "VirtualSize": number,
            ]
        ),
        ("Mountpoint", ["CreatedAt": text, "Status": map, "ClusterVolume": pointer]),
        ("IPAM", ["Peers": list, "Services": map]),
        ("Subnet", ["IPRange": text, "Gateway": text, "AuxAddress": map, "AuxiliaryAddresses": map]),
    ]

    /// How Go's names are written in JSON, where differently.
    private static let wireNames: [String: [String]] = [
        "ID": ["Id", "id"], "HostIP": ["HostIp"], "AuxAddress": ["AuxiliaryAddresses"], "NanoCPUs": ["NanoCpus"],
        "CPUShares": ["CpuShares"], "CPUPeriod": ["CpuPeriod"], "CPUQuota": ["CpuQuota"],
        "CPURealtimePeriod": ["CpuRealtimePeriod"], "CPURealtimeRuntime": ["CpuRealtimeRuntime"],
        "CPUCount": ["CpuCount"], "CPUPercent": ["CpuPercent"], "DNS": ["Dns"], "DNSOptions": ["DnsOptions"],
        "DNSSearch": ["DnsSearch"], "Status": ["status"], "From": ["from"], "Scope": ["scope"], "Time": ["time"],
        "TimeNano": ["timeNano"],
    ]

    /// The name that a member has in this object, where docker's type calls it otherwise.
    static func wireName(_ name: String, in object: JSONObject) -> String {
        if object[name] != nil { return name }
        return wireNames[name]?.first { object[$0] != nil } ?? name
    }

    /// What docker's type has where the object has no such member, or null; nil where it knows none of that name.
    static func absent(_ name: String, in object: JSONObject) -> TemplateValue? {
        for type in types where object[type.mark] != nil {
            if let value = type.members[name] { return value }
        }
        if lists.contains(name) { return list }
        if maps.contains(name) { return map }
        if pointers.contains(name) { return pointer }
        if texts.contains(name) { return text }
        return flags.contains(name) ? flag : nil
    }
}
