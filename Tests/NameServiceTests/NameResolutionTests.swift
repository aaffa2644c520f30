import Linux
import NameService
import Testing

@Suite struct NameResolutionTests {
    private static let frontend = """
        network frontend
        172.18.0.2 web www 0123456789ab
        fd00::2 web www 0123456789ab
        172.18.0.3 worker-1 worker
        172.18.0.4 worker-2 worker
        nonsense here

        """

    private var resolution: NameResolution {
        NameResolution(
            tables: [NameTable(text: Self.frontend), NameTable(text: "network backend\n10.1.0.2 db web\n")],
            forwards: true)
    }

    @Test("A link stands for another name, before whoever is called so, and for nobody where that name is nobody's")
    func links() throws {
        var table = NameTable(text: Self.frontend)
        table.link("Store", to: "web")
        table.link("worker", to: "worker-1")
        table.link("www", to: "gone")
        #expect(table.addresses("store") == table.addresses("web"))
        #expect(table.addresses("store.frontend") == table.addresses("web"))
        #expect(table.addresses("worker") == table.addresses("worker-1"))
        #expect(table.addresses("www") == nil)
        #expect(table.name(of: try #require(IPAddress("172.18.0.2"))) == "web.frontend")
    }

    @Test(
        "Names, aliases and short ids lead to addresses; a network's name may stand behind",
        arguments: [
            ("web", DNSQuery.typeA, ["172.18.0.2"]), ("WWW", DNSQuery.typeA, ["172.18.0.2"]),
            ("0123456789ab", DNSQuery.typeAAAA, ["fd00::2"]), ("web.frontend", DNSQuery.typeA, ["172.18.0.2"]),
            ("db", DNSQuery.typeA, ["10.1.0.2"]), ("web.backend", DNSQuery.typeA, ["10.1.0.2"]),
            // A name that has no address of that version exists.
            ("db", DNSQuery.typeAAAA, []), ("db", 15, []),
        ])
    func found(name: String, type: UInt16, addresses: [String]) throws {
        var resolution = resolution
        let response = try reply(&resolution, name, type)
        #expect(response.code == .success)
        #expect(response.records == addresses.compactMap { IPAddress($0) }.map(DNSRecord.address))
    }

    @Test("A name that no line can hold is left out of the table, and adds neither names nor lines")
    func unfitNames() throws {
        var table = NameTable()
        table.network = "front"
        let address = try #require(IPAddress("172.18.0.2"))
        table.add(address, ["web", "my db", "x\n172.18.0.9 evil", "", "tab\there", "größe"])
        #expect(table.text == "network front\n172.18.0.2 web größe\n")
        #expect(table.addresses("my db") == nil && table.addresses("web") == [address])
    }

    @Test("Several containers of one alias take turns at being the first")
    func rotation() throws {
        var resolution = resolution
        let first = try reply(&resolution, "worker", DNSQuery.typeA).records
        let second = try reply(&resolution, "worker", DNSQuery.typeA).records
        #expect(Set(first) == Set(second))
        #expect(first.count == 2)
        #expect(first != second)
    }

    @Test(
        "An address leads to the container's name in its network",
        arguments: [
            ("172.18.0.2", "web.frontend"), ("fd00::2", "web.frontend"), ("10.1.0.2", "db.backend"),
        ])
    func reverse(address: String, name: String) throws {
        var resolution = resolution
        let question = try #require(IPAddress(address).flatMap { ReverseName.name($0) })
        #expect(ReverseName.address(question) == IPAddress(address))
        let response = try reply(&resolution, question.description, DNSQuery.typePTR)
        #expect(response.records == [.pointer(try #require(DNSName(name)))])
    }

    @Test("What no network knows is the host's to answer, or nobody's in an internal network")
    func elsewhere() throws {
        let query = DNSQuery(id: 3, name: try #require(DNSName("example.org")), type: 1).encoded
        var open = resolution
        #expect(open.decide(query) == .forward)
        var closed = resolution
        closed.forwards = false
        guard case .reply(let bytes) = closed.decide(query) else { return #expect(Bool(false), "no reply") }
        #expect(try DNSResponse(parsing: bytes).code == .nameError)
    }

    @Test("A table and a configuration are read as they were written")
    func roundTrips() {
        let table = NameTable(text: Self.frontend)
        #expect(NameTable(text: table.text) == table)
        var configuration = NetworkConfiguration()
        configuration.tables = ["/run/a b/x.names"]
        configuration.servers = [SocketEndpoint(IPAddress(.v4, 0x0101_0101), 53)]
        configuration.targets = [SocketEndpoint(IPAddress(.v6, 1), 80), nil]
        configuration.parked = ["80/tcp 0.0.0.0 8080"]
        configuration.resolverMark = "9c1f"
        configuration.links = [NetworkConfiguration.Link(table: 1, alias: "database", name: "db")]
        #expect(NetworkConfiguration(text: configuration.text) == configuration)
    }

    private func reply(_ resolution: inout NameResolution, _ name: String, _ type: UInt16) throws -> DNSResponse {
        let query = DNSQuery(id: 3, name: try #require(DNSName(name)), type: type).encoded
        guard case .reply(let bytes) = resolution.decide(query) else { throw NoReply() }
        return try DNSResponse(parsing: bytes)
    }

    @Test("What is no question is refused at once; an answer, and what is cut off, is not answered")
    func refusals() {
        func header(_ flags: UInt8, questions: UInt8) -> [UInt8] { [1, 2, flags, 0, 0, questions, 0, 0, 0, 0, 0, 0] }
        func reply(_ flags: UInt8, _ code: DNSResponseCode) -> NameResolution.Decision {
            .reply([1, 2, flags, UInt8(code.rawValue), 0, 0, 0, 0, 0, 0, 0, 0])
        }
        var resolution = resolution
        #expect(resolution.decide(header(0x28, questions: 1)) == reply(0xA8, .notImplemented))
        #expect(resolution.decide(header(1, questions: 0)) == reply(0x80, .formatError))
        #expect(resolution.decide(header(1, questions: 2)) == reply(0x80, .formatError))
        #expect(resolution.decide(header(0x80, questions: 1)) == .drop)
        #expect(resolution.decide([1, 2, 0]) == .drop)
    }
}

private struct NoReply: Error {}
