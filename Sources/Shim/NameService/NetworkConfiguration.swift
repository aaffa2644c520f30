import Linux

/// What a container's shim is told of the container's networks: a file that the engine replaces when something changes,
/// and that is looked at before each use. So names and published ports work on when no engine runs.
///
///     names /run/gantry/networks/0123….names
///     link 0 database db_1
///     server 192.0.2.53
///     asks within
///     forward 172.18.0.2 80
///
/// Servers are asked from the shim's network, unless it has the second line: then from the container's own.
///
/// A `link` line says what this container alone calls another: the place of the network's table among the `names` lines,
/// the name that is asked for, and the one that it stands for.
///
/// There is a `forward` line for each socket that the shim holds, in their order; `forward none` while the container is
/// in no network. What was published then is kept for the engine, in lines of its own: `parked 80/tcp 0.0.0.0 8080`. So is
/// what it needs to know its own text of the container's resolv.conf: `resolver-mark 9c1f…`.
package struct NetworkConfiguration: Hashable, Sendable {
    /// The networks' tables, in the order in which names are looked for.
    package var tables: [String] = []
    package var links: [Link] = []
    /// The host's resolvers; none for an internal network.
    package var servers: [SocketEndpoint] = []
    /// Ask them from the container's network: the shim's does not lead to them.
    package var asksWithin = false
    /// Where each published port leads; nil for nowhere.
    package var targets: [SocketEndpoint?] = []
    /// The engine's words for each port that leads nowhere and shall lead to the network that is joined next.
    package var parked: [String] = []
    /// The engine's sign of the text of resolv.conf that it wrote last; nil where that was an engine without such.
    package var resolverMark: String?

    /// A name that a container has for another of one network.
    package struct Link: Hashable, Sendable {
        package var table: Int
        package var alias: String
        package var name: String

        package init(table: Int, alias: String, name: String) {
            self.table = table
            self.alias = alias
            self.name = name
        }
    }

    package init() {}

    package init(text: String) {
        for line in TextLines.said(in: text) {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { continue }
            switch words[0] {
            case "names": tables.append(words[1])
            case "link": if let link = Self.link(words[1]) { links.append(link) }
            case "asks": asksWithin = words[1] == "within"
            case "server": if let address = IPAddress(words[1]) { servers.append(SocketEndpoint(address, 53)) }
            case "server-port": if let server = Self.endpoint(words[1]) { servers.append(server) }
            case "forward": targets.append(Self.endpoint(words[1]))
            case "resolver-mark": resolverMark = words[1]
            case "parked": parked.append(words[1])
            default: break
            }
        }
    }

    private static func link(_ text: String) -> Link? {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3, let table = Int(words[0]) else { return nil }
        return Link(table: table, alias: words[1], name: words[2])
    }

    private static func endpoint(_ text: String) -> SocketEndpoint? {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2, let address = IPAddress(words[0]), let port = UInt16(words[1]) else { return nil }
        return SocketEndpoint(address, port)
    }

    package var text: String {
        let lines =
            tables.map { "names \($0)" } + links.map { "link \($0.table) \($0.alias) \($0.name)" }
            + servers.map { "server-port \($0.address) \($0.port)" }
            + (asksWithin ? ["asks within"] : [])
            + targets.map { $0.map { "forward \($0.address) \($0.port)" } ?? "forward none" }
            + parked.map { "parked \($0)" } + (resolverMark.map { ["resolver-mark \($0)"] } ?? [])
        return lines.joined(separator: "\n") + "\n"
    }
}
