import EngineAPI
import JSON
import OCI

extension ImageExecution {
    /// How containers of the image are asked whether they do well.
    package var healthCheck: HealthCheck? { other["Healthcheck"].flatMap { HealthCheck(imageMember: $0) } }
}

extension HealthCheck {
    /// As an image's configuration has it.
    package var imageMember: JSONValue {
        var object = JSONObject([("Test", .array(test.map { .string($0) }))])
        let durations = [
            ("Interval", interval), ("Timeout", timeout), ("StartPeriod", startPeriod),
            ("StartInterval", startInterval),
        ]
        for (name, duration) in durations {
            guard let (seconds, rest) = duration?.components else { continue }
            object[name] = .integer(seconds * 1_000_000_000 + rest / 1_000_000_000)
        }
        object["Retries"] = retries.map { .integer(Int64($0)) }
        return .object(object)
    }

    /// docker's member of an image's configuration; times are in nanoseconds. What makes no sense there is passed over,
    /// as docker passes over it.
    package init?(imageMember json: JSONValue) {
        let words = (json["Test"]?.array ?? []).compactMap(\.string)
        guard !words.isEmpty else { return nil }
        self.init(test: words)
        func duration(_ name: String) -> Duration? {
            json[name]?.integer.flatMap { $0 > 0 ? .nanoseconds($0) : nil }
        }
        interval = duration("Interval")
        timeout = duration("Timeout")
        startPeriod = duration("StartPeriod")
        startInterval = duration("StartInterval")
        retries = json["Retries"]?.integer.map { Int(clamping: $0) }
    }
}
