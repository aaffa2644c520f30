/// Takes an HTTP/1.1 answer apart, as its bytes come (RFC 9112). A value: it reads from nowhere.
///
/// For what a local socket brings. An answer that could be understood in two ways is refused.
struct ResponseReader {
    struct Head: Hashable, Sendable {
        var status: Int
        var fields: HTTPFields
        /// Whether the connection may carry another exchange after this answer.
        var keepsAlive: Bool
    }

    enum Item: Hashable, Sendable {
        case head(Head)
        /// Never empty.
        case bytes([UInt8])
        /// And again whenever asked from then on.
        case end
    }

    private enum Place: Equatable {
        case head
        case body(leftBytes: Int)
        case chunkSize
        case chunk(leftBytes: Int)
        case chunkEnd
        case trailer
        case untilClosed
        case done
    }

    static let headLimitBytes = 64 << 10
    private static let lineLimitBytes = 8 << 10

    private let hasNoBody: Bool
    private var place = Place.head
    private var buffer: [UInt8] = []
    private var offset = 0
    /// How much of the buffer is known to hold no further line's end of the head that is awaited.
    private var searched = 0

    /// - Parameter method: of the request: an answer to `HEAD` has no body, whatever its fields say.
    init(answerTo method: String) { hasNoBody = method == "HEAD" }

    /// Whether the answer was read whole, and nothing came behind it.
    var isClean: Bool { place == .done && offset == buffer.count }

    mutating func append(_ bytes: [UInt8]) {
        searched = max(0, searched - offset)
        if offset == buffer.count {
            buffer = bytes
        } else {
            buffer.removeFirst(offset)
            buffer.append(contentsOf: bytes)
        }
        offset = 0
    }

    /// The next part; nil where more bytes are needed for it.
    mutating func next() throws(TransportError) -> Item? {
        while true {
            switch place {
            case .head:
                guard let head = try takeHead() else { return nil }
                // 1xx: the answer itself is still to come.
                if (100..<200).contains(head.status), head.status != 101 { continue }
                return .head(head)
            case .body(let left):
                if left == 0 {
                    place = .done
                    continue
                }
                guard let bytes = take(atMost: left) else { return nil }
                place = .body(leftBytes: left - bytes.count)
                return .bytes(bytes)
            case .chunkSize:
                guard let line = try takeLine() else { return nil }
                let size = try Self.chunkSize(line)
                place = size == 0 ? .trailer : .chunk(leftBytes: size)
            case .chunk(let left):
                if left == 0 {
                    place = .chunkEnd
                    continue
                }
                guard let bytes = take(atMost: left) else { return nil }
                place = .chunk(leftBytes: left - bytes.count)
                return .bytes(bytes)
            case .chunkEnd:
                guard let line = try takeLine() else { return nil }
                guard line.isEmpty else { throw .malformed("a chunk is longer than it says") }
                place = .chunkSize
            case .trailer:
                guard let line = try takeLine() else { return nil }
                if line.isEmpty { place = .done }
            case .untilClosed: return take(atMost: .max).map(Item.bytes)
            case .done: return .end
            }
        }
    }

    /// What was appended and is in no part yet; it is forgotten here.
    mutating func takeUnread() -> [UInt8] {
        defer { (buffer, offset, searched) = ([], 0, 0) }
        return Array(buffer[offset...])
    }

    /// The connection has ended: throws `closed` where something is missing.
    mutating func finish() throws(TransportError) {
        guard place == .untilClosed || place == .done else { throw .closed }
        place = .done
    }
}

extension ResponseReader {
    private mutating func take(atMost limit: Int) -> [UInt8]? {
        guard offset < buffer.count else { return nil }
        if offset == 0, buffer.count <= limit {
            defer { buffer = [] }
            return buffer
        }
        let count = min(limit, buffer.count - offset)
        defer { offset += count }
        return Array(buffer[offset..<offset + count])
    }

    /// A line without its end.
    private mutating func takeLine(limitBytes: Int = lineLimitBytes) throws(TransportError) -> ArraySlice<UInt8>? {
        guard let end = buffer[offset...].firstIndex(of: 10) else {
            guard buffer.count - offset <= limitBytes else { throw .malformed("a line is too long") }
            return nil
        }
        guard end - offset <= limitBytes else { throw .malformed("a line is too long") }
        let hasReturn = end > offset && buffer[end - 1] == 13
        defer { offset = end + 1 }
        return buffer[offset..<(hasReturn ? end - 1 : end)]
    }

