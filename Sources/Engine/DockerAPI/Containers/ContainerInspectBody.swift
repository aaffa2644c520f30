import EngineAPI
import JSON

extension ContainerDetails {
    /// The same with what was measured for a list, which docker's `size` asks for.
    package func dockerBody(sizes: ContainerSummary?) -> JSONValue {
        var body = dockerBody.object ?? JSONObject()
        body["SizeRw"] = sizes?.writtenBytes.map(JSONValue.integer)
        body["SizeRootFs"] = sizes?.rootBytes.map(JSONValue.integer)
        return .object(body)
    }

    /// The answer of `GET /containers/{id}/json`. The member `Gantry` holds what docker's form leaves out.
    package var dockerBody: JSONValue {
        let mode = spec.networkMode?.rawValue ?? "none"
        var host = spec.dockerHostConfig
        host["NetworkMode"] = .string(mode)
        host["CgroupnsMode"] = .string(spec.cgroupMode?.text ?? "private")
        host["IpcMode"] = .string(spec.ipcMode?.text ?? "private")
        host["Runtime"] = .string(runtime)
        host["Isolation"] = .string(spec.isolation ?? "")
        if !spec.links.isEmpty { host["Links"] = .texts(spec.links.map { "/\($0.name):/\(name)/\($0.alias)" }) }
        // Null, where nothing is hidden since the container is privileged.
        host["MaskedPaths"] = .texts(spec.maskedPaths)
        host["ReadonlyPaths"] = .texts(spec.readonlyPaths)
        if spec.privileged, !spec.securityLabels.contains("disable") {
            host["SecurityOpt"] = .array(["label=disable"] + (host["SecurityOpt"]?.array ?? []))
        }
        for (name, value) in Self.unused { host[name] = value }
        let base: [(String, JSONValue)] = [
            ("Id", .string(id)), ("Created", .string(WireTime.text(createdAt))),
            ("Path", .string(arguments.first ?? "")), ("Args", .texts(Array(arguments.dropFirst()))),
            ("State", state.dockerBody), ("Image", .string(imageID)),
            ("ResolvConfPath", .string(places.resolvConfPath)), ("HostnamePath", .string(places.hostnamePath)),
            ("HostsPath", .string(places.hostsPath)),
            // What it leads to is read as JSON.
            ("LogPath", .string(spec.log.driver == .jsonFile ? logPath ?? "" : "")),
            ("Name", .string("/\(name)")),
            ("RestartCount", .count(restartCount)), ("Driver", .string(places.storageDriver)), ("Platform", "linux"),
            ("MountLabel", ""), ("ProcessLabel", ""), ("AppArmorProfile", .string(spec.appArmorProfile ?? "")),
            ("ExecIDs", execIDs.isEmpty ? .null : .texts(execIDs)), ("HostConfig", .object(host)),
            ("GraphDriver", ["Data": places.root?.dockerBody ?? .null, "Name": .string(places.storageDriver)]),
            ("Mounts", .array(mountPoints)), ("Config", .object(mergedConfig)),
            (
                "NetworkSettings",
                NetworkSettingsBody.settings(
                    hasLeftNone ? "" : mode, networks, ports, running: state.isAlive ? id : nil,
                    namespacePath: namespacePath)
            ),
            (
                "Gantry",
                [
                    "CgroupPath": cgroupPath.map { .string($0) } ?? .null, "Environment": .texts(spec.environment),
                    "Launch": .array(launch.indices.map(launchBody)),
                ]
            ),
        ]
        return .object(JSONObject(base))
    }

    /// Docker tells of no tmpfs here that was asked for by `--tmpfs`.
    private var mountPoints: [JSONValue] {
        spec.mounts.filter { $0.kind != .tmpfs || !$0.isShort }.map {
            $0.dockerMountPoint(volumes: places.volumesDirectory)
        }
    }

    /// The container's own network namespace, for programs that enter it by its path.
    private var namespacePath: String? {
        state.pid > 0 && spec.networkMode != .host ? "/proc/\(state.pid)/ns/net" : nil
    }

    /// Members that are as they are in every container here, for clients that look for them.
    private static let unused: [(String, JSONValue)] = [
        ("Cgroup", ""), ("CpuCount", 0), ("CpuPercent", 0),
        ("DeviceRequests", .null), ("IOMaximumBandwidth", 0), ("IOMaximumIOps", 0),
    ]

    /// A step of the launch, with what it took.
    private func launchBody(_ index: Int) -> JSONValue {
        let step = launch[index]
        let took = launch.duration(at: index).map { JSONValue.integer($0.wholeNanoseconds / 1000) } ?? .null
        return [
            "Step": .string(step.name.rawValue), "Time": .string(WireTime.text(step.time)), "Microseconds": took,
        ]
    }

    /// `Config` as docker shows it: what the image gives is merged in.
    private var mergedConfig: JSONObject {
        var config = spec.dockerConfig
        config["Hostname"] = .string(hostname)
        let exposed = spec.dockerExposedPorts
        if exposed.object?.isEmpty == false { config["ExposedPorts"] = exposed }
        config["Env"] = .texts(environment)
        config["WorkingDir"] = .string(workingDirectory)
        config["User"] = .string(user)
        // Told of here until 1.52, as it may be asked for here.
        config["MacAddress"] = spec.networks[spec.networkMode?.network ?? "bridge"]?.macAddress.map(JSONValue.string)
        // Who makes the container anew from this, as tools for updates do, must find both apart.
        let (entrypoint, command) = (arguments.prefix(entrypointLength), arguments.dropFirst(entrypointLength))
        config["Entrypoint"] = .texts(entrypoint.isEmpty ? nil : Array(entrypoint))
        config["Cmd"] = .texts(command.isEmpty ? nil : Array(command))
        return config
    }

