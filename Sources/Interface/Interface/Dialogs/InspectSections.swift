import EngineAPI

extension InspectScreen {
    /// Each step with when it was done, counted from its request, what it took, and that as a bar.
    static func launch(_ steps: [LaunchStep]) -> [(name: String, value: String)] {
        var requested: Timestamp?
        let longest = steps.indices.compactMap { steps.duration(at: $0) }.max() ?? .zero
        return steps.indices.map { index in
            let step = steps[index]
            let words = step.name.rawValue.split(separator: "-").joined(separator: " ")
            guard let took = steps.duration(at: index), let begun = requested else {
                requested = step.time
                return (words, step.time.rfc3339Nano)
            }
            let since = Duration.nanoseconds(step.time.nanosecondsSinceEpoch - begun.nanosecondsSinceEpoch)
            let share = longest > .zero ? took / longest : 0
            let bar = String(repeating: "█", count: max(took > .zero ? 1 : 0, Int((share * 24).rounded())))
            return (words, "\(milliseconds(since)) ms  +\(milliseconds(took)) ms  \(bar)")
        }
    }

    /// What is checked and how it went, the newest check first.
    static func health(_ health: HealthState?, _ check: HealthCheck?) -> [(name: String, value: String)] {
        guard let health, health.status != .none else { return [] }
        var entries = [("status", health.status.rawValue), ("failures in a row", "\(health.failingStreak)")]
        if let check { entries += command(check) }
        for check in health.log.reversed() {
            let output = check.output.split(whereSeparator: \.isNewline).joined(separator: " ⏎ ")
            entries.append((check.end.rfc3339Nano, "\(check.exitCode)" + (output.isEmpty ? "" : ": \(output)")))
        }
        return entries
    }

    static func command(_ check: HealthCheck) -> [(String, String)] {
        guard let kind = check.test.first else { return [] }
        let words = check.test.dropFirst()
        let line = kind == "CMD-SHELL" ? words.joined(separator: " ") : words.map(quoted).joined(separator: " ")
        func time(_ duration: Duration?) -> String {
            Quantity.duration(duration.flatMap { $0 > .zero ? $0 : nil } ?? .seconds(30))
        }
        var rhythm = "every \(time(check.interval)), fails after \(time(check.timeout))"
        rhythm += ", unhealthy after \(check.retries.flatMap { $0 > 0 ? $0 : nil } ?? 3) in a row"
        return [("check", line), ("rhythm", rhythm)]
    }

    static func ports(_ ports: [PortMapping]) -> [(name: String, value: String)] {
        ports.map { mapping in
            let host = mapping.hostAddress.contains(":") ? "[\(mapping.hostAddress)]" : mapping.hostAddress
            let place = mapping.hostPort == 0 ? "not published" : "\(host):\(mapping.hostPort)"
            return ("\(mapping.port.number)/\(mapping.port.transport)", place)
        }
    }

    /// A network, with its facts below it.
    static func endpoint(_ endpoint: EndpointDetails) -> [(name: String, value: String)] {
        func address(_ text: String, _ prefix: Int) -> String { text.isEmpty ? "" : "\(text)/\(prefix)" }
        let facts = [
            ("  address", address(endpoint.ipv4Address, endpoint.ipv4PrefixLength)), ("  gateway", endpoint.gateway),
            ("  IPv6 address", address(endpoint.ipv6Address, endpoint.ipv6PrefixLength)),
            ("  IPv6 gateway", endpoint.ipv6Gateway), ("  MAC", endpoint.macAddress),
            ("  names", endpoint.dnsNames.joined(separator: " ")),
        ]
        return [(endpoint.networkName, endpoint.endpointID.isEmpty ? "not joined now" : "joined")]
            + facts.filter { !$0.1.isEmpty }.map { (name: $0.0, value: $0.1) }
    }

    /// Labels or options, by name.
    static func pairs(_ pairs: [String: String]) -> [(name: String, value: String)] {
        pairs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// In eight columns at least, so that they stand below one another.
    private static func milliseconds(_ duration: Duration) -> String {
        let tenths = Int64((duration / .milliseconds(1) * 10).rounded())
        return Quantity.right("\(tenths / 10).\(abs(tenths % 10))", 6)
    }
}
