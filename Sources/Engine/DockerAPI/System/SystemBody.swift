import EngineAPI
import JSON
import OCI

extension EngineVersion {
    /// What the engine part is called that announces Gantry's own routes.
    package static let gantryRoutes = "Gantry-Routes"

    /// The field of a ping that says that where this server went one comes again at once, as of a daemon that is started
    /// anew.
    package static let returnsField = "Gantry-Returns"

    /// The machine's architecture in Go's words, which docker's clients compare with an image's.
    package var goArchitecture: String { Platform(os: os, architecture: architecture).architecture }

    /// This engine runs what its own machine's processor does, those of 32 bits before it included; another kind is
    /// refused, not run by chance.
    ///
    /// - Parameter platform: `os[/architecture[/variant]]`
    /// - Throws: `unsupported`
    package func checkPlatform(_ platform: String) throws(EngineError) {
        let parts = platform.split(separator: "/").map(String.init)
        let wanted = Platform(
            os: parts.first ?? "", architecture: parts.count > 1 ? parts[1] : architecture,
            variant: parts.count > 2 ? parts[2] : nil)
        guard Platform(os: "linux", architecture: architecture).preference(for: wanted) != nil else {
            throw EngineError(
                .unsupported,
                "the platform `\(platform)` is not this machine's (linux/\(goArchitecture)), and running others is not "
                    + "supported")
        }
    }

    /// Reads the platform that a client asks of a saved or loaded image: JSON, `{"os":"linux","architecture":"arm64"}`.
    ///
    /// - Returns: `os/architecture[/variant]`; nil where none is asked for.
    /// - Throws: `invalid`
    package static func askedPlatform(_ text: String?) throws(EngineError) -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard let value = try? JSONValue(parsing: text), let os = value.filledText("os"),
            let architecture = value.filledText("architecture")
        else { throw EngineError(.invalid, "failed to parse platform: \(text.prefix(80))") }
        return [os, architecture, value.filledText("variant")].compactMap { $0 }.joined(separator: "/")
    }

    /// The answer of `GET /version`.
    package var dockerBody: JSONValue {
        let details: JSONValue = [
            "ApiVersion": .string(apiVersion), "Arch": .string(goArchitecture), "BuildTime": .string(buildTime),
            "Experimental": "false", "GitCommit": .string(gitCommit), "KernelVersion": .string(kernelVersion),
            "MinAPIVersion": .string(minimumAPIVersion), "Os": .string(os),
        ]
        let engine: JSONValue = ["Name": "Engine", "Version": .string(version), "Details": details]
        let parts = components.sorted { $0.key < $1.key }.map { name, version -> JSONValue in
            ["Name": .string(name), "Version": .string(version), "Details": [:]]
        }
        return [
            "Platform": ["Name": .string(name)], "Version": .string(version), "ApiVersion": .string(apiVersion),
            "MinAPIVersion": .string(minimumAPIVersion), "Os": .string(os), "Arch": .string(goArchitecture),
            "Experimental": false, "GitCommit": .string(gitCommit), "GoVersion": "",
            "KernelVersion": .string(kernelVersion), "BuildTime": .string(buildTime),
            "Components": .array(
                [engine] + parts + [["Name": .string(Self.gantryRoutes), "Version": "1", "Details": [:]]]),
        ]
    }

    package init(dockerBody body: JSONValue) {
        let parts = body.elements("Components")
        let first = parts.first?.text("Name") ?? ""
        // docker's and our own first part is called `Engine`, podman's has podman's name.
        let platform = body.field("Platform")?.filledText("Name") ?? "Docker"
        let name = first.isEmpty || first == "Engine" ? platform : first
        self.init(
            name: name, version: body.text("Version"), apiVersion: body.text("ApiVersion"),
            minimumAPIVersion: body.text("MinAPIVersion"))
        kernelVersion = body.text("KernelVersion")
        os = body.text("Os")
        architecture = body.text("Arch")
        gitCommit = body.text("GitCommit")
        buildTime = body.text("BuildTime")
        for part in parts.dropFirst() where part.text("Name") != Self.gantryRoutes {
            components[part.text("Name")] = part.text("Version")
        }
    }
}

extension EngineInfo {
    /// The answer of `GET /info`; before 1.50 with members that are gone since.
    package func dockerBody(for version: APIVersion = .current, now: Timestamp) -> JSONValue {
        var body = currentBody(now: now)
        guard version < APIVersion(1, 50) else { return .object(body) }
        body["BridgeNfIptables"] = .bool(filtersBridgedIPv4)
        body["BridgeNfIp6tables"] = .bool(filtersBridgedIPv6)
        var registries = body["RegistryConfig"]?.object ?? JSONObject()
        // No registry is one that other layers may not be pushed to.
        registries["AllowNondistributableArtifactsCIDRs"] = []
        registries["AllowNondistributableArtifactsHostnames"] = []
        body["RegistryConfig"] = .object(registries)
        return .object(body)
    }

