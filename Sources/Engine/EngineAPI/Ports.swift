/// A port of a container.
public struct ContainerPort: Hashable, Sendable, Codable {
    public enum Transport: String, Hashable, Sendable, Codable, CaseIterable {
        case tcp, udp, sctp
    }

    public var number: UInt16
    public var transport: Transport

    public init(_ number: UInt16, _ transport: Transport = .tcp) {
        self.number = number
        self.transport = transport
    }
}

extension ContainerPort: LosslessStringConvertible {
    /// Reads docker's `80/tcp`; `80` alone is TCP.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let number = UInt16(first), number > 0,
            let transport = parts.count == 2 ? Transport(rawValue: parts[1].lowercased()) : .tcp
        else { return nil }
        self.init(number, transport)
    }

    public var description: String { "\(number)/\(transport.rawValue)" }
}

extension ContainerPort: Comparable {
    public static func < (left: ContainerPort, right: ContainerPort) -> Bool {
        (left.number, left.transport.rawValue) < (right.number, right.transport.rawValue)
    }
}

/// Ports beside each other, as docker's filters name them: `80/tcp`, `8000-8010/udp`.
public struct PortRange: Hashable, Sendable, CustomStringConvertible {
    public var numbers: ClosedRange<UInt16>
    public var transport: ContainerPort.Transport

    public init(_ numbers: ClosedRange<UInt16>, _ transport: ContainerPort.Transport = .tcp) {
        self.numbers = numbers
        self.transport = transport
    }

    public func contains(_ port: ContainerPort) -> Bool {
        port.transport == transport && numbers.contains(port.number)
    }

    public var description: String {
        let ends = numbers.count == 1 ? "\(numbers.lowerBound)" : "\(numbers.lowerBound)-\(numbers.upperBound)"
        return "\(ends)/\(transport.rawValue)"
    }
}

/// A port of the host that leads to one of a container.
public struct PortBinding: Hashable, Sendable, Codable {
    public var port: ContainerPort
    /// The host's address; empty for all of them.
    public var hostAddress: String
    /// The first of the host's ports to be tried; 0 for any.
    public var hostPort: UInt16
    /// The last to be tried.
    public var lastHostPort: UInt16

    public init(_ port: ContainerPort, hostAddress: String = "", hostPort: UInt16 = 0, lastHostPort: UInt16? = nil) {
        self.port = port
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.lastHostPort = lastHostPort ?? hostPort
    }
}

/// A port that a container serves, with the host's port that leads to it, if one does.
public struct PortMapping: Hashable, Sendable, Codable {
    public var port: ContainerPort
    /// Empty where it is not published.
    public var hostAddress: String
    public var hostPort: UInt16

    public init(_ port: ContainerPort, hostAddress: String = "", hostPort: UInt16 = 0) {
        self.port = port
        self.hostAddress = hostAddress
        self.hostPort = hostPort
    }
}
