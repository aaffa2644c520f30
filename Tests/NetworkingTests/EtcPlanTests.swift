import EngineAPI
import Glibc
import Linux
import Testing

@testable import Networking

/// What is written into a container's /etc.
@Suite final class EtcPlanTests {
    private let folder: String

    init() throws {
        folder = "/tmp/gantry-networking-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try Directory.create(folder)
    }

    deinit { try? Directory.removeTree(folder) }  // The test's own; nothing to tell.

    private func plan(_ addresses: [String]) -> EtcPlan {
        let records = addresses.enumerated().map { order, text in
            var record = EndpointRecord(
                containerID: "c0ffee", containerName: "web", networkID: "n\(order)", order: order, spec: EndpointSpec())
            record.ipv4 = IPAddress(text)
            return record
        }
        let names = ContainerNames(hostname: "web", servers: ["192.0.2.53"])
        let request = NetworkRequest(containerID: "c0ffee", names: names, bindings: [], filesDirectory: folder)
        return EtcPlan(request: request, records: records, networks: [])
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try FileContents.read("\(folder)/\(name)"), as: UTF8.self)
    }

    private func append(_ words: String, to name: String) throws {
        try NameFiles.overwrite(Array((try text(name) + words).utf8), "\(folder)/\(name)")
    }

    @Test("resolv.conf follows the networks of a container that runs until somebody changes it; hosts keeps others'")
    func changedByHand() throws {
        let address = try #require(IPAddress("10.1.2.3"))
        let start = try plan(["10.1.2.3"]).writeFiles(servesNames: false)
        #expect(try text("resolv.conf").contains("nameserver 192.0.2.53\n"))
        try append("1.2.3.4 mine\n", to: "hosts")
        let both = plan(["10.1.2.3", "10.1.9.3"])
        let joined = try both.updateFiles(servesNames: true, without: [], mark: start.mark)
        #expect(joined.mark != start.mark && joined.host.servers == ["192.0.2.53"])
        #expect(try text("resolv.conf").contains("nameserver 127.0.0.11\n"))
        #expect(try text("hosts").hasSuffix("\n10.1.2.3\tweb\n1.2.3.4 mine\n10.1.9.3\tweb\n"))
        // An engine that was killed in between has written it, and not told of it.
        #expect(try both.updateFiles(servesNames: true, without: [], mark: start.mark).mark == joined.mark)
        try append("options rotate\n", to: "resolv.conf")
        let own = try text("resolv.conf")
        for servesNames in [true, false] {
            let left = try plan(["10.1.9.3"]).updateFiles(
                servesNames: servesNames, without: [address], mark: joined.mark)
            #expect(left.mark == joined.mark)
            #expect(try text("resolv.conf") == own)
        }
        #expect(try text("hosts").hasSuffix("ip6-allrouters\n1.2.3.4 mine\n10.1.9.3\tweb\n"))
        // The next start is a new beginning, as with docker.
        _ = try plan(["10.1.2.3"]).writeFiles(servesNames: false)
        #expect(try !text("resolv.conf").contains("rotate") && !text("hosts").contains("mine"))
    }

    @Test("What an engine without marks wrote is taken for its own")
    func withoutMark() throws {
        _ = try plan([]).writeFiles(servesNames: false)
        try append("options rotate\n", to: "resolv.conf")
        _ = try plan([]).updateFiles(servesNames: true, without: [], mark: nil)
        #expect(try text("resolv.conf").contains("127.0.0.11") && !text("resolv.conf").contains("rotate"))
    }

    @Test("A file is overwritten as it is, by a longer text and by a shorter one")
    func overwritten() throws {
        let path = "\(folder)/hosts"
        var inodes: Set<UInt64> = []
        for count in [10, 9000, 1, 4097, 0] {
            let bytes = Array(repeating: UInt8(ascii: "x"), count: count)
            try NameFiles.overwrite(bytes, path)
            #expect(try FileContents.read(path) == bytes)
            var facts = stat()
            #expect(stat(path, &facts) == 0)
            inodes.insert(UInt64(facts.st_ino))
        }
        #expect(inodes.count == 1)
    }
}
