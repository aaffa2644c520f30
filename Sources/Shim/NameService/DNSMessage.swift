import Linux

/// A question of RFC 1035, as far as a server for containers must understand it: one question of one name.
package struct DNSQuery: Hashable, Sendable {
    package static let typeA: UInt16 = 1
    package static let typePTR: UInt16 = 12
    package static let typeAAAA: UInt16 = 28
    package static let typeAny: UInt16 = 255

    package var id: UInt16
    package var recursionDesired: Bool
    package var name: DNSName
    package var type: UInt16
    package var recordClass: UInt16
    /// How long a datagram the client takes: 512 unless it says more (EDNS, RFC 6891).
    package var datagramLimit: Int
    package var hasEDNS: Bool
    /// The question as the client spelled it, which an answer repeats letter by letter.
    private var question: [UInt8]

    package init(parsing message: [UInt8]) throws(DNSError) {
        guard message.count >= 12 else { throw .cutOff }
        let flags = message.pair(2)
        // QR: an answer. OPCODE: something else than a query.
        guard flags & 0xF800 == 0, message.pair(4) == 1 else { throw .noQuestion }
        id = message.pair(0)
        recursionDesired = flags & 0x0100 != 0
        var offset = 12
        name = try DNSName(message, at: &offset)
        guard offset + 4 <= message.count else { throw .cutOff }
        type = message.pair(offset)
        recordClass = message.pair(offset + 2)
        question = Array(message[12..<offset + 4])
        offset += 4
        (datagramLimit, hasEDNS) = (512, false)
        guard message.pair(6) == 0, message.pair(8) == 0 else { return }
        for _ in 0..<message.pair(10) {
            _ = try DNSName(message, at: &offset)
            guard offset + 10 <= message.count else { throw .cutOff }
            if message.pair(offset) == 41 {
                datagramLimit = max(512, Int(message.pair(offset + 2)))
                hasEDNS = true
            }
            offset += 10 + Int(message.pair(offset + 8))
            guard offset <= message.count else { throw .cutOff }
        }
    }

    /// A question, for a client.
    package init(id: UInt16, name: DNSName, type: UInt16) {
        self.id = id
        self.name = name
        self.type = type
        recordClass = 1
        recursionDesired = true
        (datagramLimit, hasEDNS) = (512, false)
        question = name.wire
        question.put(type)
        question.put(1)
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for number in [id, recursionDesired ? 0x0100 : 0, 1, 0, 0, 0] { bytes.put(number) }
        return bytes + question
    }

    /// The answer: nothing more than the code where there are no records.
    ///
    /// - Parameter limit: how long it may be; records that do not fit are left out, and the answer says so.
    package func response(_ code: DNSResponseCode, _ records: [DNSRecord] = [], limit: Int) -> [UInt8] {
        // The name is the question's, at byte 12; only its own 11 bytes are left for the option.
        let room = limit - 12 - question.count - (hasEDNS ? 11 : 0)
        var body: [UInt8] = []
        var count: UInt16 = 0
        for record in records {
            let bytes = record.encoded
            guard body.count + bytes.count <= room else { break }
            body += bytes
            count += 1
        }
        let isCut = Int(count) < records.count
        // QR, AA, RD as asked, RA.
        let flags = 0x8480 | (recursionDesired ? 0x0100 : 0) | (isCut ? 0x0200 : 0) | code.rawValue
        var bytes: [UInt8] = []
        for number in [id, flags, 1, count, 0, hasEDNS ? 1 : 0] { bytes.put(number) }
        bytes += question + body
        if hasEDNS { bytes += [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0] }
        return bytes
    }
}

package enum DNSResponseCode: UInt16, Hashable, Sendable {
    case success = 0
    case formatError = 1
    case serverFailure = 2
    case nameError = 3
    case notImplemented = 4
    case refused = 5
}

/// An answer's record, of the name that was asked for.
package enum DNSRecord: Hashable, Sendable {
    case address(IPAddress)
    case pointer(DNSName)

    /// Docker's: long enough to be worth keeping for a moment, short enough to follow a container.
    static let lifetimeSeconds: UInt32 = 600

    fileprivate var encoded: [UInt8] {
        let (type, data): (UInt16, [UInt8]) =
            switch self {
            case .address(let address): (address.family == .v4 ? DNSQuery.typeA : DNSQuery.typeAAAA, address.bytes)
            case .pointer(let name): (DNSQuery.typePTR, name.wire)
            }
        var bytes: [UInt8] = [0xC0, 12]
        bytes.put(type)
        bytes.put(1)
        bytes.put(UInt16(Self.lifetimeSeconds >> 16))
        bytes.put(UInt16(Self.lifetimeSeconds & 0xFFFF))
        bytes.put(UInt16(data.count))
        return bytes + data
    }
}

/// An answer as a client reads it: the code and the records of the kinds known here.
package struct DNSResponse: Hashable, Sendable {
    package var id: UInt16
    package var code: DNSResponseCode?
    package var isCutOff: Bool
    package var records: [DNSRecord] = []

    package init(parsing message: [UInt8]) throws(DNSError) {
        guard message.count >= 12, message.pair(2) & 0x8000 != 0 else { throw .cutOff }
        id = message.pair(0)
        code = DNSResponseCode(rawValue: message.pair(2) & 15)
        isCutOff = message.pair(2) & 0x0200 != 0
        var offset = 12
        for _ in 0..<message.pair(4) {
            _ = try DNSName(message, at: &offset)
            offset += 4
        }
        for _ in 0..<message.pair(6) {
            _ = try DNSName(message, at: &offset)
            guard offset + 10 <= message.count else { throw .cutOff }
            let type = message.pair(offset)
            let length = Int(message.pair(offset + 8))
            offset += 10
            guard offset + length <= message.count else { throw .cutOff }
            var inner = offset
            if type == DNSQuery.typePTR {
                records.append(.pointer(try DNSName(message, at: &inner)))
            } else if type == DNSQuery.typeA || type == DNSQuery.typeAAAA,
                let address = IPAddress(bytes: message[offset..<offset + length])
            {
                records.append(.address(address))
            }
            offset += length
        }
    }
}

extension [UInt8] {
    /// The number of two bytes at an offset, in the network's order.
    func pair(_ offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    fileprivate mutating func put(_ number: UInt16) {
        append(UInt8(number >> 8))
        append(UInt8(number & 0xFF))
    }
}
