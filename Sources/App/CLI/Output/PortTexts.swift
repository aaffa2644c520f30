import EngineAPI

/// The `PORTS` of a list: `0.0.0.0:8080->80/tcp`.
enum PortTexts {
    static func text(_ ports: [PortMapping]) -> String {
        ports.sorted { ($0.port, $0.hostAddress) < ($1.port, $1.hostAddress) }.map { mapping in
            guard mapping.hostPort != 0 else { return mapping.port.description }
            return "\(host(mapping))->\(mapping.port)"
        }.joined(separator: ", ")
    }

    static func host(_ mapping: PortMapping) -> String {
        mapping.hostAddress.contains(":")
            ? "[\(mapping.hostAddress)]:\(mapping.hostPort)" : "\(mapping.hostAddress):\(mapping.hostPort)"
    }
}
