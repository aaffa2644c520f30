import Glibc
import SeededNumbers
import Terminal
import Testing

@testable import Emulator

/// Output of a container is anything at all.
@Suite struct EmulatorEnduranceTests {
    @Test("Random bytes, resizes and reads among them do no harm", arguments: 1...6)
    func randomBytes(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let emulator = GridEmulator(size: Size(columns: 80, rows: 24))
        for _ in 0..<150 {
            var bytes = (0..<2000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Pure noise seldom makes a whole sequence: sow some.
            for _ in 0..<100 {
                let at = Int(random.next() % UInt64(bytes.count - 8))
                let modes = [1, 3, 5, 6, 7, 47, 1047, 1048, 1049, 1000, 2004]
                let sequences = [
                    "\u{1B}[\(random.next() % 300);\(random.next() % 300)", "\u{1B}[\(random.next() % 70000)",
                    "\u{1B}[?\(modes[Int(random.next() % 11)])" + (random.next() % 2 == 0 ? "h" : "l"), "\u{1B}",
                ]
                let sown = Array(sequences[Int(random.next() % 4)].utf8) + [UInt8(0x40 + random.next() % 62)]
                bytes.replaceSubrange(at..<at + 1, with: sown)
            }
            emulator.feed(bytes)
            if random.next() % 4 == 0 {
                emulator.resize(to: Size(columns: 1 + Int(random.next() % 120), rows: 1 + Int(random.next() % 50)))
            }
            for number in emulator.lines.suffix(60) { check(emulator.line(number)) }
            _ = emulator.takeOutput()
        }
        emulator.resize(to: Size(columns: 80, rows: 24))
        emulator.reset()
        emulator.feed(Array("\u{1B}[Hstill here".utf8))
        #expect(emulator.text(ofLine: emulator.liveStart).hasPrefix("still here"))
    }

    /// Every wide cell has its continuation, every continuation its wide cell.
    private func check(_ cells: [Cell]) {
        for (index, cell) in cells.enumerated() {
            if cell.width == 2 { #expect(index + 1 < cells.count && cells[index + 1].isContinuation) }
            if cell.isContinuation { #expect(index > 0 && cells[index - 1].width == 2) }
        }
    }

    @Test("A line of 4 MB in one piece is taken")
    func longLine() {
        let emulator = GridEmulator(size: Size(columns: 80, rows: 24))
        emulator.feed([UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20))
        emulator.feed(Array("\r\nend".utf8))
        #expect(emulator.text(ofLine: emulator.lines.upperBound - 1) == "end")
    }

    @Test("A control string without an end takes no memory, and its end is still seen")
    func endlessControlString() {
        for opening in ["]2;", "P", "_", "^", "X"] {
            let emulator = GridEmulator(size: Size(columns: 20, rows: 2))
            emulator.feed(Array("\u{1B}\(opening)".utf8))
            let piece = [UInt8](repeating: UInt8(ascii: "y"), count: 1 << 20)
            let before = residentBytes()
            for _ in 0..<20 { emulator.feed(piece) }
            #expect(residentBytes() - before < 8 << 20)
            emulator.feed(Array("\u{1B}\\seen".utf8))
            #expect(emulator.text(ofLine: emulator.liveStart) == "seen")
        }
    }

    @Test("A repetition repeats the last character to the end of the row at most, wide and combining ones too")
    func repetition() {
        let emulator = GridEmulator(size: Size(columns: 10, rows: 6))
        emulator.feed(Array("-\u{1B}[4b|\r\n日\u{1B}[1b\u{1B}[31m\u{1B}[9G\u{1B}[9b".utf8))
        #expect(emulator.text(ofLine: emulator.liveStart) == "-----|")
        #expect(emulator.text(ofLine: emulator.liveStart + 1).hasPrefix("日日"))
        emulator.feed(Array("\u{1B}[H\u{1B}[J\u{301}\u{1B}[5b\u{1B}[99999999999999b\u{1B}[2147483647B\rend".utf8))
        #expect(emulator.text(ofLine: emulator.lines.upperBound - 1).hasPrefix("end"))
    }

    @Test("A repetition fills a row's worth of cells at most", arguments: ["x", "日", "\u{1B}(0q"])
    func repetitionWithoutEnd(text: String) {
        let emulator = GridEmulator(size: Size(columns: 10, rows: 6))
        emulator.feed(Array((text + String(repeating: "\u{1B}[65535b", count: 3)).utf8))
        #expect(emulator.lines.count == 6, "nothing has scrolled")
        let filled = emulator.lines.map { emulator.text(ofLine: $0) }.count { !$0.isEmpty }
        #expect(filled == 4)
    }

    private func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return 0 }
        let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self).split(separator: " ")
        return (Int(fields[1]) ?? 0) * 4096
    }
}
