import EngineAPI
import Linux
import Testing

@testable import Networking

/// The engine's table in the packet filter over time: what is asked of it at once, and what others do to it.
struct FilterChangesTests {
    private static let table = "inet gantry_test"

    private func listing(_ bench: ServiceBench) throws -> String { try bench.nft("list table \(Self.table)") }

    /// A container that runs, with port 8080 of the host.
    private func publisher(_ bench: ServiceBench, _ network: NetworkDefinition) throws -> EndpointRecord {
        var record = EndpointRecord(
            containerID: "c0ffee", containerName: "web", networkID: network.id, order: 0, spec: EndpointSpec())
        record.ipv4 = try #require(network.block(.v4)?.gateway.advanced(by: 5))
        (record.isActive, record.endpointID) = (true, "e1")
        record.ports = [PublishedPort(ContainerPort(80), hostAddress: IPAddress(.v4, 0), hostPort: 8080)]
        bench.index.write([.putEndpoint(record)])
        bench.running.withLock { $0 = [record.containerID] }
        return record
    }

    @Test("A flush of all rules by another program is mended at once, though no container starts or ends")
    func flushed() async throws {
        let bench = try ServiceBench()
        let service = try bench.service()
        let network = try #require(try await service.networks().first)
        // Nothing is published: what is missed is the way out.
        try await service.prepareFilter()
        for round in 1...3 {
            try bench.nft("flush ruleset")
            #expect(await eventually { (try? listing(bench))?.contains("masquerade") == true }, "\(round)")
            #expect(try listing(bench).contains("elements = { \"\(network.linkName)\" }"))
            #expect(await eventually { bench.notes.withLock(\.count) == round })
        }
        let words = "was deleted from the packet filter by another program"
        #expect(bench.notes.withLock { $0.allSatisfy { $0.contains(words) } })
        // Another's table is no matter of ours, and our own change no other's.
        try bench.nft("add table inet other; delete table inet other")
        try await service.resetFilter()
        _ = try await service.othersChanges()
        #expect(bench.notes.withLock(\.count) == 3)
        await service.finish()
    }

    @Test("Rules that another program takes from the table are set again, and what is ours to take is not")
    func partlyFlushed() async throws {
        let bench = try ServiceBench()
        let network = try #require(try await bench.service().networks().first)
        let record = try publisher(bench, network)
        let service = try bench.service()
        try await service.takeOver()
        let rules = await service.rules
        try await service.prepareFilter()
        let whole = try listing(bench)
        // Ours, first and last: an element that is taken and given back.
        try await service.change(rules.removing(record))
        try await service.change(rules.adding(record))
        for (round, what) in ["table \(Self.table)", "ruleset", "table \(Self.table)"].enumerated() {
            try bench.nft("flush \(what)")
            #expect(await eventually { (try? listing(bench)) == whole }, "\(what)")
            #expect(await eventually { bench.notes.withLock(\.count) == round + 1 }, "\(what)")
        }
        #expect(bench.notes.withLock { $0.first?.hasPrefix("rules of table \(Self.table) were deleted") } == true)
        try await service.change(rules.removing(record))
        // In its turn, so after whatever would have been mended.
        _ = try await service.othersChanges()
        #expect(try !listing(bench).contains("8080"))
        #expect(bench.notes.withLock(\.count) == 3)
        await service.finish()
    }

    @Test("What was flushed while no engine ran is set by the next, for containers that run on")
    func flushedBetween() async throws {
        let bench = try ServiceBench()
        let first = try bench.service()
        let network = try #require(try await first.networks().first)
        try await first.prepareFilter()
        // Of this it hears when it has ended, and looks after nothing any more.
        try await first.resetFilter()
        await first.finish()
        _ = try publisher(bench, network)
        try bench.nft("flush ruleset")
        let second = try bench.service()
        try await second.takeOver()
        #expect(try listing(bench).contains("tcp . 8080"))
        await second.finish()
        // One that is there is left as it is, and looked after.
        let third = try bench.service()
        try await third.takeOver()
        #expect(await !third.isFilterSet)
        try bench.nft("delete table \(Self.table)")
        #expect(await eventually { (try? listing(bench))?.contains("tcp . 8080") == true })
        await third.finish()
        #expect(bench.notes.withLock(\.count) == 1)
    }

    @Test("A port that is closed while all rules are being set stays closed")
    func closedMeanwhile() async throws {
        let bench = try ServiceBench()
        let network = try #require(try await bench.service().networks().first)
        for _ in 0..<20 {
            let record = try publisher(bench, network)
            let service = try bench.service()
            try await service.takeOver()
            async let set: Void = service.resetFilter()
            async let again: Void = service.prepareFilter()
            async let end: Void = service.release(record.containerID)
            _ = try await (set, again, end)
            #expect(try !listing(bench).contains("8080"))
            await service.finish()
        }
    }

    @Test("A change that finds no table sets all of it; before it is this engine's a change is no matter")
    func missingTable() async throws {
        let bench = try ServiceBench()
        let service = try bench.service()
        let network = try #require(try await service.networks().first)
        let record = try publisher(bench, network)
        let rules = await service.rules
        try await service.change(rules.adding(record))
        #expect(throws: EngineError.self) { try listing(bench) }
        try await service.prepareFilter()
        // An element that is not there.
        try await service.change(rules.removing(record))
        #expect(try listing(bench).contains(network.linkName))
        await service.finish()
    }

    @Test("The changes of others are counted, and of ours those that change something")
    func othersChanges() async throws {
        let bench = try ServiceBench()
        let service = try bench.service()
        let network = try #require(try await service.networks().first)
        let rules = await service.rules
        let record = try publisher(bench, network)
        try await service.prepareFilter()
        let before = try await service.othersChanges()
        for _ in 0..<3 { try await service.change(rules.adding(record)) }
        try await service.change(rules.adding(network))
        #expect(try await service.othersChanges() == before)
        try bench.nft("add table inet other")
        #expect(try await service.othersChanges() == before &+ 1)
        await service.finish()
    }
}
