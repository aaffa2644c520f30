import EngineAPI
import Linux
import LocalEngine
import Netlink
import Testing

/// A network whose devices the kernel no longer has, as after a reboot.
@Suite(.enabled(if: EngineBench.missing == nil, "needs root, busybox-static and the programs beside the tests"))
struct FirstMemberTests {
    @Test("Containers that are a network's first at the same moment make its bridge once, start, and know each other")
    func together() async throws {
        try await EngineBench.with { engine, bench in
            _ = try await engine.createNetwork(NetworkSpec(name: "front"))
            var ids: [String] = []
            for _ in 0..<6 {
                ids.append(
                    try await bench.create("sleep 100", on: engine) { $0.networkMode = NetworkMode(rawValue: "front") })
            }
            for _ in 0..<5 {
                try Self.removeBridges(bench)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in ids { group.addTask { try await engine.start(id) } }
                    try await group.waitForAll()
                }
                let peer = try await NetworkPeer(ids[0], engine)
                defer { peer.close() }
                for id in ids {
                    let endpoint = try #require(try await engine.inspect(id).networks.first)
                    let address = try #require(IPAddress(endpoint.ipv4Address))
                    #expect(try eventually { try peer.resolve(String(id.prefix(12))) == [.address(address)] })
                }
                for id in ids { try await engine.stop(id, signal: "KILL", timeoutSeconds: 5) }
            }
        }
    }

    private static func removeBridges(_ bench: EngineBench) throws {
        var netlink = try NetlinkSocket()
        for link in try netlink.links() where link.alias == "gantry \(bench.root)/data" {
            try netlink.deleteLink(link.name)
        }
    }
}
