/// How a transfer goes on after a break. Pure.
///
/// A transfer that gets on may break as often as it likes; one that does not gives up as the retry plan says.
package struct ResumePlan: Hashable, Sendable {
    private let plan: RetryPlan
    private var failures = 0
    /// The furthest that it was at a break: to come there again is no getting on.
    private var furthestOffset: Int64 = 0
    /// Less than this is no getting on: a server that sends a byte at a time would keep us for ever.
    private static let progressBytes: Int64 = 1 << 20

    package init(_ plan: RetryPlan) { self.plan = plan }

    /// The wait before the next attempt; nil to give up.
    package mutating func broke(at offset: Int64, chance: Double) -> Duration? {
        if offset - furthestOffset >= Self.progressBytes { failures = 0 }
        furthestOffset = max(furthestOffset, offset)
        failures += 1
        return plan.delay(afterFailures: failures, retryAfter: nil, chance: chance)
    }
}

/// `Content-Range: bytes FIRST-LAST/WHOLE` (RFC 9110, section 14.4).
package struct ContentRange: Hashable, Sendable {
    package var first: Int64
    package var last: Int64

    package init?(_ field: String) {
        guard field.hasPrefix("bytes ") else { return nil }
        let range = field.dropFirst(6).prefix { $0 != "/" }.split(separator: "-", omittingEmptySubsequences: false)
        guard range.count == 2, let first = Int64(range[0]), let last = Int64(range[1]), first >= 0, last >= first
        else { return nil }
        self.first = first
        self.last = last
    }
}
