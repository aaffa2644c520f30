import Linux

/// What a container's shim is told of the container's networks: a file that the engine replaces when something changes,
/// and that is looked at before each use. So names and published ports work on when no engine runs.
///
///     names /run/gantry/networks/0123….names
///     server 192.0.2.53
///     forward 172.18.0.2 80
///
/// There is a `forward` line for each socket that the shim holds, in their order.
package struct NetworkConfiguration: Hashable, Sendable {
    /// The networks' tables, in the order in which names are looked for.
    package var tables: [String] = []
    /// The host's resolvers; none for an internal network.
    package var servers: [SocketEndpoint] = []
    /// Where each published port leads.
    package var targets: [SocketEndpoint] = []

    package init() {}

    package init(text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { continue }
            switch words[0] {
            case "names": tables.append(words[1])
            case "server": if let address = IPAddress(words[1]) { servers.append(SocketEndpoint(address, 53)) }
            case "server-port": if let server = Self.endpoint(words[1]) { servers.append(server) }
            case "forward": if let target = Self.endpoint(words[1]) { targets.append(target) }
            default: break
            }
        }
    }

    private static func endpoint(_ text: String) -> SocketEndpoint? {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2, let address = IPAddress(words[0]), let port = UInt16(words[1]) else { return nil }
        return SocketEndpoint(address, port)
    }

    package var text: String {
        let lines =
            tables.map { "names \($0)" } + servers.map { "server-port \($0.address) \($0.port)" }
            + targets.map { "forward \($0.address) \($0.port)" }
        return lines.joined(separator: "\n") + "\n"
    }
}
