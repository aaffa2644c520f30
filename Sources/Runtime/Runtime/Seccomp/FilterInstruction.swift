/// An instruction of classic BPF: `struct sock_filter` of linux/filter.h, of which a seccomp filter is a list.
struct FilterInstruction: Hashable {
    /// What it does, by the codes of linux/bpf_common.h.
    struct Code: RawRepresentable, Hashable {
        var rawValue: UInt16

        /// A field of `struct seccomp_data` into the accumulator.
        static let load = Code(rawValue: 0x20)
        // Comparisons of the accumulator with `value`.
        static let isEqual = Code(rawValue: 0x15)
        static let isGreater = Code(rawValue: 0x25)
        static let isAtLeast = Code(rawValue: 0x35)
        static let jump = Code(rawValue: 0x05)
        static let answer = Code(rawValue: 0x06)

        var isAnyJump: Bool { rawValue & 0x7 == 0x5 }
        var isAnyAnswer: Bool { rawValue & 0x7 == 0x6 }
    }

    var code: Code
    /// How many instructions a test that holds passes over, and one that does not.
    var yes: UInt8 = 0
    var no: UInt8 = 0
    var value: UInt32

    /// The longest program that the kernel takes: BPF_MAXINSNS.
    static let programLimit = 4096

    /// What `load` takes; the instruction pointer and the arguments lie behind them.
    static let number: UInt32 = 0
    static let architecture: UInt32 = 4

    /// As a little-endian machine lays it out, eight bytes.
    var bytes: [UInt8] {
        [UInt8(truncatingIfNeeded: code.rawValue), UInt8(code.rawValue >> 8), yes, no]
            + (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// The instructions of a program as the kernel takes it; a rest of less than eight bytes is none.
    static func list(_ program: [UInt8]) -> [FilterInstruction] {
        (0..<program.count / 8).map { index in
            let bytes = program[(index * 8)..<(index * 8 + 8)]
            let first = bytes.startIndex
            return FilterInstruction(
                code: Code(rawValue: UInt16(bytes[first]) | UInt16(bytes[first + 1]) << 8),
                yes: bytes[first + 2], no: bytes[first + 3],
                value: bytes.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) })
        }
    }
}
