/// A control sequence (ECMA-48 5.4) as a program sent it: `CSI`, a private prefix, numbers, intermediate bytes, a final byte.
package struct ControlSequence: Equatable {
    /// More than any sequence with a meaning has; what follows is left out.
    static let numberLimit = 32
    private static let largest: Int32 = 65535

    /// `?`, `>`, `<` or `=`; 0 for none.
    var prefix: UInt8 = 0
    /// The last intermediate byte; 0 for none.
    var intermediate: UInt8 = 0
    package var final: UInt8 = 0
    /// The numbers; -1 where one is left out.
    private(set) var numbers: [Int32] = []
    /// Which numbers follow a colon: they belong to the one before.
    private(set) var isSubordinate: [Bool] = []

    package init() {}

    package mutating func reset() {
        prefix = 0
        intermediate = 0
        final = 0
        numbers.removeAll(keepingCapacity: true)
        isSubordinate.removeAll(keepingCapacity: true)
    }

    /// Takes a byte that stands between the introducer and the final one; false where none such belongs there.
    package mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39 where intermediate == 0: take(digit: byte)
        case 0x3A, 0x3B:
            guard intermediate == 0 else { return false }
            take(separator: byte)
        case 0x3C...0x3F where numbers.isEmpty && prefix == 0 && intermediate == 0: prefix = byte
        case 0x20...0x2F: intermediate = byte
        default: return false
        }
        return true
    }

    /// SGR (ECMA-48 8.3.117). With a prefix the same letter is another matter: xterm's keyboard for one.
    package var isGraphicRendition: Bool { final == UInt8(ascii: "m") && prefix == 0 && intermediate == 0 }

    private mutating func take(digit: UInt8) {
        if numbers.isEmpty { begin(subordinate: false) }
        let last = numbers.count - 1
        numbers[last] = min(Self.largest, max(0, numbers[last]) * 10 + Int32(digit - 0x30))
    }

    private mutating func take(separator: UInt8) {
        if numbers.isEmpty { begin(subordinate: false) }
        if numbers.count < Self.numberLimit { begin(subordinate: separator == UInt8(ascii: ":")) }
    }

    private mutating func begin(subordinate: Bool) {
        numbers.append(-1)
        isSubordinate.append(subordinate)
    }

    /// The number at `index`; `missing` where it is left out.
    func number(_ index: Int, or missing: Int) -> Int {
        index < numbers.count && numbers[index] >= 0 ? Int(numbers[index]) : missing
    }

    /// The number at `index` as a count: at least 1.
    func count(_ index: Int = 0) -> Int { max(1, number(index, or: 1)) }
}
