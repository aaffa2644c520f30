import DockerAPI
import EngineAPI
import JSON
import OCI

extension SharingOptions {
    /// Adds what was given to docker's `HostConfig`.
    func add(to host: inout JSONObject) throws {
        if initProcess { host["Init"] = true }
        try check(pid, "--pid: invalid PID mode", takesContainers: true)
        try check(uts, "--uts: invalid UTS mode", takesContainers: false)
        try check(userns, "--userns: invalid USER mode", takesContainers: false)
        host["PidMode"] = pid.map(JSONValue.string)
        host["IpcMode"] = ipc.map(JSONValue.string)
        host["UTSMode"] = uts.map(JSONValue.string)
        host["CgroupnsMode"] = cgroupns.map(JSONValue.string)
        host["UsernsMode"] = userns.map(JSONValue.string)
        host["Runtime"] = runtime.map(JSONValue.string)
        host["DeviceCgroupRules"] = .array(deviceCgroupRule.map(JSONValue.string))
        host["Devices"] = .array(try device.map(Self.device))
    }

    /// The client says it of these, the engine of the others.
    private func check(_ mode: String?, _ words: String, takesContainers: Bool) throws {
        guard let mode, !mode.isEmpty, mode != "host" else { return }
        guard takesContainers, mode.hasPrefix("container:"), mode.utf8.count > 10 else {
            throw UsageError(message: words)
        }
    }

    /// `/dev/a[:/dev/b][:rwm]`
    private static func device(_ text: String) throws -> JSONValue {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw UsageError(message: "invalid device specification: \(text)")
        }
        let source = parts.removeFirst()
        let isAccess = parts.last.map { !$0.hasPrefix("/") && $0.allSatisfy { "rwm".contains($0) } } ?? false
        let access = isAccess ? parts.removeLast() : "rwm"
        guard parts.count <= 1 else { throw UsageError(message: "invalid device specification: \(text)") }
        return [
            "PathOnHost": .string(source), "PathInContainer": .string(parts.first ?? source),
            "CgroupPermissions": .string(access),
        ]
    }
}

extension HealthOptions {
    /// docker's `Healthcheck`; nil where nothing was given.
    func body() throws -> JSONValue? {
        let durations = [
            ("Interval", healthInterval, "--health-interval"), ("Timeout", healthTimeout, "--health-timeout"),
            ("StartPeriod", healthStartPeriod, "--health-start-period"),
            ("StartInterval", healthStartInterval, "--health-start-interval"),
        ]
        let isGiven = healthCmd != nil || healthRetries != nil || durations.contains { $0.1 != nil }
        if noHealthcheck {
            guard !isGiven else { throw UsageError(message: "--no-healthcheck conflicts with --health-* options") }
            return ["Test": ["NONE"]]
        }
        guard isGiven else { return nil }
        var body = JSONObject()
        if let healthCmd, !healthCmd.isEmpty { body["Test"] = ["CMD-SHELL", .string(healthCmd)] }
        for (member, text, option) in durations {
            guard let text else { continue }
            guard let value = GoDuration.nanoseconds(text) else {
                throw UsageError(value: text, of: option, "time: invalid duration \"\(text)\"")
            }
            body[member] = .integer(value)
        }
        body["Retries"] = healthRetries.map { .integer(Int64($0)) }
        return .object(body)
    }
}
