import AsyncIO
import EngineAPI
import Linux
import Netlink

/// The packet filter forgets the flows that lead astray, on the side: to look for them takes it milliseconds.
extension NetworkService {
    /// Has flows forgotten. Before, the rules must be such that their next packets make no more of the kind.
    func forgetFlows(_ flows: StaleFlows) {
        guard !flows.isEmpty else { return }
        staleFlows.add(flows)
        guard forgetting == nil else { return }
        forgetting = Task { await forgetStaleFlows() }
    }

    /// Those of addresses that a container no longer has.
    func forgetFlows(of records: [EndpointRecord]) {
        forgetFlows(StaleFlows(addresses: Set(records.flatMap(\.addresses))))
    }

    /// Waits until nothing that is remembered leads to these addresses any more; for who is to have them now.
    func settleFlows(to addresses: [IPAddress]) async {
        guard !staleFlows.addresses.union(fadingAddresses).isDisjoint(with: addresses) else { return }
        await forgetting?.value
    }

    private func forgetStaleFlows() async {
        let ground = self.ground
        while !staleFlows.isEmpty {
            let flows = staleFlows
            (staleFlows, fadingAddresses) = (StaleFlows(), flows.addresses)
            do throws(EngineError) {
                try await BlockingPool.shared.run { () throws(EngineError) in
                    try ground.run { () throws(EngineError) in try Self.forget(flows) }
                }
            } catch { note("forget connections of containers that are gone: \(error)") }
            // What came meanwhile is looked for in a further round.
            fadingAddresses = []
        }
        forgetting = nil
    }

    private static func forget(_ flows: StaleFlows) throws(EngineError) {
        // The calling thread's network's. Without the file nothing is tracked.
        guard let bytes = try? FileContents.read("/proc/sys/net/netfilter/nf_conntrack_count", limitBytes: 64),
            let count = Int(String(decoding: bytes.dropLast(), as: UTF8.self)), count > 0
        else { return }
        do {
            var routing = try NetlinkSocket()
            var filter = try NetlinkSocket(.filter)
            let own = Set(try routing.addresses().map(\.address))
            let found = try filter.flows(flows.patterns(among: count)) { flow in
                flows.contains(flow) { $0.isLoopback || own.contains($0) }
            }
            for flow in found { try filter.forget(flow) }
        } catch { throw EngineError(.internal, "\(error)") }
    }
}
