/// Whether and when a request is made again. Pure: time and chance come from outside.
package struct RetryPlan: Hashable, Sendable {
    package var attempts: Int
    package var firstDelay: Duration = .milliseconds(250)
    package var longestDelay: Duration = .seconds(30)
    /// A server that asks for more patience than this is not waited for.
    package var longestWait: Duration = .seconds(120)

    package init(attempts: Int) { self.attempts = max(1, attempts) }

    /// How long to wait before the next attempt; nil to give up.
    ///
    /// - Parameters:
    ///   - failed: how many attempts have failed.
    ///   - retryAfter: what the server asked for.
    ///   - chance: from 0 to 1; spreads clients that failed together over the second half of the delay.
    package func delay(afterFailures failed: Int, retryAfter: Duration?, chance: Double) -> Duration? {
        guard failed < attempts else { return nil }
        if let retryAfter { return retryAfter <= longestWait ? retryAfter : nil }
        let doublings = min(failed - 1, 16)
        let delay = min(firstDelay * (1 << max(0, doublings)), longestDelay)
        return delay / 2 + (delay / 2) * min(max(chance, 0), 1)
    }

    /// The answers after which the same request may have another one.
    static func isPassing(_ status: Int) -> Bool { [408, 425, 429, 500, 502, 503, 504].contains(status) }

    /// The seconds of a `Retry-After` field; nil for none, and for its form as a date, which no registry sends.
    static func retryAfter(_ field: String?) -> Duration? {
        guard let seconds = field.flatMap({ Int64($0) }), seconds >= 0 else { return nil }
        return .seconds(min(seconds, 1 << 32))
    }
}
