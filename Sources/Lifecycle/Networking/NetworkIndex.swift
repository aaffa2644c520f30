import EngineAPI
import Linux

/// Where networks and containers' parts in them are kept: in the engine's metadata.
package protocol NetworkIndex: Sendable {
    func networks() async throws(EngineError) -> [NetworkDefinition]
    func endpoints() async throws(EngineError) -> [EndpointRecord]
    /// What is kept that this version cannot read.
    func unread() async throws(EngineError) -> UnreadNetworks
    /// All of the changes, or none.
    func apply(_ changes: [NetworkIndexChange]) async throws(EngineError)
}

package enum NetworkIndexChange: Hashable, Sendable {
    case put(NetworkDefinition)
    case delete(networkID: String)
    case putEndpoint(EndpointRecord)
    case deleteEndpoint(containerID: String, networkID: String)
}

/// Of which an engine's networks are made.
package struct NetworkRoots: Hashable, Sendable {
    /// Below the run root: names and containers' configurations, which the shims read.
    package var directory: String
    /// The packet filter's table.
    package var table: String
    /// The default network's bridge.
    package var defaultBridge: String
    /// Written on the links.
    package var mark: String

    /// - Parameter suffix: empty for the machine's own engine; of another, what its cgroups have, too.
    package init(runRoot: String, dataRoot: String, suffix: String) {
        directory = runRoot + "/networks"
        table = suffix.isEmpty ? "gantry" : "gantry_\(suffix)"
        defaultBridge = suffix.isEmpty ? "gantry0" : "gt0-\(suffix)"
        mark = "gantry \(dataRoot)"
    }

    /// Below the run root, which does not outlive the machine's run, as the kernel's switches do not.
    var switches: String { PathName.split(directory).parent + "/switches" }
    package func names(_ networkID: String) -> String { "\(directory)/\(networkID).names" }
    package func configuration(_ containerID: String) -> String { "\(directory)/\(containerID).conf" }
}
