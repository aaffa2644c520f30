import EngineAPI
import Linux
import Networking
import Rootless

extension NetworkGround {
    /// An ordinary user's bridges are in the namespace that the holder keeps; the machine's root has the machine's own.
    /// Blocking.
    ///
    /// - Throws: `unavailable` where the namespace cannot be had.
    static func open(
        _ session: RootlessSession?, note: @Sendable (String) -> Void
    ) throws(EngineError) -> NetworkGround {
        guard let session else { return NetworkGround() }
        let network: RootlessNetwork
        do throws(RootlessFailure) { network = try session.network() } catch {
            throw EngineError(.unavailable, "networks of an ordinary user: \(error)")
        }
        if let complaint = network.complaint {
            note("containers do not reach the world: \(complaint)")
        }
        return NetworkGround(
            namespace: network.namespace, resolver: network.resolver.flatMap { IPAddress($0) })
    }
}