    private mutating func takeHead() throws(TransportError) -> Head? {
        let start = offset
        var lines: [ArraySlice<UInt8>] = []
        // One that comes in small pieces is looked through once for each of its lines, and not for each piece.
        let hasNewLine = buffer[max(start, searched)...].contains(UInt8(ascii: "\n"))
        searched = buffer.count
        while hasNewLine, let line = try takeLine(limitBytes: Self.headLimitBytes) {
            guard offset - start <= Self.headLimitBytes else { throw .malformed("the head is too long") }
            if line.isEmpty {
                searched = 0
                return try head(lines)
            }
            lines.append(line)
        }
        guard buffer.count - start <= Self.headLimitBytes else { throw .malformed("the head is too long") }
        // All of it again, once more of it is there.
        offset = start
        return nil
    }

    private mutating func head(_ lines: [ArraySlice<UInt8>]) throws(TransportError) -> Head {
        guard let first = lines.first else { throw .malformed("an answer without a status") }
        let (status, isOld) = try Self.status(first)
        var fields = HTTPFields()
        for line in lines.dropFirst() {
            let (name, value) = try Self.field(line)
            fields.add(name, value)
        }
        let isLast = isOld || fields.has("close", in: "Connection")
        var head = Head(status: status, fields: fields, keepsAlive: !isLast)
        place = try Self.body(of: head, hasNoBody: hasNoBody)
        if place == .untilClosed { head.keepsAlive = false }
        return head
    }

    private static func body(of head: Head, hasNoBody: Bool) throws(TransportError) -> Place {
        if (100..<200).contains(head.status), head.status != 101 { return .head }
        if head.status == 101 { return .untilClosed }
        if hasNoBody || head.status == 204 || head.status == 304 { return .done }
        let codings = head.fields.list.filter { HTTPFields.same($0.name, "Transfer-Encoding") }
        let lengths = Set(head.fields.list.filter { HTTPFields.same($0.name, "Content-Length") }.map(\.value))
        guard codings.isEmpty || lengths.isEmpty else { throw .malformed("a chunked body has a length") }
        if let coding = codings.first {
            guard codings.count == 1, HTTPFields.same(coding.value, "chunked") else {
                throw .malformed("Transfer-Encoding: \(coding.value)")
            }
            return .chunkSize
        }
        guard let length = lengths.first else { return .untilClosed }
        guard lengths.count == 1, !length.isEmpty, length.utf8.allSatisfy({ (48...57).contains($0) }),
            let bytes = Int(length)
        else { throw .malformed("Content-Length: \(length)") }
        return .body(leftBytes: bytes)
    }

    /// `HTTP/1.1 200 OK`; whether it is of version 1.0.
    private static func status(_ line: ArraySlice<UInt8>) throws(TransportError) -> (Int, isOld: Bool) {
        let bytes = Array(line)
        let isHTTP = bytes.starts(with: "HTTP/1.".utf8) && bytes.count >= 12
        guard isHTTP, bytes[7] == 48 || bytes[7] == 49, bytes[8] == 32, bytes.count == 12 || bytes[12] == 32,
            bytes[9..<12].allSatisfy({ (48...57).contains($0) })
        else { throw .malformed("the status line") }
        return (bytes[9..<12].reduce(0) { $0 * 10 + Int($1 - 48) }, bytes[7] == 48)
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(TransportError) -> (String, String) {
        // A line that begins with a space would go on with the one before.
        guard let colon = line.firstIndex(of: 58), colon > line.startIndex,
            line[..<colon].allSatisfy({ $0 > 32 && $0 < 127 })
        else { throw .malformed("a field of the head") }
        let isSpace = { (byte: UInt8) in byte == 32 || byte == 9 }
        var value = line[(colon + 1)...].drop(while: isSpace)
        while let last = value.last, isSpace(last) { value = value.dropLast() }
        guard value.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
            throw .malformed("a field of the head")
        }
        return (String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    /// Hexadecimal, before a semicolon and what nobody reads.
    private static func chunkSize(_ line: ArraySlice<UInt8>) throws(TransportError) -> Int {
        let digits = line.prefix { $0 != 59 && $0 != 32 }
        guard (1...15).contains(digits.count),
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0, digits.first != 43
        else { throw .malformed("the length of a chunk") }
        return size
    }
}
