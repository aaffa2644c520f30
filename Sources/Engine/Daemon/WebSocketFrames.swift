/// The frames of RFC 6455 as a server reads them: pieces of data as they come, and whole control frames.
///
/// Nothing is held back but a frame's head and the at most 125 bytes of a control frame, however long a message is.
struct WebSocketFrames: Sendable {
    enum Item: Hashable, Sendable {
        case data([UInt8])
        case ping([UInt8])
        case pong
        case close
    }

    /// Why the bytes are no frames of a client.
    struct Failure: Error, Hashable {
        let reason: String
    }

    enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    private struct Frame {
        let opcode: Opcode
        let mask: [UInt8]
        var left: UInt64
        var maskOffset = 0
        var control: [UInt8] = []
    }

    private var head: [UInt8] = []
    private var frame: Frame?

    mutating func feed(_ bytes: [UInt8]) throws(Failure) -> [Item] {
        var items: [Item] = []
        var rest = bytes[...]
        while true {
            if frame == nil {
                guard try readHead(&rest) else { return items }
            }
            guard var current = frame else { return items }
            let count = Int(min(current.left, UInt64(rest.count)))
            var payload = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
            for index in payload.indices { payload[index] ^= current.mask[(current.maskOffset + index) & 3] }
            current.maskOffset = (current.maskOffset + count) & 3
            current.left -= UInt64(count)
            if current.opcode.isControl {
                current.control += payload
            } else if !payload.isEmpty {
                items.append(.data(payload))
            }
            guard current.left == 0 else {
                frame = current
                return items
            }
            frame = nil
            if let item = Self.control(current.opcode, current.control) { items.append(item) }
        }
    }

    private static func control(_ opcode: Opcode, _ payload: [UInt8]) -> Item? {
        switch opcode {
        case .close: .close
        case .ping: .ping(payload)
        case .pong: .pong
        case .continuation, .text, .binary: nil
        }
    }

    /// Whether a head is whole now; takes its bytes off.
    private mutating func readHead(_ rest: inout ArraySlice<UInt8>) throws(Failure) -> Bool {
        while let byte = rest.popFirst() {
            head.append(byte)
            guard head.count >= 2 else { continue }
            let short = head[1] & 0x7F
            let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
            guard head.count == 2 + lengthBytes + 4 else { continue }
            let extended = head[2..<2 + lengthBytes].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            frame = try Self.frame(head, lengthBytes == 0 ? UInt64(short) : extended)
            head = []
            return true
        }
        return false
    }

    private static func frame(_ head: [UInt8], _ length: UInt64) throws(Failure) -> Frame {
        guard head[0] & 0x70 == 0 else { throw Failure(reason: "an extension was used that nobody agreed on") }
        guard let opcode = Opcode(rawValue: head[0] & 0x0F) else {
            throw Failure(reason: "unknown opcode \(head[0] & 0x0F)")
        }
        guard head[1] & 0x80 != 0 else { throw Failure(reason: "a client's frame is not masked") }
        guard length < 1 << 63 else { throw Failure(reason: "a frame's length has its highest bit set") }
        if opcode.isControl, length > 125 || head[0] & 0x80 == 0 {
            throw Failure(reason: "a control frame is too long, or in pieces")
        }
        return Frame(opcode: opcode, mask: Array(head.suffix(4)), left: length)
    }

    /// A whole frame of a server, which has no mask.
    static func encode(_ opcode: Opcode, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x80 | opcode.rawValue]
        let count = payload.count
        switch count {
        case 0...125: bytes.append(UInt8(count))
        case 126...0xFFFF: bytes += [126, UInt8(count >> 8), UInt8(count & 0xFF)]
        default: bytes += [127] + (0..<8).map { UInt8(truncatingIfNeeded: UInt64(count) >> UInt64(56 - 8 * $0)) }
        }
        return bytes + payload
    }

    /// The end of the conversation, with the code for "all is done".
    static let normalClosure = encode(.close, [0x03, 0xE8])
}
