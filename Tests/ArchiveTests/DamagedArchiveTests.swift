import Archive
import Content
import Glibc
import ImageFixtures
import Linux
import OCI
import Testing

/// Archives with bytes changed at random, from a fixed seed: each is refused or unpacked, and nothing outside of the root
/// is touched.
@Suite struct DamagedArchiveTests {
    private static func archive() -> [UInt8] {
        var tar = TarBytes()
        tar.directory("etc/")
        tar.file("etc/passwd", String(repeating: "x", count: 700))
        tar.file("etc/.wh.gone")
        tar.link("etc/link", to: "../passwd")
        tar.link("etc/hard", to: "etc/passwd", .hardLink)
        tar.file(String(repeating: "long/", count: 40) + "name", "deep")
        tar.add(TarMember("null", .characterDevice, mode: 0o666))
        tar.file("opaque/.wh..wh..opq")
        tar.link("up", to: "../../../..")
        tar.file("up/escape", "out")
        return tar.finished
    }

    @Test("A damaged layer is refused or unpacked, and leaves its surroundings alone", arguments: 0..<8)
    func damaged(seed: Int) throws {
        let whole = Self.archive()
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ 1
        func random(_ limit: Int) -> Int {
            // xorshift64* (Vigna 2016): the same on every machine.
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % limit
        }
        let limits = UnpackLimits(bytes: 1 << 22, entries: 1000)
        var outcomes = (refused: 0, unpacked: 0)
        for _ in 0..<40 {
            var bytes = whole
            for _ in 0...random(6) {
                // Mostly in headers, where it hurts.
                let block = random(bytes.count / 512)
                bytes[block * 512 + random(random(2) == 0 ? 512 : 160)] = UInt8(random(256))
            }
            if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
            if random(2) == 0 { Self.mendChecksums(&bytes) }
            let layer = try LayerCase(onTmpfs: true)
            do {
                try layer.apply(bytes, limits: limits)
                outcomes.unpacked += 1
            } catch let error as ArchiveError {
                #expect(!error.description.isEmpty)
                outcomes.refused += 1
            }
            #expect(try Directory.list(layer.temporary.path).sorted() == ["layer", "root"])
        }
        #expect(outcomes.refused > 0)
    }

    @Test("A header whose checksum is wrong is refused, and no member is passed over in silence", arguments: 0..<3)
    func wrongChecksum(member: Int) throws {
        var tar = TarBytes()
        for name in ["one", "two", "three"] { tar.file(name, name) }
        var bytes = tar.finished
        bytes[member * 1024 + 100] ^= 1
        let layer = try LayerCase(onTmpfs: true)
        let error = #expect(throws: ArchiveError.self) { try layer.apply(bytes) }
        guard case .invalid? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// Else most damage would be found by the checksum alone.
    private static func mendChecksums(_ bytes: inout [UInt8]) {
        for start in stride(from: 0, to: bytes.count - 511, by: 512)
        where Array(bytes[start + 257..<start + 262]) == Array("ustar".utf8) {
            for place in start + 148..<start + 156 { bytes[place] = 32 }
            let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
            let digits = String(sum, radix: 8)
            let field = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "\0 "
            for (offset, byte) in field.utf8.prefix(8).enumerated() { bytes[start + 148 + offset] = byte }
        }
    }
}
