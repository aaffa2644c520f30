import Linux

/// Why a call over D-Bus failed.
package enum BusError: Error, Hashable, Sendable, CustomStringConvertible {
    case kernel(KernelError)
    /// Bytes that are no message.
    case malformed
    /// The bus did not take this user.
    case refused(String)
    /// What the other side answered: an error's name and its words.
    case answer(name: String, text: String)

    package var description: String {
        switch self {
        case .kernel(let error): error.description
        case .malformed: "the other side of the bus sent what is no message"
        case .refused(let line): "the bus refused this user: \(line)"
        case .answer(let name, let text): text.isEmpty ? name : text
        }
    }
}

/// A message of D-Bus, as its specification has them: a fixed head, fields by number, the body.
package struct BusMessage: Hashable, Sendable {
    package enum Kind: UInt8, Sendable { case call = 1, reply, error, signal }

    package var kind: Kind
    package var serial: UInt32 = 0
    package var path: String?
    package var interface: String?
    package var member: String?
    package var errorName: String?
    package var replySerial: UInt32?
    package var destination: String?
    package var body: [BusValue] = []

    package init(_ kind: Kind) { self.kind = kind }

    package static func call(
        _ member: String, of interface: String, at path: String, on destination: String?, _ body: [BusValue] = []
    ) -> BusMessage {
        var message = BusMessage(.call)
        (message.member, message.interface, message.path) = (member, interface, path)
        (message.destination, message.body) = (destination, body)
        return message
    }

    package var bytes: [UInt8] {
        var content = BusWriter()
        for value in body { content.write(value) }
        var fields: [BusValue] = []
        func field(_ code: UInt8, _ value: BusValue?) {
            if let value { fields.append(.structure([.byte(code), .variant(value)])) }
        }
        field(1, path.map(BusValue.path))
        field(2, interface.map(BusValue.string))
        field(3, member.map(BusValue.string))
        field(4, errorName.map(BusValue.string))
        field(5, replySerial.map(BusValue.uint32))
        field(6, destination.map(BusValue.string))
        field(8, body.isEmpty ? nil : .signature(body.map(\.signature).joined()))
        var head = BusWriter()
        // Little-endian, no flags, version 1 of the protocol.
        for byte in [UInt8(ascii: "l"), kind.rawValue, 0, 1] { head.write(byte) }
        head.write(UInt32(content.bytes.count))
        head.write(serial)
        head.write(.array(of: "(yv)", fields))
        head.align(8)
        return head.bytes + content.bytes
    }

    /// The bytes before the lengths of a message are known.
    static let headCount = 16
    /// More than any answer of systemd's; what claims to be longer is not read.
    private static let limitBytes = 1 << 20

    /// How long a message is whose first 16 bytes these are.
    package static func length(_ head: [UInt8]) throws(BusError) -> Int {
        guard head.count >= headCount, head[0] == UInt8(ascii: "l"), head[3] == 1 else { throw .malformed }
        func number(_ index: Int) -> Int {
            head[index..<(index + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let (body, fields) = (number(4), number(12))
        guard body <= limitBytes, fields <= limitBytes else { throw .malformed }
        return headCount + (fields + 7) / 8 * 8 + body
    }

    package init(_ bytes: [UInt8]) throws(BusError) {
        let length = try Self.length(bytes)
        guard bytes.count == length, let kind = Kind(rawValue: bytes[1]) else { throw .malformed }
        self.kind = kind
        serial = bytes[8..<12].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        let bodyLength = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        // The array's place counts for alignment: it is read with what is before it.
        var reader = BusReader(bytes[...])
        let head = try reader.values("yyyyuua(yv)")
        var signature = ""
        guard case .array(_, let fields) = head[6] else { throw .malformed }
        for case .structure(let pair) in fields {
            guard pair.count == 2, case .byte(let code) = pair[0], case .variant(let value) = pair[1] else {
                throw .malformed
            }
            switch (code, value) {
            case (1, .path(let text)): path = text
            case (2, .string(let text)): interface = text
            case (3, .string(let text)): member = text
            case (4, .string(let text)): errorName = text
            case (5, .uint32(let number)): replySerial = number
            case (6, .string(let text)): destination = text
            case (8, .signature(let text)): signature = text
            default: continue
            }
        }
        var content = BusReader(bytes[(bytes.count - bodyLength)...])
        body = try content.values(signature)
    }
}
