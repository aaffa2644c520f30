/// UTF-8 taken byte by byte (Unicode 3.9, table 3-7): no overlong form, no surrogate, nothing above U+10FFFF.
struct PartialScalar {
    enum Step: Equatable {
        case ascii
        case incomplete
        case scalar(Unicode.Scalar)
        case invalid
        /// What came before was cut off; the byte itself has not been taken.
        case invalidBefore
    }

    private var value: UInt32 = 0
    private var missing = 0
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    var isEmpty: Bool { missing == 0 }

    mutating func take(_ byte: UInt8) -> Step {
        guard missing > 0 else { return begin(byte) }
        guard allowed.contains(byte) else {
            missing = 0
            return .invalidBefore
        }
        value = value << 6 | UInt32(byte & 0x3F)
        missing -= 1
        allowed = 0x80...0xBF
        guard missing == 0 else { return .incomplete }
        return Unicode.Scalar(value).map(Step.scalar) ?? .invalid
    }

    private mutating func begin(_ byte: UInt8) -> Step {
        switch byte {
        case 0..<0x80: return .ascii
        case 0xC2...0xDF: expect(1, byte & 0x1F, 0x80...0xBF)
        case 0xE0: expect(2, 0, 0xA0...0xBF)
        case 0xED: expect(2, 0x0D, 0x80...0x9F)
        case 0xE1...0xEF: expect(2, byte & 0x0F, 0x80...0xBF)
        case 0xF0: expect(3, 0, 0x90...0xBF)
        case 0xF1...0xF3: expect(3, byte & 0x07, 0x80...0xBF)
        case 0xF4: expect(3, 4, 0x80...0x8F)
        default: return .invalid
        }
        return .incomplete
    }

    private mutating func expect(_ count: Int, _ bits: UInt8, _ next: ClosedRange<UInt8>) {
        missing = count
        value = UInt32(bits)
        allowed = next
    }
}
