import Linux
import NameService
import SeededNumbers
import Testing

@Suite struct DNSMessageTests {
    @Test(
        "A name is what a message can carry",
        arguments: [
            ("web", true), ("Web.Example.", true), ("", true), ("a..b", false),
            (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
            (String(repeating: "ab.", count: 84) + "a", true), (String(repeating: "ab.", count: 85), false),
        ])
    func names(text: String, isGood: Bool) {
        #expect((DNSName(text) != nil) == isGood)
    }

    @Test("A query is read as it was written, and case does not matter")
    func roundTrip() throws {
        let name = try #require(DNSName("WEB.Frontend"))
        let query = try DNSQuery(parsing: DNSQuery(id: 7, name: name, type: DNSQuery.typeA).encoded)
        #expect(query.name.description == "web.frontend")
        #expect((query.id, query.type, query.recordClass) == (7, 1, 1))
        #expect(query.datagramLimit == 512)
        #expect(query.recursionDesired)
    }

    @Test("An answer repeats the question and bears the records")
    func answer() throws {
        let query = DNSQuery(id: 9, name: try #require(DNSName("web")), type: DNSQuery.typeA)
        let records: [DNSRecord] = try [
            .address(#require(IPAddress("10.0.0.1"))), .address(#require(IPAddress("fd00::1"))),
            .pointer(#require(DNSName("web.net"))),
        ]
        let response = try DNSResponse(parsing: query.response(.success, records, limit: 512))
        #expect(response.id == 9)
        #expect(response.code == .success)
        #expect(response.records == records)
        #expect(!response.isCutOff)
    }

    @Test("An answer that is too long for the client is cut at a record, and says so")
    func truncation() throws {
        let query = DNSQuery(id: 9, name: try #require(DNSName("web")), type: DNSQuery.typeA)
        let records = (1...60).map { DNSRecord.address(IPAddress(.v4, UInt128(0x0A00_0000 + $0))) }
        let bytes = query.response(.success, records, limit: 512)
        #expect(bytes.count <= 512)
        let response = try DNSResponse(parsing: bytes)
        #expect(response.isCutOff)
        #expect(response.records == Array(records.prefix(response.records.count)))
        #expect(try DNSResponse(parsing: query.response(.success, records, limit: 65535)).records == records)
    }

    @Test(
        "What is no question is refused for what it is",
        arguments: [
            ([], DNSError.cutOff), ([UInt8](repeating: 0, count: 11), .cutOff),
            // An answer; another opcode; no question; two.
            (header(flags: 0x8000), .noQuestion), (header(flags: 0x2800), .noQuestion),
            (header(questions: 0), .noQuestion), (header(questions: 2), .noQuestion),
            // A label past the end; a reserved kind of label; a pointer to itself, forwards, and in a circle.
            (header() + [5, 97], .cutOff), (header() + [0x80, 0], .badName),
            (header() + [0xC0, 12, 0, 1, 0, 1], .badPointer),
            (header() + [0xC0, 20, 0, 1, 0, 1], .badPointer), (header() + [1, 97, 0xC0, 12, 0, 1, 0, 1], .badPointer),
            (header() + [0xC0], .cutOff), (header() + [1, 97, 0, 0], .cutOff),
        ] as [([UInt8], DNSError)])
    func malformed(bytes: [UInt8], error: DNSError) {
        #expect(throws: error) { try DNSQuery(parsing: bytes) }
    }

    @Test("Bytes by chance, and good messages with some changed, are read or refused, and never more", arguments: 0..<8)
    func fuzz(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let name = try #require(DNSName("some.name.of.a.service"))
        let good = DNSQuery(id: 1, name: name, type: 1).encoded
        let answer = DNSQuery(id: 1, name: name, type: 1).response(.success, [.pointer(name)], limit: 512)
        var resolution = NameResolution(tables: [NameTable(text: "network n\n10.0.0.1 some\n")], forwards: false)
        for _ in 0..<5000 {
            var bytes = [good, answer][Int.random(in: 0...1, using: &random)]
            if Bool.random(using: &random) {
                bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
            for _ in 0..<Int.random(in: 0...6, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            _ = try? DNSResponse(parsing: bytes)  // Refusal is as good as reading.
            if case .reply(let reply) = resolution.decide(bytes) {
                #expect(reply.count <= 4096)
                #expect(Array(reply.prefix(2)) == Array(bytes.prefix(2)))
            }
        }
    }
}

private func header(flags: UInt16 = 0x0100, questions: UInt8 = 1) -> [UInt8] {
    [0, 1, UInt8(flags >> 8), UInt8(flags & 255), 0, questions, 0, 0, 0, 0, 0, 0]
}
