/// How a container is asked whether it does well: docker's `Healthcheck`. Nil means the image's word, or docker's default.
public struct HealthCheck: Hashable, Sendable, Codable {
    /// `["NONE"]`, `["CMD", program, argument, …]` or `["CMD-SHELL", line]`; empty: the image's.
    public var test: [String]
    /// From the end of one check to the next; 30 s by default.
    public var interval: Duration?
    /// 30 s by default.
    public var timeout: Duration?
    /// Failures in so long after the start do not count.
    public var startPeriod: Duration?
    /// The interval during the start period; 5 s by default.
    public var startInterval: Duration?
    /// After so many failures in a row it is unhealthy; 3 by default.
    public var retries: Int?

    public init(test: [String] = []) { self.test = test }
}

/// What health checks have found.
public struct HealthState: Hashable, Sendable, Codable {
    public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
        /// Nobody checks.
        case none
        case starting, healthy, unhealthy
    }

    public var status: Status
    /// Failures since the last success.
    public var failingStreak: Int
    /// The last five, the oldest first.
    public var log: [HealthResult]

    public init(status: Status = .starting, failingStreak: Int = 0, log: [HealthResult] = []) {
        self.status = status
        self.failingStreak = failingStreak
        self.log = log
    }
}

/// One check.
public struct HealthResult: Hashable, Sendable, Codable {
    public var start: Timestamp
    public var end: Timestamp
    /// 0: it does well; -1: the check took too long or could not be made.
    public var exitCode: Int32
    /// The first 4 KiB of what it wrote.
    public var output: String

    public init(start: Timestamp, end: Timestamp, exitCode: Int32, output: String) {
        self.start = start
        self.end = end
        self.exitCode = exitCode
        self.output = output
    }
}
