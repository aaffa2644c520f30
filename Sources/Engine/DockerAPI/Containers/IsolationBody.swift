import EngineAPI
import JSON

/// The members of a `HostConfig` that say what a container shares and may use.
extension ContainerSpec {
    mutating func readSharing(_ host: BodyReader) throws(EngineError) {
        annotations = try host.textMap("Annotations")
        usesInit = try host.flag("Init")
        runtime = try host.filledText("Runtime")
        // A security option may have said it already.
        maskedPaths = try host.texts("MaskedPaths") ?? maskedPaths
        readonlyPaths = try host.texts("ReadonlyPaths") ?? readonlyPaths
        deviceRules = try host.texts("DeviceCgroupRules") ?? []
        for element in try host.objects("Devices") {
            let path = try element.text("PathOnHost")
            devices.append(
                DeviceSpec(
                    hostPath: path, containerPath: try element.filledText("PathInContainer") ?? path,
                    permissions: try element.filledText("CgroupPermissions") ?? "rwm"))
        }
        pidMode = try mode(host, "PidMode", ["host", "container", "private"])
        ipcMode = try mode(host, "IpcMode", ["host", "container", "private", "shareable", "none"])
        utsMode = try mode(host, "UTSMode", ["host", "private"])
        userMode = try mode(host, "UsernsMode", ["host"])
        cgroupMode = try mode(host, "CgroupnsMode", ["host", "private"])
        cgroupParent = try host.filledText("CgroupParent")
    }

    /// Nil where the member is absent or empty: as the engine has it.
    private func mode(_ host: BodyReader, _ name: String, _ known: [String]) throws(EngineError) -> NamespaceMode? {
        guard let text = try host.filledText(name) else { return nil }
        let kind = text.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init)
        guard let mode = NamespaceMode(text), let kind, known.contains(kind) else {
            throw EngineError(.invalid, "Invalid \(Self.word(name)) mode: \(text)")
        }
        return mode
    }

    /// In docker's refusals.
    private static func word(_ name: String) -> String {
        name == "UsernsMode" ? "USER" : name.dropLast(4).uppercased()
    }

    mutating func readSecurity(_ option: String) throws(EngineError) {
        let separator = option.firstIndex { $0 == "=" || $0 == ":" }
        let name = separator.map { String(option[..<$0]) } ?? option
        let value = separator.map { String(option[option.index(after: $0)...]) } ?? ""
        switch (name, value) {
        case ("no-new-privileges", ""), ("no-new-privileges", "true"): noNewPrivileges = true
        case ("no-new-privileges", "false"): noNewPrivileges = false
        case ("seccomp", "unconfined"): seccompUnconfined = true
        case ("seccomp", "builtin"): break
        case ("apparmor", _) where !value.isEmpty: appArmorProfile = value
        case ("label", _) where !value.isEmpty: securityLabels.append(value)
        case ("systempaths", "unconfined"): (maskedPaths, readonlyPaths) = ([], [])
        case ("seccomp", _):
            // A client sends the profile's text, not the name of its file.
            guard value.hasPrefix("{") else {
                throw EngineError(.invalid, "opening seccomp profile (\(value.prefix(80))) failed: it is not JSON")
            }
            seccompProfile = value
        case ("systempaths", _):
            throw EngineError(.unsupported, "the security option `\(option.prefix(80))` is not supported yet")
        default: throw EngineError(.invalid, "invalid --security-opt 2: \"\(option.prefix(80))\"")
        }
    }

    /// The members that `readSharing` reads, and the security options.
    var dockerSharing: [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [
            ("CgroupnsMode", .string(cgroupMode?.text ?? "")), ("CgroupParent", .string(cgroupParent ?? "")),
            ("IpcMode", .string(ipcMode?.text ?? "")),
            ("PidMode", .string(pidMode?.text ?? "")), ("UTSMode", .string(utsMode?.text ?? "")),
            ("UsernsMode", .string(userMode?.text ?? "")),
            ("SecurityOpt", .texts(securityOptions.isEmpty ? nil : securityOptions)),
            ("DeviceCgroupRules", .texts(deviceRules.isEmpty ? nil : deviceRules)),
            (
                "Devices",
                .array(
                    devices.map { device in
                        [
                            "PathOnHost": .string(device.hostPath), "PathInContainer": .string(device.containerPath),
                            "CgroupPermissions": .string(device.permissions),
                        ]
                    })
            ),
        ]
        if !annotations.isEmpty { members.append(("Annotations", .textMap(annotations))) }
        if usesInit { members.append(("Init", true)) }
        if let runtime { members.append(("Runtime", .string(runtime))) }
        if let maskedPaths { members.append(("MaskedPaths", .texts(maskedPaths))) }
        if let readonlyPaths { members.append(("ReadonlyPaths", .texts(readonlyPaths))) }
        return members
    }

    private var securityOptions: [String] {
        (noNewPrivileges ? ["no-new-privileges"] : []) + (seccompUnconfined ? ["seccomp=unconfined"] : [])
            + (seccompProfile.map { ["seccomp=\($0)"] } ?? []) + (appArmorProfile.map { ["apparmor=\($0)"] } ?? [])
            + securityLabels.map { "label=\($0)" }
    }
}
