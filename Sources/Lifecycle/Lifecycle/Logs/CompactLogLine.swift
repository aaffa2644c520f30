import EngineAPI
import Glibc

/// Reads the lines of the driver `local`: a letter for the stream (`o`, `e`; a capital where the line goes on in the next
/// one), eleven digits of base 64 for the nanoseconds since 1970, and the line as it was written.
enum CompactLogLine {
    private static let digitCount = 11

    /// What a line without its line end says, and its bytes written to `output`, which has room for one more than the
    /// line has; nil for what is none.
    static func parse(_ line: UnsafeBufferPointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) -> LogLine? {
        guard line.count > digitCount, let base = line.baseAddress, let letter = line.first else { return nil }
        let source: LogEntry.Source
        switch letter | 0x20 {
        case UInt8(ascii: "o"): source = .stdout
        case UInt8(ascii: "e"): source = .stderr
        default: return nil
        }
        var time: UInt64 = 0
        for place in 1...digitCount {
            guard let digit = value(line[place]) else { return nil }
            time = time << 6 | digit
        }
        var count = line.count - digitCount - 1
        output.update(from: base + digitCount + 1, count: count)
        if letter & 0x20 != 0 {
            output[count] = 10
            count += 1
        }
        return LogLine(
            byteCount: count, source: source, time: Timestamp(nanosecondsSinceEpoch: Int64(bitPattern: time)))
    }

    /// In the order of their bytes: `-`, digits, capitals, `_`, small letters.
    private static func value(_ digit: UInt8) -> UInt64? {
        switch digit {
        case 45: 0
        case 48...57: UInt64(digit) - 47
        case 65...90: UInt64(digit) - 54
        case 95: 37
        case 97...122: UInt64(digit) - 59
        default: nil
        }
    }
}
