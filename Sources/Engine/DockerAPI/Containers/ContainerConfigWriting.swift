import EngineAPI
import JSON

extension ContainerSpec {
    /// The body of `POST /containers/create`.
    package var dockerCreateBody: JSONValue {
        var asked = self
        // Whoever asks for a mount that an engine came to by itself means that very one.
        for place in mounts.indices { asked.mounts[place].addition = nil }
        var body = dockerConfig
        var host = asked.dockerHostConfig
        host["LogConfig"] = log.askedBody
        body["HostConfig"] = .object(host)
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

    /// docker's `HostConfig`: what was asked for.
    var dockerHostConfig: JSONObject {
        let asked = mounts.filter { $0.addition != .whole }
        let binds = asked.filter(\.isBindText).map(\.bindText)
        var host = JSONObject([
            ("Binds", .texts(binds.isEmpty ? nil : binds)),
            ("VolumesFrom", volumesFrom.isEmpty ? .null : .texts(volumesFrom)),
            ("VolumeDriver", .string(volumeDriver ?? "")),
            ("ContainerIDFile", ""), ("LogConfig", log.dockerBody),
            ("NetworkMode", .string(networkMode?.rawValue ?? "default")),
            ("RestartPolicy", restartPolicy.dockerBody), ("AutoRemove", .bool(autoRemove)),
            ("CapAdd", .texts(addedCapabilities.isEmpty ? nil : addedCapabilities)),
            ("CapDrop", .texts(droppedCapabilities.isEmpty ? nil : droppedCapabilities)),
            ("GroupAdd", .texts(supplementaryGroups.isEmpty ? nil : supplementaryGroups)),
            ("Links", links.isEmpty ? .null : .texts(links.map(\.text))),
            ("OomScoreAdj", .count(oomScoreAdjustment ?? 0)), ("Privileged", .bool(privileged)),
            ("ReadonlyRootfs", .bool(readOnlyRoot)),
            ("ShmSize", .integer(shmSizeBytes ?? 0)), ("ConsoleSize", consoleSize?.dockerBody ?? [0, 0]),
        ])
        if !sysctls.isEmpty { host["Sysctls"] = .textMap(sysctls) }
        let tmpfs = asked.filter { $0.isShort && $0.kind == .tmpfs }.map { mount in
            (mount.target, JSONValue.string(mount.options.joined(separator: ",")))
        }
        if !tmpfs.isEmpty { host["Tmpfs"] = .object(JSONObject(tmpfs)) }
        let plain = asked.filter { !$0.isShort }.map(\.dockerMount)
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
    fileprivate var isBindText: Bool { isShort && kind != .tmpfs }

    /// `source:target[:options]`; the target alone of a volume without a name.
    fileprivate var bindText: String {
        let isNamed = !source.isEmpty && addition != .source
        return isNamed ? "\(source):\(target)" + (bindMode.isEmpty ? "" : ":\(bindMode)") : target
    }

    /// As it was said, unless it was changed since.
    private var bindMode: String {
        guard let shortMode else { return plainMode }
        let said = Set(shortMode.split(separator: ",").map(String.init))
        return said.subtracting(MountReading.idleModes) == Set(plainModes) ? shortMode : plainMode
    }

    /// The short form's options, without those that have no effect.
    var plainMode: String { plainModes.joined(separator: ",") }

    private var plainModes: [String] {
        (readOnly ? ["ro"] : []) + (noCopy ? ["nocopy"] : []) + (propagation.map { [$0] } ?? [])
    }

    fileprivate var dockerMount: JSONValue {
        var body = JSONObject([("Type", .string(kind.rawValue))])
        if kind != .tmpfs, addition != .source { body["Source"] = .string(source) }
        body["Target"] = .string(target)
        if readOnly { body["ReadOnly"] = true }
        switch kind {
        case .bind:
            var options = JSONObject()
            if let propagation { options["Propagation"] = .string(propagation) }
            if createsSource { options["CreateMountpoint"] = true }
            if isNonRecursive { options["NonRecursive"] = true }
            if readOnlyDepth == .top { options["ReadOnlyNonRecursive"] = true }
            if readOnlyDepth == .all { options["ReadOnlyForceRecursive"] = true }
            if !options.isEmpty { body["BindOptions"] = .object(options) }
        case .volume:
            var options = JSONObject()
            if noCopy { options["NoCopy"] = true }
            if let subpath { options["Subpath"] = .string(subpath) }
            if !volumeLabels.isEmpty { options["Labels"] = .textMap(volumeLabels) }
            if volumeDriver != nil || !volumeOptions.isEmpty {
                options["DriverConfig"] = ["Name": .string(volumeDriver ?? ""), "Options": .textMap(volumeOptions)]
            }
            if !options.isEmpty { body["VolumeOptions"] = .object(options) }
        case .image:
            if let subpath { body["ImageOptions"] = ["Subpath": .string(subpath)] }
        case .tmpfs:
            let options = tmpfsOptions
            if !options.isEmpty { body["TmpfsOptions"] = .object(options) }
        }
        return .object(body)
    }

    /// A size and a mode have members of their own, where they are written as such.
    private var tmpfsOptions: JSONObject {
        var body = JSONObject()
        var others: [JSONValue] = []
        for option in options {
            let words = option.split(separator: "=", maxSplits: 1).map(String.init)
            if words.count == 2, words[0] == "size", let bytes = Int64(words[1]) {
                body["SizeBytes"] = .integer(bytes)
            } else if words.count == 2, words[0] == "mode", let mode = Int64(words[1], radix: 8) {
                body["Mode"] = .integer(mode)
            } else {
                others.append(.texts(words))
            }
        }
        if !others.isEmpty { body["Options"] = .array(others) }
        return body
    }

    /// An entry of the `Mounts` of lists and inspections.
    ///
    /// - Parameter volumes: the directory of the volumes; empty where it is not known.
    func dockerMountPoint(volumes: String) -> JSONValue {
        var body = JSONObject([
            ("Type", .string(kind.rawValue)), ("Source", .string(source)), ("Destination", .string(target)),
            ("Mode", .string(mountPointMode)), ("RW", .bool(!readOnly)),
            ("Propagation", .string(kind == .bind ? propagation ?? "rprivate" : "")),
        ])
        if kind == .volume {
            body["Name"] = .string(source)
            if !volumes.isEmpty { body["Source"] = .string("\(volumes)/\(source)/_data") }
            body["Driver"] = "local"
        }
        return .object(body)
    }

    /// As docker: what was said after the second colon, and `z` for a volume that was asked for without a word.
    private var mountPointMode: String {
        let said = isShort && addition != .whole ? bindMode : ""
        return switch kind {
        case .bind: said
        case .volume: said.isEmpty && addition != .whole ? "z" : said
        case .image, .tmpfs: ""
        }
    }

    init?(dockerMountPoint body: JSONValue) {
        let kind = Kind(rawValue: body.text("Type")) ?? .bind
        guard let target = body.filledText("Destination") else { return nil }
        self.init(kind, source: kind == .volume ? body.text("Name") : body.text("Source"), target: target)
        readOnly = body.field("RW")?.bool == false
        propagation = body.filledText("Propagation")
    }
}

extension ContainerSpec {
    /// Adds to what was asked for, from an inspection, what the engine came to by itself: volumes' names, and mounts that
    /// the image or another container has brought.
    mutating func addMounts(dockerBody body: JSONValue) {
        for var mount in body.elements("Mounts").compactMap({ MountSpec(dockerMountPoint: $0) }) {
            if let place = mounts.firstIndex(where: { $0.target == mount.target }) {
                guard mounts[place].kind == .volume, mounts[place].source.isEmpty else { continue }
                (mounts[place].source, mounts[place].addition) = (mount.source, .source)
            } else {
                mount.addition = .whole
                mounts.append(mount)
            }
        }
    }
}

extension LogPolicy {
    fileprivate var dockerBody: JSONValue {
        var config = words ?? options
        guard words == nil else { return body(config) }
        // What is kept of lines that go elsewhere has options of its own names.
        let prefix = driver.sendsLines ? "cache-" : ""
        if keepsFiles {
            if let maximumSizeBytes { config["\(prefix)max-size"] = String(maximumSizeBytes) }
            if maximumFiles != 1 { config["\(prefix)max-file"] = String(maximumFiles) }
            if let compresses { config["\(prefix)compress"] = String(compresses) }
        } else if driver.sendsLines {
            config["cache-disabled"] = "true"
        }
        return body(config)
    }

    /// What a creation asks for: nothing, where it is left to the engine.
    fileprivate var askedBody: JSONValue {
        guard !isLeftToEngine else { return ["Type": "", "Config": [:]] }
        guard namesDriver != true, let words else { return dockerBody }
        return ["Type": "", "Config": .textMap(words)]
    }

    private func body(_ config: [String: String]) -> JSONValue {
        ["Type": .string(driver.rawValue), "Config": .textMap(config)]
    }
}
