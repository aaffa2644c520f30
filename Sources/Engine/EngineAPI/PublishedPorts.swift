import Linux

/// Which ports of the host lead to which of a container, as `-p` writes it.
public enum PublishedPorts {
    /// Reads `[ADDRESS:][HOSTPORT:]PORT[/PROTOCOL]`, the ports also as ranges.
    ///
    /// - Throws: `invalid`, in docker's words.
    public static func parse(_ text: String) throws(EngineError) -> [PortBinding] {
        let (rest, transport) = try transport(of: text)
        var parts = rest.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let container = range(parts.removeLast()), container.lowerBound > 0 else {
            throw EngineError(.invalid, "invalid containerPort: \(text)")
        }
        let hostText = parts.popLast() ?? ""
        // Of version 6 with or without its brackets: the last two fields are the ports.
        var address = parts.joined(separator: ":")
        if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
        guard address.isEmpty || IPAddress(address) != nil else {
            throw EngineError(.invalid, "invalid IP address: \(address)")
        }
        guard !hostText.isEmpty else {
            return container.map { PortBinding(ContainerPort($0, transport), hostAddress: address) }
        }
        guard let host = range(hostText) else { throw EngineError(.invalid, "invalid hostPort: \(hostText)") }
        // One port of the container and several of the host's: the first that is free.
        if container.count == 1 {
            return [
                PortBinding(
                    ContainerPort(container.lowerBound, transport), hostAddress: address, hostPort: host.lowerBound,
                    lastHostPort: host.upperBound)
            ]
        }
        guard host.count == container.count else {
            throw EngineError(.invalid, "invalid ranges specified for container and host Ports: \(text)")
        }
        return zip(container, host).map {
            PortBinding(ContainerPort($0, transport), hostAddress: address, hostPort: $1)
        }
    }

    private static func transport(
        of text: String
    ) throws(EngineError) -> (String, ContainerPort.Transport) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return (text, .tcp) }
        guard parts.count == 2, let transport = ContainerPort.Transport(rawValue: parts[1].lowercased()) else {
            throw EngineError(.invalid, "invalid proto: \(parts.dropFirst().joined(separator: "/"))")
        }
        return (parts[0], transport)
    }

    private static func range(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
            return nil
        }
        return first...last
    }
}
