/// Docker's framing of output without a terminal: which stream, three zero bytes, the length (big endian), the bytes.
package enum StreamFrame {
    package enum Channel: UInt8, Hashable, Sendable {
        case stdin = 0
        case stdout = 1
        case stderr = 2
        /// An error of the server's own.
        case system = 3
    }

    package static let headerLength = 8

    /// One frame.
    package static func encode(_ channel: Channel, _ bytes: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(headerLength + bytes.count)
        withUnsafeBytes(of: head(channel, bytes.count)) { frame.append(contentsOf: $0) }
        frame.append(contentsOf: bytes)
        return frame
    }

    /// What stands before so many bytes, for who sends them from where they lie.
    package static func headBytes(_ channel: Channel, _ count: Int) -> [UInt8] {
        withUnsafeBytes(of: head(channel, count)) { Array($0) }
    }

    /// Which channel the bytes behind a head are of, and how many they are.
    package static func parse(
        head: ArraySlice<UInt8>
    ) throws(StreamDemultiplexer.Failure) -> (channel: Channel, byteCount: Int) {
        let start = head.startIndex
        guard let channel = Channel(rawValue: head[start]), head[start + 1] == 0 else {
            throw StreamDemultiplexer.Failure(description: "unrecognized stream header: \(head)")
        }
        let count = head[(start + 4)..<(start + headerLength)].reduce(0) { $0 << 8 | Int($1) }
        guard count <= StreamDemultiplexer.frameLimitBytes else {
            throw StreamDemultiplexer.Failure(description: "a frame of \(count) bytes")
        }
        return (channel, count)
    }

    /// What stands before so many bytes, as it lies in memory.
    package static func head(_ channel: Channel, _ count: Int) -> UInt64 {
        (UInt64(channel.rawValue) << 56 | UInt64(UInt32(count))).bigEndian
    }
}

/// Takes framed output apart, whatever pieces it arrives in. A pure value: bytes in, frames out.
package struct StreamDemultiplexer: Sendable {
    package struct Frame: Hashable, Sendable {
        package let channel: StreamFrame.Channel
        package let bytes: [UInt8]
    }

    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Longer frames are not taken for frames: docker writes 32 KiB at most, and log lines of up to a few MiB.
    package static let frameLimitBytes = 64 << 20

    private var pending: [UInt8] = []

    package init() {}

    /// A frame has begun that has not ended.
    package var isInsideFrame: Bool { !pending.isEmpty }

    /// The frames that are whole with these bytes.
    package mutating func feed(_ bytes: [UInt8]) throws(Failure) -> [Frame] {
        pending.append(contentsOf: bytes)
        var frames: [Frame] = []
        var start = 0
        while pending.count - start >= StreamFrame.headerLength {
            let (channel, length) = try StreamFrame.parse(head: pending[start..<(start + StreamFrame.headerLength)])
            let end = start + StreamFrame.headerLength + length
            guard pending.count >= end else { break }
            frames.append(Frame(channel: channel, bytes: Array(pending[(start + StreamFrame.headerLength)..<end])))
            start = end
        }
        if start > 0 { pending.removeFirst(start) }
        return frames
    }
}
