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
        host["DeviceRequests"] = try gpus.map { [try Self.deviceRequest(gpus: $0)] }
    }

    /// `all`, `2`, or fields such as `driver=nvidia,count=2`: what the client says of GPUs; which there are the engine knows.
    private static func deviceRequest(gpus text: String) throws -> JSONValue {
        var capabilities: [JSONValue] = []
        var request = JSONObject([("Driver", ""), ("Count", -1)])
        let fields: [String]
        do throws(CommaSeparated.Failure) { fields = try CommaSeparated.fields(text) } catch {
            throw UsageError(value: text, of: "--gpus", error.message)
        }
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1).map(String.init)
            let (key, value) = parts.count > 1 ? (parts[0], parts[1]) : ("count", field)
            switch key {
            case "count" where value == "all": break
            case "count":
                guard let count = Int64(value) else {
                    throw UsageError(value: text, of: "--gpus", "count (\(value)) must be an integer or 'all'")
                }
                request["Count"] = .integer(count)
            case "driver": request["Driver"] = .string(value)
            case "device": request["DeviceIDs"] = .array(value.split(separator: ",").map { .string(String($0)) })
            case "capabilities": capabilities = value.split(separator: ",").map { .string(String($0)) }
            case "options": request["Options"] = .string(value)
            default: throw UsageError(value: text, of: "--gpus", "unexpected key '\(key)' in '\(field)'")
            }
        }
        request["Capabilities"] = [.array(capabilities + ["gpu"])]
        return .object(request)
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
                let isBare = !text.isEmpty && text.allSatisfy { $0.isNumber || $0 == "." }
                throw UsageError(
                    value: text, of: option,
                    "time: \(isBare ? "missing unit in" : "invalid") duration \"\(text)\"")
            }
            body[member] = .integer(value)
        }
        body["Retries"] = healthRetries.map { .integer(Int64($0)) }
        return .object(body)
    }
}