    private func currentBody(now: Timestamp) -> JSONObject {
        let runtimeMembers = runtimes.map { ($0, JSONValue.object(JSONObject([("path", .string($0))]))) }
        // The parts that docker's clients ask the versions of are all of one release here.
        let part: JSONValue = ["ID": .string(serverVersion)]
        let base: [(String, JSONValue)] = [
            ("ID", .string(id)), ("Containers", .count(containersRunning + containersPaused + containersStopped)),
            ("ContainersRunning", .count(containersRunning)), ("ContainersPaused", .count(containersPaused)),
            ("ContainersStopped", .count(containersStopped)), ("Images", .count(images)),
            ("Driver", .string(storageDriver)),
            ("DriverStatus", .array(storageFacts.map { [.string($0.name), .string($0.value)] })),
            (
                "Plugins",
                [
                    "Volume": ["local"], "Network": ["bridge", "host", "ipvlan", "macvlan", "null"],
                    "Authorization": .null,
                    "Log": .texts(LogPolicy.Driver.allCases.map(\.rawValue)),
                ]
            ),
            ("MemoryLimit", true), ("SwapLimit", true), ("CpuCfsPeriod", true), ("CpuCfsQuota", true),
            ("CPUShares", true), ("CPUSet", true), ("PidsLimit", true), ("IPv4Forwarding", true),
            ("Debug", .bool(isDebugging)), ("NFd", 0), ("OomKillDisable", .bool(cgroupVersion == "1")),
            ("NGoroutines", 0), ("SystemTime", .string(WireTime.text(now))),
            ("LoggingDriver", .string(loggingDriver)), ("CgroupDriver", .string(cgroupDriver)),
            ("CgroupVersion", .string(cgroupVersion)), ("NEventsListener", 0),
            ("KernelVersion", .string(kernelVersion)), ("OperatingSystem", .string(operatingSystem)),
            ("OSVersion", .string(operatingSystemVersion)), ("OSType", "linux"),
            ("Architecture", .string(architecture)),
            ("IndexServerAddress", "https://index.docker.io/v1/"),
            (
                "RegistryConfig",
                [
                    "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"],
                    "IndexConfigs": [
                        "docker.io": ["Name": "docker.io", "Mirrors": [], "Secure": true, "Official": true]
                    ],
                    "Mirrors": [],
                ]
            ),
            ("NCPU", .count(cpuCount)), ("MemTotal", .integer(memoryBytes)), ("GenericResources", .null),
            ("DockerRootDir", .string(dataRoot)), ("HttpProxy", ""), ("HttpsProxy", ""), ("NoProxy", ""),
            ("Name", .string(name)), ("Labels", .texts(labels)), ("ExperimentalBuild", false),
            ("ServerVersion", .string(serverVersion)), ("Runtimes", .object(JSONObject(runtimeMembers))),
            ("DefaultRuntime", .string(defaultRuntime)),
            (
                "Swarm",
                [
                    "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false, "Error": "",
                    "RemoteManagers": .null,
                ]
            ),
            ("LiveRestoreEnabled", true), ("Isolation", ""), ("InitBinary", ""),
            ("ContainerdCommit", part), ("RuncCommit", part), ("InitCommit", part),
            ("SecurityOptions", .texts(securityOptions)), ("Warnings", .texts(warnings)),
            ("GantryPid", .integer(Int64(pid))),
        ]
        return JSONObject(base)
    }

    package init(dockerBody body: JSONValue) {
        self.init()
        id = body.text("ID")
        name = body.text("Name")
        containersRunning = Int(body.whole("ContainersRunning") ?? 0)
        containersPaused = Int(body.whole("ContainersPaused") ?? 0)
        containersStopped = Int(body.whole("ContainersStopped") ?? 0)
        images = Int(body.whole("Images") ?? 0)
        storageDriver = body.text("Driver")
        storageFacts = body.elements("DriverStatus").compactMap { pair in
            let words = (pair.array ?? []).compactMap(\.string)
            return words.count == 2 ? StorageFact(words[0], words[1]) : nil
        }
        loggingDriver = body.text("LoggingDriver")
        cgroupDriver = body.text("CgroupDriver")
        cgroupVersion = body.text("CgroupVersion")
        kernelVersion = body.text("KernelVersion")
        operatingSystem = body.text("OperatingSystem")
        operatingSystemVersion = body.text("OSVersion")
        architecture = body.text("Architecture")
        cpuCount = Int(body.whole("NCPU") ?? 0)
        memoryBytes = body.whole("MemTotal") ?? 0
        dataRoot = body.text("DockerRootDir")
        serverVersion = body.text("ServerVersion")
        defaultRuntime = body.text("DefaultRuntime")
        runtimes = body.field("Runtimes")?.object?.members.map(\.name) ?? []
        labels = body.texts("Labels")
        isDebugging = body.field("Debug")?.bool ?? false
        securityOptions = body.texts("SecurityOptions")
        warnings = body.texts("Warnings")
        pid = Int32(clamping: body.whole("GantryPid") ?? 0)
    }
}
