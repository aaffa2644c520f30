import ShimAPI
import Testing

@testable import Shim

@Suite struct OutputRingTests {
    private func append(_ ring: inout OutputRing, _ text: String, _ kind: OutputKind = .stdout) {
        Array(text.utf8).withUnsafeBytes { ring.append($0, kind) }
    }

    private func drain(_ ring: inout OutputRing) -> [ShimStreamFrame] {
        var frames: [ShimStreamFrame] = []
        while let frame = ring.next() { frames.append(frame) }
        return frames
    }

    @Test("What fits comes out as it went in, joined while it is of one kind")
    func order() {
        var ring = OutputRing(capacityBytes: 100)
        append(&ring, "one ")
        append(&ring, "two")
        append(&ring, "err", .stderr)
        append(&ring, "three")
        #expect(
            drain(&ring) == [
                .stdout(Array("one two".utf8)), .stderr(Array("err".utf8)), .stdout(Array("three".utf8)),
            ])
        #expect(ring.isEmpty)
    }

    @Test("What is too much drops the oldest, and tells how much before the rest")
    func overflow() {
        var ring = OutputRing(capacityBytes: 10)
        append(&ring, "abcdef")
        append(&ring, "ghijkl")
        #expect(drain(&ring) == [.lost(byteCount: 2), .stdout(Array("cdefghijkl".utf8))])
        append(&ring, "0123456789ABCDEF")
        #expect(drain(&ring) == [.lost(byteCount: 6), .stdout(Array("6789ABCDEF".utf8))])
    }

    @Test("No byte is unaccounted for, whatever comes and goes")
    func accounting() {
        var ring = OutputRing(capacityBytes: 1000)
        var written = 0
        var seen = 0
        for _ in 0..<3000 {
            let count = Int.random(in: 0...700)
            append(&ring, String(repeating: "x", count: count), Bool.random() ? .stdout : .stderr)
            written += count
            #expect(ring.byteCount <= 1000)
            for _ in 0..<Int.random(in: 0...3) {
                switch ring.next() {
                case .stdout(let bytes), .stderr(let bytes): seen += bytes.count
                case .lost(let count): seen += Int(count)
                default: break
                }
            }
        }
        for frame in drain(&ring) {
            switch frame {
            case .stdout(let bytes), .stderr(let bytes): seen += bytes.count
            case .lost(let count): seen += Int(count)
            default: Issue.record("\(frame)")
            }
        }
        #expect(seen == written)
    }

    @Test("No frame holds more than a frame may")
    func frameSize() {
        var ring = OutputRing(capacityBytes: 1 << 20)
        append(&ring, String(repeating: "y", count: 200_000))
        let sizes = drain(&ring).map { frame in
            if case .stdout(let bytes) = frame { bytes.count } else { -1 }
        }
        #expect(sizes == [65536, 65536, 65536, 200_000 - 3 * 65536])
    }

    @Test("A replay takes nothing away, and begins behind a line end where older output is gone")
    func replay() {
        var ring = OutputRing(capacityBytes: 12)
        append(&ring, "abc\n")
        #expect(ring.replay().flatMap(\.bytes) == Array("abc\n".utf8))
        append(&ring, "def\nghi\njkl\n")
        append(&ring, "m")
        #expect(String(decoding: ring.replay().flatMap(\.bytes), as: UTF8.self) == "ghi\njkl\nm")
        #expect(ring.byteCount == 12)
    }
}
