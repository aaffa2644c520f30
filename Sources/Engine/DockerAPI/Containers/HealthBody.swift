import EngineAPI
import JSON

extension HealthCheck {
    /// Reads docker's `Healthcheck`; nil for one that says nothing. Go's zero means "not said".
    init?(dockerBody body: BodyReader) throws(EngineError) {
        self.init(test: try body.words("Test") ?? [])
        interval = try Self.duration(body, "Interval")
        timeout = try Self.duration(body, "Timeout")
        startPeriod = try Self.duration(body, "StartPeriod")
        startInterval = try Self.duration(body, "StartInterval")
        retries = try body.filledWhole("Retries").map { Int(clamping: $0) }
        if self == HealthCheck() { return nil }
    }

    private static func duration(_ body: BodyReader, _ name: String) throws(EngineError) -> Duration? {
        try body.filledWhole(name).map { .nanoseconds($0) }
    }

    package var dockerBody: JSONValue {
        var body = JSONObject()
        if !test.isEmpty { body["Test"] = .texts(test) }
        let durations = [
            ("Interval", interval), ("Timeout", timeout), ("StartPeriod", startPeriod),
            ("StartInterval", startInterval),
        ]
        for (name, value) in durations { if let value { body[name] = .integer(value.wholeNanoseconds) } }
        if let retries { body["Retries"] = .count(retries) }
        return .object(body)
    }
}

extension Duration {
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedSaturated(by: 1_000_000_000).addingSaturated(attoseconds / 1_000_000_000)
    }
}

extension HealthState {
    /// docker's `State.Health`.
    var dockerBody: JSONValue {
        [
            "Status": .string(status.rawValue), "FailingStreak": .count(failingStreak),
            "Log": .array(
                log.map { result in
                    [
                        "Start": .string(WireTime.text(result.start)), "End": .string(WireTime.text(result.end)),
                        "ExitCode": .integer(Int64(result.exitCode)), "Output": .string(result.output),
                    ]
                }),
        ]
    }

    init?(dockerBody body: JSONValue) {
        guard let status = Status(rawValue: body.text("Status")), status != .none else { return nil }
        self.init(
            status: status, failingStreak: Int(body.whole("FailingStreak") ?? 0),
            log: body.elements("Log").compactMap { entry in
                guard let start = WireTime.parse(entry.text("Start")), let end = WireTime.parse(entry.text("End"))
                else { return nil }
                return HealthResult(
                    start: start, end: end, exitCode: Int32(clamping: entry.whole("ExitCode") ?? 0),
                    output: entry.text("Output"))
            })
    }
}