    /// Reads an inspection of any engine; what this engine's values cannot hold is left out.
    package init?(dockerBody body: JSONValue) {
        guard let id = body.filledText("Id") else { return nil }
        let config = body.field("Config") ?? .null
        let name = body.text("Name")
        let path = body.filledText("Path").map { [$0] } ?? []
        let (spec, gap) = Self.spec(body, config)
        self.init(
            id: id, name: name.hasPrefix("/") ? String(name.dropFirst()) : name, spec: spec,
            imageID: body.text("Image"),
            createdAt: WireTime.parse(body.text("Created")) ?? Timestamp(nanosecondsSinceEpoch: 0),
            state: ContainerState(dockerBody: body.field("State") ?? .null), arguments: path + body.texts("Args"),
            environment: config.texts("Env"), workingDirectory: config.text("WorkingDir"),
            user: config.text("User"), hostname: config.text("Hostname"),
            restartCount: Int(body.whole("RestartCount") ?? 0), logPath: body.filledText("LogPath"),
            runtime: body.field("HostConfig")?.text("Runtime") ?? "", execIDs: body.texts("ExecIDs"),
            cgroupPath: body.field("Gantry")?.filledText("CgroupPath"))
        entrypointLength = min(config.texts("Entrypoint").count, arguments.count)
        specGap = gap
        self.spec.addMounts(dockerBody: body)
        places = ContainerPlaces(dockerBody: body)
        let settings = body.field("NetworkSettings")
        ports = NetworkSettingsBody.ports(dockerBody: settings?.field("Ports"))
        networks = NetworkSettingsBody.endpoints(dockerBody: settings?.field("Networks"))
        hasLeftNone = NetworkSettingsBody.hasLeftNone(self.spec.networkMode?.rawValue, dockerBody: settings)
        launch = (body.field("Gantry")?.elements("Launch") ?? []).compactMap { step in
            guard let name = LaunchStep.Name(rawValue: step.text("Step")), let time = WireTime.parse(step.text("Time"))
            else { return nil }
            return LaunchStep(name, at: time)
        }
        if let own = body.field("Gantry")?.field("Environment") {
            self.spec.environment = (own.array ?? []).compactMap(\.string)
        }
    }

    /// Another engine's container may use what these values have no place for; what can be read is shown then.
    private static func spec(_ body: JSONValue, _ config: JSONValue) -> (ContainerSpec, gap: String?) {
        let host = BodyReader(PodmanHostConfig.asked(body.field("HostConfig") ?? .null))
        let spec: ContainerSpec
        do throws(EngineError) { spec = try ContainerSpec(config: BodyReader(config), host: host) } catch {
            return (partialSpec(body, config, host), error.message)
        }
        var warnings: [String] = []
        do throws(EngineError) {
            try UnofferedFields.check(config: BodyReader(config), host: host, warnings: &warnings)
            return (spec, nil)
        } catch { return (spec, error.message) }
    }

    private static func partialSpec(_ body: JSONValue, _ config: JSONValue, _ host: BodyReader) -> ContainerSpec {
        var spec = ContainerSpec(image: config.text("Image"))
        spec.tty = config.flag("Tty")
        spec.openStdin = config.flag("OpenStdin")
        spec.labels = config.textMap("Labels")
        spec.environment = config.texts("Env")
        spec.command = config.field("Cmd")?.array?.compactMap(\.string)
        spec.entrypoint = config.field("Entrypoint")?.array?.compactMap(\.string)
        spec.mounts = body.elements("Mounts").compactMap { MountSpec(dockerMountPoint: $0) }
        spec.privileged = host.value.flag("Privileged")
        spec.autoRemove = host.value.flag("AutoRemove")
        // Each by itself: it is perhaps not what could not be read.
        if let limits = try? ResourceLimits(dockerBody: host) { spec.limits = limits }
        // As above.
        if let policy = try? RestartPolicy(dockerBody: host.object("RestartPolicy")) { spec.restartPolicy = policy }
        return spec
    }
}

extension ContainerPlaces {
    fileprivate init(dockerBody body: JSONValue) {
        self.init()
        resolvConfPath = body.text("ResolvConfPath")
        hostnamePath = body.text("HostnamePath")
        hostsPath = body.text("HostsPath")
        if let driver = body.filledText("Driver") { storageDriver = driver }
        root = body.field("GraphDriver")?.field("Data").flatMap(OverlayPlaces.init(dockerBody:))
        // Each volume is `NAME/_data` below it.
        for mount in body.elements("Mounts") where mount.text("Type") == "volume" {
            let (path, end) = (mount.text("Source"), "/\(mount.text("Name"))/_data")
            if path.hasSuffix(end) { volumesDirectory = String(path.dropLast(end.count)) }
        }
    }
}

extension OverlayPlaces {
    fileprivate init?(dockerBody data: JSONValue) {
        guard let upper = data.filledText("UpperDir") else { return nil }
        let lower = data.text("LowerDir").split(separator: ":").map(String.init)
        self.init(lower: lower, upper: upper, work: data.text("WorkDir"), merged: data.text("MergedDir"))
    }

    /// docker's `GraphDriver.Data`.
    fileprivate var dockerBody: JSONValue {
        [
            "LowerDir": .string(lower.joined(separator: ":")), "MergedDir": .string(merged), "UpperDir": .string(upper),
            "WorkDir": .string(work),
        ]
    }
}
