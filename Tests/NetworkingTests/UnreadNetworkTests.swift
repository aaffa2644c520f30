import EngineAPI
import Linux
import Testing

@testable import Networking

/// Networks that a later version of the engine has written.
struct UnreadNetworkTests {
    @Test("A network whose row cannot be read is not told to be missing; who is part of it stays so, its name is taken")
    func unreadable() async throws {
        let bench = try ServiceBench()
        let first = try bench.service()
        let network = try await first.create(NetworkSpec(name: "back"))
        try await first.join("c0ffee", name: "web", [("back", EndpointSpec())])
        await first.finish()
        bench.index.makeUnreadable(network)
        let second = try bench.service()
        func refused(_ reference: String, _ body: () async throws -> Void) async {
            let refusal = await #expect(throws: EngineError.self) { try await body() }
            #expect(refusal?.kind == .internal, "\(reference)")
            #expect(refusal?.message.contains("network back cannot be read") == true, "\(refusal?.message ?? "")")
        }
        for reference in ["back", network.id, String(network.id.prefix(12))] {
            await refused(reference) { _ = try await second.network(reference) }
            await refused(reference) {
                try await second.disconnect(bench.request("c0ffee"), name: "web", from: reference)
            }
            #expect(try await !second.forget("c0ffee", inGone: reference))
        }
        await refused("start") { try await second.prepare(bench.request("c0ffee")).closeSockets() }
        let taken = await #expect(throws: EngineError.self) { try await second.create(NetworkSpec(name: "back")) }
        #expect(taken?.kind == .conflict)
        // To join another does not take the place of what is not gone.
        _ = try await second.create(NetworkSpec(name: "front"))
        try await second.connect(bench.request("c0ffee"), name: "web", to: "front", EndpointSpec())
        #expect(bench.index.endpoints().count == 2)
        let missing = await #expect(throws: EngineError.self) { try await second.network("bac") }
        #expect(missing?.kind == .notFound)
        await second.finish()
    }

    @Test("Where the default network's row cannot be read no second one is made")
    func unreadableDefault() async throws {
        let bench = try ServiceBench()
        let first = try bench.service()
        let network = try #require(try await first.networks().first)
        await first.finish()
        bench.index.makeUnreadable(network)
        let second = try bench.service()
        #expect(try await second.networks() == [])
        let refusal = await #expect(throws: EngineError.self) { try await second.network("bridge") }
        #expect(refusal?.message.contains("network bridge cannot be read") == true)
        await second.finish()
    }
}
