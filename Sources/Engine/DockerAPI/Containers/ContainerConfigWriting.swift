import EngineAPI
import JSON

extension ContainerSpec {
    /// The body of `POST /containers/create`.
    package var dockerCreateBody: JSONValue {
        var body = dockerConfig
        // Docker's bodies say "as the image" with null, and "none" with one empty word.
        body["Entrypoint"] = entrypoint.map { .texts($0.isEmpty ? [""] : $0) } ?? .null
        body["HostConfig"] = .object(dockerHostConfig)
        body["ExposedPorts"] = dockerExposedPorts
        if !networks.isEmpty { body["NetworkingConfig"] = dockerNetworkingConfig }
        return .object(body)
    }

    /// docker's `Config`.
    var dockerConfig: JSONObject {
        var config = JSONObject([
            ("Hostname", .string(hostname ?? "")), ("Domainname", .string(domainname ?? "")),
            ("User", .string(user ?? "")), ("AttachStdin", .bool(attachStdin)), ("AttachStdout", .bool(attachStdout)),
            ("AttachStderr", .bool(attachStderr)), ("Tty", .bool(tty)), ("OpenStdin", .bool(openStdin)),
            ("StdinOnce", .bool(stdinOnce)), ("Env", .texts(environment)), ("Cmd", .texts(command)),
            ("Image", .string(image)),
            (
                "Volumes",
                anonymousVolumes.isEmpty ? .null : .object(JSONObject(anonymousVolumes.map { ($0, [:]) }))
            ), ("WorkingDir", .string(workingDirectory ?? "")),
            ("Entrypoint", .texts(entrypoint)), ("OnBuild", .null), ("Labels", .textMap(labels)),
        ])
        if let healthCheck { config["Healthcheck"] = healthCheck.dockerBody }
        if let stopSignal { config["StopSignal"] = .string(stopSignal) }
        if let stopTimeoutSeconds { config["StopTimeout"] = .count(stopTimeoutSeconds) }
        return config
    }

    /// docker's `HostConfig`.
    var dockerHostConfig: JSONObject {
        var host = JSONObject([
            ("Binds", .texts(mounts.filter(\.isBindText).map(\.bindText))),
            ("VolumesFrom", volumesFrom.isEmpty ? .null : .texts(volumesFrom)),
            ("ContainerIDFile", ""), ("LogConfig", log.dockerBody),
            ("NetworkMode", .string(networkMode?.rawValue ?? "default")),
            ("RestartPolicy", restartPolicy.dockerBody), ("AutoRemove", .bool(autoRemove)),
            ("CapAdd", .texts(addedCapabilities.isEmpty ? nil : addedCapabilities)),
            ("CapDrop", .texts(droppedCapabilities.isEmpty ? nil : droppedCapabilities)),
            ("GroupAdd", .texts(supplementaryGroups)), ("Links", .null),
            ("OomScoreAdj", .count(oomScoreAdjustment ?? 0)), ("Privileged", .bool(privileged)),
            ("ReadonlyRootfs", .bool(readOnlyRoot)),
            ("ShmSize", .integer(shmSizeBytes ?? 0)), ("Sysctls", .textMap(sysctls)),
        ])
        let plain = mounts.filter { !$0.isBindText }.map(\.dockerMount)
        if !plain.isEmpty { host["Mounts"] = .array(plain) }
        for (name, value) in limits.dockerMembers + dockerSharing + dockerNetworkMembers { host[name] = value }
        host["Ulimits"] =
            ulimits.isEmpty
            ? .null
            : .array(
                ulimits.map { ["Name": .string($0.name), "Soft": .integer($0.soft), "Hard": .integer($0.hard)] })
        return host
    }
}

extension MountSpec {
    /// Whether it is said in docker's short form, which makes what is not there.
    fileprivate var isBindText: Bool { kind == .bind && createsSource }

    /// `source:target[:options]`
    fileprivate var bindText: String {
        let options = (readOnly ? ["ro"] : []) + (propagation.map { [$0] } ?? [])
        return "\(source):\(target)" + (options.isEmpty ? "" : ":" + options.joined(separator: ","))
    }

    fileprivate var dockerMount: JSONValue {
        var body = JSONObject([("Type", .string(kind.rawValue))])
        if kind != .tmpfs { body["Source"] = .string(source) }
        body["Target"] = .string(target)
        if readOnly { body["ReadOnly"] = true }
        switch kind {
        case .bind: if let propagation { body["BindOptions"] = ["Propagation": .string(propagation)] }
        case .volume:
            var options = JSONObject()
            if noCopy { options["NoCopy"] = true }
            if !volumeLabels.isEmpty { options["Labels"] = .textMap(volumeLabels) }
            if volumeDriver != nil || !volumeOptions.isEmpty {
                options["DriverConfig"] = ["Name": .string(volumeDriver ?? ""), "Options": .textMap(volumeOptions)]
            }
            if !options.isEmpty { body["VolumeOptions"] = .object(options) }
        case .tmpfs:
            let list = options.map { option in
                JSONValue.texts(option.split(separator: "=", maxSplits: 1).map(String.init))
            }
            if !list.isEmpty { body["TmpfsOptions"] = ["Options": .array(list)] }
        }
        return .object(body)
    }

    /// An entry of the `Mounts` of lists and inspections.
    var dockerMountPoint: JSONValue {
        var body = JSONObject([
            ("Type", .string(kind.rawValue)), ("Source", .string(source)), ("Destination", .string(target)),
            ("Mode", .string(options.joined(separator: ","))), ("RW", .bool(!readOnly)),
            ("Propagation", .string(kind == .bind ? propagation ?? "rprivate" : "")),
        ])
        if kind == .volume {
            body["Name"] = .string(source)
            body["Driver"] = "local"
        }
        return .object(body)
    }

    init?(dockerMountPoint body: JSONValue) {
        let kind = Kind(rawValue: body.text("Type")) ?? .bind
        guard let target = body.filledText("Destination") else { return nil }
        self.init(kind, source: kind == .volume ? body.text("Name") : body.text("Source"), target: target)
        readOnly = body.field("RW")?.bool == false
        propagation = body.filledText("Propagation")
    }
}

extension LogPolicy {
    fileprivate var dockerBody: JSONValue {
        var config = options
        if let maximumSizeBytes { config["max-size"] = String(maximumSizeBytes) }
        if maximumFiles != 1 { config["max-file"] = String(maximumFiles) }
        if let compresses { config["compress"] = String(compresses) }
        return ["Type": .string(driver.rawValue), "Config": .textMap(config)]
    }
}
