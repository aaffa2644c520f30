import EngineAPI

extension ContainerSummary {
    /// The published ports, each once: `8080:80 5353:53/udp`.
    var portText: String {
        var seen: Set<String> = []
        return ports.filter { $0.hostPort != 0 }.sorted { ($0.hostPort, $0.port) < ($1.hostPort, $1.port) }
            .map { "\($0.hostPort):\($0.port.number)" + ($0.port.transport == .tcp ? "" : "/\($0.port.transport)") }
            .filter { seen.insert($0).inserted }.joined(separator: " ")
    }

    /// Where the published ports of streams are reached from this machine, each once.
    var portAddresses: [String] {
        var seen: Set<String> = []
        return ports.filter { $0.hostPort != 0 && $0.port.transport == .tcp }.sorted { $0.port < $1.port }
            .map { mapping in
                let isAny = ["", "0.0.0.0", "::"].contains(mapping.hostAddress)
                let host = isAny ? "127.0.0.1" : mapping.hostAddress
                return (host.contains(":") ? "[\(host)]" : host) + ":\(mapping.hostPort)"
            }
            .filter { seen.insert($0).inserted }
    }
}
