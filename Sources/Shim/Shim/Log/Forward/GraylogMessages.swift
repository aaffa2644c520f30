import CZlib
import Glibc
import Linux
import ShimAPI

/// Lines for Graylog ("GELF Payload Specification" 1.1): JSON, packed and in chunks where they go as datagrams, ended by a
/// zero byte in a stream.
final class GraylogMessages: LogMessageForm {
    /// What fits into a frame of Ethernet, as docker's library has it.
    static let chunkBytes = 1420
    private static let chunkHeadBytes = 12
    private static let maximumChunks = 128

    private let head: [UInt8]
    private let tail: [UInt8]
    private let inDatagrams: Bool
    private let packer: MessagePacker?

    init(_ graylog: LogForward.Graylog, inDatagrams: Bool) throws(KernelError) {
        var host: [UInt8] = Array(#"{"version":"1.1","host":""#.utf8)
        Array(graylog.host.utf8).withUnsafeBytes { host += JSONText.escaped($0) }
        head = host + Array(#"","short_message":""#.utf8)
        tail = Array((graylog.members.isEmpty ? "" : ",\(graylog.members)").utf8) + [UInt8(ascii: "}")]
        self.inDatagrams = inDatagrams
        packer =
            inDatagrams && graylog.packing != .none
            ? try MessagePacker(level: Int32(graylog.packingLevel), isGzip: graylog.packing == .gzip) : nil
    }

    func messages(_ line: LoggedLine) -> [[UInt8]] {
        let milliseconds = String(line.time.nanoseconds / 1_000_000)
        let fraction = String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
        let time = "\(line.time.secondsSinceEpoch).\(fraction)"
        var message = head + JSONText.escaped(line.text)
        message += Array("\",\"timestamp\":\(time),\"level\":\(line.level.rawValue)".utf8) + tail
        guard inDatagrams else { return [message + [0]] }
        if let packer { message = packer.packed(message) }
        return message.count <= Self.chunkBytes ? [message] : chunks(message)
    }

    /// The message's parts, each behind the mark, a number of the message's, its own number and how many there are. A message
    /// of more than there may be is one that no server takes: it is left whole, and the kernel refuses or parts it.
    private func chunks(_ message: [UInt8]) -> [[UInt8]] {
        let room = Self.chunkBytes - Self.chunkHeadBytes
        let count = (message.count + room - 1) / room
        guard count <= Self.maximumChunks else { return [message] }
        var head: [UInt8] = [0x1E, 0x0F]
        withUnsafeBytes(of: UInt64.random(in: 0...UInt64.max)) { head.append(contentsOf: $0) }
        return (0..<count).map { number in
            head + [UInt8(number), UInt8(count)] + message[(number * room)...].prefix(room)
        }
    }
}

/// zlib's deflate for short texts, in gzip's form or its own. It keeps 20 KiB: what is far away in a text is not looked for.
private final class MessagePacker {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init(level: Int32, isGzip: Bool) throws(KernelError) {
        stream.initialize(to: z_stream())
        // 2^11 bytes of window; 16 more ask for gzip's form.
        let status = deflateInit2_(
            stream, level, Z_DEFLATED, 11 + (isGzip ? 16 : 0), 3, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw KernelError("begin to pack messages", "", Errno(rawValue: ENOMEM))
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func packed(_ message: [UInt8]) -> [UInt8] {
        var message = message
        deflateReset(stream)
        let capacity = Int(deflateBound(stream, UInt(message.count)))
        return message.withUnsafeMutableBufferPointer { input in
            [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(capacity)
                let status = deflate(stream, Z_FINISH)
                precondition(status == Z_STREAM_END, "deflate: \(status) with room for all")
                count = capacity - Int(stream.pointee.avail_out)
            }
        }
    }
}
