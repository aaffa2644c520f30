/// The form of everything that passes a shim's socket, `run/shims/<id>/shim.sock`, in both directions:
///
///      0            4      5            9
///     ┌────────────┬──────┬────────────┬─────────────────────────┐
///     │ body size  │ kind │ tag        │ body, by kind           │   numbers little-endian
///     └────────────┴──────┴────────────┴─────────────────────────┘
///
/// A connection begins with `hello` both ways. After it the client sends requests, as many at once as it likes; each
/// answer bears its request's tag. Two requests change the connection:
///
///     client                                      shim
///       │ hello(version)                           │
///       ├─────────────────────────────────────────►│
///       │◄─────────────────────────────────────────┤ hello(version, pid, start time)
///       │ create, start, kill, exec, delete, …     │        control: request and answer
///       ├─────────────────────────────────────────►│
///       │◄─────────────────────────────────────────┤ done | process | facts | failed
///       │ subscribe                                │
///       ├─────────────────────────────────────────►│
///       │◄─────────────────────────────────────────┤ facts, then report … report: late ends of execs, then
///       │                                          │ as things happen
///
///       │ attach                                   │        from here on the connection is a stream
///       ├─────────────────────────────────────────►│
///       │◄─────────────────────────────────────────┤ done
///       │ stdin, inputSource, inputEnd             │
///       ├─────────────────────────────────────────►│
///       │◄─────────────────────────────────────────┤ stdout, stderr, lost …, sourceEnd, end
///
/// Output in quantity turns from the connection to a socket of the client's, which it has sent to before itself:
///
///       │ outputTarget, and one end of a pair      │
///       ├─────────────────────────────────────────►│        output waits from here on
///       │◄─────────────────────────────────────────┤ stdout, stderr …, outputTurn
///       │ the socket, by the pair                  │
///       ├─────────────────────────────────────────►│        output goes to the socket
///       │◄─────────────────────────────────────────┤ end, once the socket has all
///
/// Whoever receives a frame that it cannot read ends the connection: after garbage no boundary can be trusted.
package struct ShimFrame: Hashable, Sendable {
    /// What this program speaks. A shim outlives the engine that started it, so an engine speaks to older ones too.
    package static let version: UInt16 = 4
    package static let headerSize = 9
    /// Holds the largest request: an exec's process with all of its environment.
    package static let bodyLimit = 4 << 20
    /// What a sender puts into one stdin, stdout or stderr frame at most.
    package static let streamLimit = 64 << 10

    package var kind: UInt8
    package var tag: UInt32
    package var body: [UInt8]

    package init(kind: UInt8, tag: UInt32, body: [UInt8] = []) {
        self.kind = kind
        self.tag = tag
        self.body = body
    }

    /// The frame as it goes over the socket.
    package var bytes: [UInt8] {
        var bytes = Self.head(kind: kind, tag: tag, bodySize: body.count, reserving: body.count)
        bytes.append(contentsOf: body)
        return bytes
    }

    /// What stands before a body of that size, with room behind it.
    static func head(kind: UInt8, tag: UInt32, bodySize: Int, reserving room: Int = 0) -> [UInt8] {
        var writer = WireWriter()
        writer.bytes.reserveCapacity(headerSize + room)
        writer.put(UInt32(bodySize))
        writer.put(kind)
        writer.put(tag)
        return writer.bytes
    }

    /// The size of the body behind a head; nil where that is over the limit.
    package static func bodySize(behind head: [UInt8]) -> Int? {
        var reader = WireReader(head)
        // Where even the size is cut off there is no head either.
        return try? bodySize(&reader)
    }

    /// Takes the size that a head begins with.
    static func bodySize(_ head: inout WireReader) throws(ShimFrameError) -> Int {
        let size = Int(try head.takeUInt32())
        guard size <= bodyLimit else {
            throw ShimFrameError("a frame of \(size) bytes is over the limit of \(bodyLimit)")
        }
        return size
    }
}

/// Bytes came that are no frame of this protocol.
package struct ShimFrameError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Cuts a stream of bytes into frames. Holds at most one frame and what came after it.
package struct ShimFrameDecoder: Sendable {
    private var buffer: [UInt8] = []
    private var position = 0

    package init() {}

    /// Whether bytes of an unfinished frame are held: an end of the connection now is a fault.
    package var isInsideFrame: Bool { position < buffer.count }

    /// What was appended and is in no frame yet.
    package var unread: [UInt8] { Array(buffer[position...]) }

    package mutating func append(_ bytes: [UInt8]) {
        forgetRead()
        buffer.append(contentsOf: bytes)
    }

    /// Not by way of a sequence of any kind: what that is would be looked up when the first bytes come.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        forgetRead()
        buffer.append(contentsOf: bytes)
    }

    private mutating func forgetRead() {
        guard position > 0 else { return }
        buffer.removeFirst(position)
        position = 0
    }

    /// The next whole frame; nil where more bytes are needed.
    package mutating func next() throws(ShimFrameError) -> ShimFrame? {
        guard buffer.count - position >= ShimFrame.headerSize else { return compacted() }
        var header = WireReader(buffer[position..<position + ShimFrame.headerSize])
        let size = try ShimFrame.bodySize(&header)
        let kind = try header.takeUInt8()
        let tag = try header.takeUInt32()
        let begin = position + ShimFrame.headerSize
        guard buffer.count - begin >= size else { return nil }
        position = begin + size
        return ShimFrame(kind: kind, tag: tag, body: Array(buffer[begin..<position]))
    }

    /// Takes as much as there is of a large frame that has not come whole: the rest of its body is the caller's to read, and
    /// the next frame begins behind it. Nil where what is held begins no frame of that kind and size.
    package mutating func takeBegun(
        kind: UInt8, atLeast limit: Int
    ) throws(ShimFrameError) -> (bytes: [UInt8], missing: Int)? {
        let begin = position + ShimFrame.headerSize
        guard begin <= buffer.count else { return nil }
        var header = WireReader(buffer[position..<begin])
        let size = try ShimFrame.bodySize(&header)
        guard size >= limit, try header.takeUInt8() == kind else { return nil }
        defer {
            buffer = []
            position = 0
        }
        return (Array(buffer[begin...]), size - (buffer.count - begin))
    }

    /// Gives the room of all that was read back, so that an idle connection holds none.
    private mutating func compacted() -> ShimFrame? {
        if position == buffer.count, position > 0 {
            buffer = []
            position = 0
        }
        return nil
    }
}
