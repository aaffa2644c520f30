import EngineAPI
import JSON

extension ContainerState {
    /// docker's `State` of an inspection.
    var dockerBody: JSONValue {
        var body = plainBody
        if let health { body["Health"] = health.dockerBody }
        return .object(body)
    }

    private var plainBody: JSONObject {
        JSONObject([
            ("Status", .string(status.rawValue)), ("Running", .bool(isActive)), ("Paused", .bool(status == .paused)),
            ("Restarting", .bool(status == .restarting)), ("OOMKilled", .bool(oomKilled)),
            ("Dead", .bool(status == .dead)), ("Pid", .integer(Int64(pid))), ("ExitCode", .integer(Int64(exitCode))),
            ("Error", .string(error)), ("StartedAt", .string(WireTime.text(startedAt))),
            ("FinishedAt", .string(WireTime.text(finishedAt))),
        ])
    }

    init(dockerBody body: JSONValue) {
        self.init(status: Self.status(body.text("Status").lowercased()))
        pid = Int32(clamping: body.whole("Pid") ?? 0)
        exitCode = Int32(clamping: body.whole("ExitCode") ?? 0)
        oomKilled = body.flag("OOMKilled")
        error = body.text("Error")
        startedAt = WireTime.parse(body.text("StartedAt"))
        finishedAt = WireTime.parse(body.text("FinishedAt"))
        health = body.field("Health").flatMap { HealthState(dockerBody: $0) }
    }

    /// The status of that name; podman's further names are the nearest of docker's.
    static func status(_ name: String) -> ContainerStatus {
        switch name {
        case "initialized", "configured": .created
        case "stopped": .exited
        case "stopping": .running
        default: ContainerStatus(rawValue: name) ?? .dead
        }
    }
}

extension WaitResult {
    /// The answer of `POST /containers/{id}/wait`.
    package var dockerBody: JSONValue {
        var body = JSONObject([("StatusCode", .integer(Int64(exitCode)))])
        if let error { body["Error"] = ["Message": .string(error)] }
        return .object(body)
    }

    /// Nil where the body has no exit code.
    package init?(dockerBody body: JSONValue) {
        guard let code = body.whole("StatusCode") else { return nil }
        self.init(exitCode: Int32(clamping: code), error: body.field("Error")?.filledText("Message"))
    }
}
