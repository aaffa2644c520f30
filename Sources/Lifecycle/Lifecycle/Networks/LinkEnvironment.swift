import EngineAPI

/// A container that another is linked to, as it runs now.
struct LinkedContainer: Hashable, Sendable {
    var alias: String
    /// Without a slash.
    var name: String
    var hostname: String
    /// In the default network.
    var address: String
    /// The ports that it serves.
    var ports: [ContainerPort]
    /// `NAME=value`
    var environment: [String]

    /// What /etc/hosts calls it.
    var hostNames: [String] { [alias, hostname] + (alias == name ? [] : [name]) }

    /// The variables by which docker tells of a link, in docker's order.
    ///
    /// - Parameter owner: the name of the container that is linked.
    func variables(owner: String) -> [String] {
        let prefix = alias.uppercased().replacing("-", with: "_")
        var result: [String] = []
        if let first = ports.min(by: Self.isFirst) {
            result.append("\(prefix)_PORT=\(url(first))")
        }
        for run in Self.runs(ports) {
            let base = base(prefix, run.lowerBound)
            result.append("\(base)_START=\(url(run.lowerBound))")
            result += parts(base, run.lowerBound, portSuffix: "_START")
            result += ["\(base)_END=\(url(run.upperBound))", "\(base)_PORT_END=\(run.upperBound.number)"]
        }
        for port in ports.sorted(by: Self.isBefore) {
            let base = base(prefix, port)
            result.append("\(base)=\(url(port))")
            result += parts(base, port, portSuffix: "")
        }
        result.append("\(prefix)_NAME=/\(owner)/\(alias)")
        for variable in environment where variable.contains("=") {
            // What every image sets says nothing of this one.
            if variable.hasPrefix("HOME=") || variable.hasPrefix("PATH=") { continue }
            result.append("\(prefix)_ENV_\(variable)")
        }
        return result
    }

    private func base(_ prefix: String, _ port: ContainerPort) -> String {
        "\(prefix)_PORT_\(port.number)_\(port.transport.rawValue.uppercased())"
    }

    private func url(_ port: ContainerPort) -> String { "\(port.transport.rawValue)://\(address):\(port.number)" }

    private func parts(_ base: String, _ port: ContainerPort, portSuffix: String) -> [String] {
        [
            "\(base)_ADDR=\(address)", "\(base)_PORT\(portSuffix)=\(port.number)",
            "\(base)_PROTO=\(port.transport.rawValue)",
        ]
    }

    /// The one that `ALIAS_PORT` names: the lowest number, of tcp where several protocols have it.
    private static func isFirst(_ left: ContainerPort, _ right: ContainerPort) -> Bool {
        left.number == right.number ? isBefore(left, right) : left.number < right.number
    }

    private static func isBefore(_ left: ContainerPort, _ right: ContainerPort) -> Bool {
        guard left.transport != right.transport else { return left.number < right.number }
        if left.transport == .tcp || right.transport == .tcp { return left.transport == .tcp }
        return left.transport.rawValue < right.transport.rawValue
    }

    /// Three or more ports of one protocol that follow on each other.
    private static func runs(_ ports: [ContainerPort]) -> [ClosedRange<ContainerPort>] {
        var runs: [[ContainerPort]] = []
        for port in ports.sorted(by: isBefore) {
            if let last = runs.last?.last, last.transport == port.transport, last.number + 1 == port.number {
                runs[runs.count - 1].append(port)
            } else {
                runs.append([port])
            }
        }
        return runs.compactMap { run in
            guard run.count > 2, let first = run.first, let last = run.last else { return nil }
            return first...last
        }
    }
}
