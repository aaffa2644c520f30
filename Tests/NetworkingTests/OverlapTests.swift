import EngineAPI
import Linux
import Netlink
import Synchronization
import Testing

@testable import Networking

/// What is asked of the networks' service while it is about something else.
struct OverlapTests {
    private func hasLink(_ name: String, _ bench: ServiceBench) throws -> Bool {
        let namespace = try #require(bench.ground.namespace)
        var socket = try NetlinkSocket(in: namespace)
        return try socket.links().contains { $0.name == name }
    }

    private func kind(_ body: () async throws -> Void) async -> EngineError.Kind? {
        do { try await body() } catch { return (error as? EngineError)?.kind }
        return nil
    }

    @Test("A network that is removed while a container joins it is not made anew", arguments: [true, false])
    func removedMeanwhile(isRunning: Bool) async throws {
        let bench = try ServiceBench()
        let lonely = try LonelyProcess()
        let service = try bench.service(of: lonely.identity)
        let network = try await service.create(NetworkSpec(name: "back"))
        if isRunning { bench.running.withLock { $0 = ["c0ffee"] } }
        bench.whenAsked.withLock { $0 = { _ = try? await service.remove("back") } }  // The second time it is gone.
        defer { bench.whenAsked.withLock { $0 = nil } }
        let refusal = await kind {
            try await service.connect(bench.request("c0ffee"), name: "web", to: "back", EndpointSpec())
        }
        #expect(refusal == .notFound)
        #expect(bench.index.endpoints().isEmpty && bench.index.networks().allSatisfy(\.isDefault))
        #expect(try !hasLink(network.linkName, bench))
        #expect(await service.endpoints["c0ffee"] == nil)
        await service.finish()
    }

    @Test("A network that is just being made is found by nobody, and its name and subnet are taken")
    func beingMade() async throws {
        let bench = try ServiceBench()
        let service = try bench.service()
        var spec = NetworkSpec(name: "back")
        spec.pools = [AddressPool(subnet: "10.9.0.0/24")]
        let wanted = spec
        let seen = Mutex<[EngineError.Kind?]>([])
        _ = try await service.networks()
        bench.index.whenApplied.withLock {
            $0 = { _ in
                bench.index.whenApplied.withLock { $0 = nil }
                let removal = await kind { _ = try await service.remove("back") }
                let same = await kind { _ = try await service.create(wanted) }
                let names = try? await service.networks().map(\.name)
                #expect(names == ["bridge"])
                seen.withLock { $0 = [removal, same] }
            }
        }
        let network = try await service.create(spec)
        #expect(seen.withLock { $0 } == [.notFound, .conflict])
        #expect(try await service.networks().map(\.name) == ["back", "bridge"])
        _ = try await service.remove("back")
        #expect(try !hasLink(network.linkName, bench))
        await service.finish()
    }

    @Test("What a network has is another's only once it is gone")
    func beingRemoved() async throws {
        let bench = try ServiceBench()
        let service = try bench.service()
        var spec = NetworkSpec(name: "back")
        spec.pools = [AddressPool(subnet: "10.9.0.0/24")]
        var other = spec
        other.name = "front"
        _ = try await service.create(spec)
        let wanted = [spec, other]
        let seen = Mutex<[EngineError.Kind?]>([])
        bench.index.whenApplied.withLock {
            $0 = { _ in
                bench.index.whenApplied.withLock { $0 = nil }
                for spec in wanted {
                    let refusal = await kind { _ = try await service.create(spec) }
                    seen.withLock { $0.append(refusal) }
                }
            }
        }
        _ = try await service.remove("back")
        #expect(seen.withLock { $0 } == [.conflict, .denied])
        _ = try await service.create(other)
        await service.finish()
    }

    @Test("Of the files that shims read the next engine removes those alone that it has asked about")
    func filesMeanwhile() async throws {
        let bench = try ServiceBench()
        let directory = "\(bench.folder)/run/networks"
        try Directory.create(directory)
        for name in ["c0ffee.conf", "gone.conf", "gone.names"] {
            try FileContents.replace("\(directory)/\(name)", with: [])
        }
        bench.running.withLock { $0 = ["c0ffee"] }
        // As of a container that begins just then.
        bench.whenAsked.withLock { $0 = { _ = try? FileContents.replace("\(directory)/beef.conf", with: []) } }
        let service = try bench.service()
        try await service.takeOver()
        #expect(try Directory.list(directory).sorted() == ["beef.conf", "c0ffee.conf"])
        await service.finish()
    }

    @Test("Where joining fails another can have the address only once no port leads to it")
    func failedJoin() async throws {
        let bench = try ServiceBench()
        let lonely = try LonelyProcess()
        let service = try bench.service(of: lonely.identity) { (_) throws(EngineError) in
            throw EngineError(.internal, "the shim does not answer")
        }
        let network = try await service.create(NetworkSpec(name: "back"))
        bench.running.withLock { $0 = ["c0ffee"] }
        for name in ["hosts", "resolv.conf"] { try FileContents.replace("\(bench.folder)/\(name)", with: []) }
        try FileContents.replace(
            "\(bench.folder)/run/networks/c0ffee.conf", with: Array("forward none\nparked 80/tcp 0.0.0.0 8080\n".utf8))
        let address = try #require(network.block(.v4)?.gateway.advanced(by: 1))
        let led = Mutex<[Bool]>([])
        bench.index.whenApplied.withLock {
            $0 = { changes in
                let isFree = await !service.book.isTaken(address, in: network.id)
                let isLed = (try? bench.nft("list table inet gantry_test"))?.contains("8080") != false
                // Before, the device has its address, and the port leads there.
                let isOver = changes.contains { if case .deleteEndpoint = $0 { true } else { false } }
                #expect(isOver || !isFree)
                if isOver { led.withLock { $0.append(isLed && isFree) } }
            }
        }
        defer { bench.index.whenApplied.withLock { $0 = nil } }
        let refusal = await kind {
            try await service.connect(bench.request("c0ffee"), name: "web", to: "back", EndpointSpec())
        }
        #expect(refusal == .internal)
        #expect(led.withLock { $0 } == [false])
        #expect(await service.endpoints["c0ffee"]?.isEmpty == true)
        await service.finish()
    }
}
