import ShimAPI

/// The newest output, up to a size: what is too much drops the oldest, and how much was dropped is remembered in its
/// place. One for each attached client, and one for what a terminal showed last.
struct OutputRing {
    private struct Chunk {
        let kind: OutputKind
        let bytes: [UInt8]
    }

    let capacityBytes: Int
    private var chunks: [Chunk] = []
    private var first = 0
    /// How many bytes of the first chunk are gone already.
    private var firstOffset = 0
    private(set) var byteCount = 0
    /// Dropped before the first chunk and not told yet.
    private(set) var lostBytes: UInt64 = 0

    init(capacityBytes: Int) { self.capacityBytes = capacityBytes }

    var isEmpty: Bool { byteCount == 0 && lostBytes == 0 }

    mutating func append(_ bytes: UnsafeRawBufferPointer, _ kind: OutputKind) {
        var bytes = bytes
        if bytes.count > capacityBytes {
            dropOldest(byteCount)
            lostBytes += UInt64(bytes.count - capacityBytes)
            bytes = UnsafeRawBufferPointer(rebasing: bytes.suffix(capacityBytes))
        }
        dropOldest(max(0, byteCount + bytes.count - capacityBytes))
        chunks.append(Chunk(kind: kind, bytes: Array(bytes)))
        byteCount += bytes.count
    }

    /// Takes the next frame's worth: first what was lost, then output of one kind, at most `ShimFrame.streamLimit` of
    /// it. Nil when there is nothing.
    mutating func next() -> ShimStreamFrame? {
        if lostBytes > 0 {
            defer { lostBytes = 0 }
            return .lost(byteCount: lostBytes)
        }
        guard byteCount > 0 else { return nil }
        let kind = chunks[first].kind
        var bytes: [UInt8] = []
        while byteCount > 0, chunks[first].kind == kind, bytes.count < ShimFrame.streamLimit {
            let rest = chunks[first].bytes[firstOffset...]
            let taken = rest.prefix(ShimFrame.streamLimit - bytes.count)
            bytes.append(contentsOf: taken)
            consume(taken.count)
        }
        return kind == .stdout ? .stdout(bytes) : .stderr(bytes)
    }

    /// All that is held, for a client that attaches late. Where older output is gone, it begins behind the first line
    /// end, so as not to begin inside a character or an escape sequence.
    func replay() -> [(kind: OutputKind, bytes: [UInt8])] {
        var parts = chunks[first...].map { (kind: $0.kind, bytes: $0.bytes) }
        guard !parts.isEmpty else { return [] }
        parts[0].bytes.removeFirst(firstOffset)
        if lostBytes > 0, let end = parts[0].bytes.firstIndex(of: 10) { parts[0].bytes.removeFirst(end + 1) }
        return parts
    }

    private mutating func dropOldest(_ count: Int) {
        var left = min(count, byteCount)
        lostBytes += UInt64(left)
        while left > 0 {
            let step = min(left, chunks[first].bytes.count - firstOffset)
            consume(step)
            left -= step
        }
    }

    private mutating func consume(_ count: Int) {
        byteCount -= count
        firstOffset += count
        guard firstOffset == chunks[first].bytes.count else { return }
        firstOffset = 0
        chunks[first] = Chunk(kind: .stdout, bytes: [])
        first += 1
        if byteCount == 0 {
            chunks = []
            first = 0
        } else if first > 64, first * 2 > chunks.count {
            chunks.removeFirst(first)
            first = 0
        }
    }
}
