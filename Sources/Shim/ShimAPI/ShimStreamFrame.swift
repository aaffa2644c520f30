/// What passes a connection after `attach`.
package enum ShimStreamFrame: Hashable, Sendable {
    /// From the client: input of the process.
    case stdin([UInt8])
    /// From the client: no more input will come.
    case inputEnd
    /// From the client, with a descriptor beside it (SCM_RIGHTS): a socket, by which input comes as it is, and whose end is
    /// the input's. That its other side is gone, and does not only send no more, ends the source alone. Not to a shim of
    /// version 1.
    case inputSource
    /// From the client, with a descriptor beside it: one end of a pair, by the other of which it sends, once it has read
    /// `outputTurn`, the socket that output is to go to from there on. Where the pair ends without one, output comes here
    /// again. Not to a shim before version 3.
    case outputTarget(ShimOutputHeads)
    /// From the shim: output; all of a terminal's is `stdout`.
    case stdout([UInt8])
    case stderr([UInt8])
    /// From the shim: this client was too slow, so many bytes of output were dropped here.
    case lost(byteCount: UInt64)
    /// From the shim: the source that was given is read to its end, and closed.
    case sourceEnd
    /// From the shim: nothing comes here any more before the socket that was spoken of, or word that there is none.
    case outputTurn
    /// From the shim: the output has ended. The last frame.
    case end

    /// Those frames that are nothing but bytes of a process, by their kind on the wire.
    package enum Channel: UInt8, Sendable {
        case stdin = 128
        case stdout = 130
        case stderr = 131

        /// What stands before so many bytes, for who sends them from where they lie.
        package func head(byteCount: Int) -> [UInt8] { ShimFrame.head(kind: rawValue, tag: 0, bodySize: byteCount) }

        /// The channel of the bytes behind a head; nil where another frame follows.
        package init?(head: [UInt8]) { self.init(rawValue: head[4]) }
    }

    /// A frame of another kind, which was taken apart into its head and its body.
    package init(head: [UInt8], body: [UInt8]) throws(ShimFrameError) {
        try self.init(ShimFrame(kind: head[4], tag: 0, body: body))
    }

    package var frame: ShimFrame {
        switch self {
        case .stdin(let bytes): return ShimFrame(kind: Channel.stdin.rawValue, tag: 0, body: bytes)
        case .inputEnd: return ShimFrame(kind: 129, tag: 0)
        case .stdout(let bytes): return ShimFrame(kind: Channel.stdout.rawValue, tag: 0, body: bytes)
        case .stderr(let bytes): return ShimFrame(kind: Channel.stderr.rawValue, tag: 0, body: bytes)
        case .lost(let byteCount):
            var writer = WireWriter()
            writer.put(byteCount)
            return ShimFrame(kind: 132, tag: 0, body: writer.bytes)
        case .end: return ShimFrame(kind: 133, tag: 0)
        // A shim of version 2 reads from the byte whether one who is gone ends the input.
        case .inputSource: return ShimFrame(kind: 134, tag: 0, body: [0])
        case .sourceEnd: return ShimFrame(kind: 135, tag: 0)
        case .outputTarget(let heads):
            var writer = WireWriter()
            writer.put(heads.stdout)
            writer.put(heads.stderr)
            return ShimFrame(kind: 136, tag: 0, body: writer.bytes)
        case .outputTurn: return ShimFrame(kind: 137, tag: 0)
        }
    }

    package init(_ frame: ShimFrame) throws(ShimFrameError) {
        switch (Channel(rawValue: frame.kind), frame.kind) {
        case (.stdin, _): self = .stdin(frame.body)
        case (.stdout, _): self = .stdout(frame.body)
        case (.stderr, _): self = .stderr(frame.body)
        case (nil, 129): self = .inputEnd
        case (nil, 132):
            var reader = WireReader(frame.body)
            self = .lost(byteCount: try reader.takeUInt64())
            try reader.finish()
        case (nil, 133): self = .end
        case (nil, 134):
            var reader = WireReader(frame.body)
            _ = try reader.takeUInt8()
            try reader.finish()
            self = .inputSource
        case (nil, 135): self = .sourceEnd
        case (nil, 136):
            var reader = WireReader(frame.body)
            self = .outputTarget(ShimOutputHeads(stdout: try reader.takeBytes(), stderr: try reader.takeBytes()))
            try reader.finish()
        case (nil, 137): self = .outputTurn
        default: throw ShimFrameError("\(frame.kind) is no part of a stream")
        }
    }
}

/// What stands before a piece of output in a stream of somebody else's form: these bytes, and behind them the piece's size as
/// four bytes, the most significant first. Where they are empty the piece stands for itself, and its size is not told.
package struct ShimOutputHeads: Hashable, Sendable {
    package let stdout: [UInt8]
    package let stderr: [UInt8]

    package init(stdout: [UInt8], stderr: [UInt8]) {
        (self.stdout, self.stderr) = (stdout, stderr)
    }

    /// The whole head of a piece.
    package func head(isStandardError: Bool, byteCount: Int) -> [UInt8] {
        let beginning = isStandardError ? stderr : stdout
        guard !beginning.isEmpty else { return [] }
        return beginning + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: byteCount >> $0) }
    }
}
