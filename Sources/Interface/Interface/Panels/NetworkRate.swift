import EngineAPI

/// What goes through a device of a container in a second.
struct NetworkRate: Hashable, Sendable {
    var receivedBytes = 0.0
    var sentBytes = 0.0

    static func + (left: NetworkRate, right: NetworkRate) -> NetworkRate {
        NetworkRate(
            receivedBytes: left.receivedBytes + right.receivedBytes, sentBytes: left.sentBytes + right.sentBytes)
    }
}

extension NetworkRate {
    /// By device; none where the samples do not follow one another. A device that has just come has no rate yet.
    static func rates(_ sample: ContainerStats, since earlier: ContainerStats) -> [String: NetworkRate] {
        let seconds = Double(sample.time.nanoseconds(since: earlier.time)) / 1e9
        guard seconds > 0 else { return [:] }
        var rates: [String: NetworkRate] = [:]
        for (device, now) in sample.networks {
            guard let before = earlier.networks[device], now.receivedBytes >= before.receivedBytes,
                now.sentBytes >= before.sentBytes
            else { continue }
            rates[device] = NetworkRate(
                receivedBytes: Double(now.receivedBytes - before.receivedBytes) / seconds,
                sentBytes: Double(now.sentBytes - before.sentBytes) / seconds)
        }
        return rates
    }
}
