/// A control sequence (ECMA-48 5.4, and SS3) that a terminal sent for a key or as a report.
struct EscapeSequence: Equatable {
    enum Introducer: Equatable { case csi, ss3 }

    enum Taken {
        case sequence(EscapeSequence, length: Int, isAlt: Bool)
        /// The beginning of one.
        case incomplete
        /// Not one.
        case none
    }

    var introducer: Introducer
    /// `<`, `?`, `[` and the like right after the introducer; 0 where there is none.
    var prefix: UInt8 = 0
    /// The numbers; -1 where one is left out.
    var parameters: [Int] = []
    var final: UInt8
    /// What follows `CSI M` in the old mouse protocol.
    var payload: [UInt8] = []

    /// Takes a sequence off the front of `bytes`, which begin with an escape. A second escape before it means alt.
    static func take(from bytes: ArraySlice<UInt8>) -> Taken {
        let body = bytes.dropFirst()
        guard let kind = body.first else { return .incomplete }
        switch kind {
        case UInt8(ascii: "["): return takeControl(body.dropFirst(), before: 2)
        case UInt8(ascii: "O"): return takeSingleShift(body.dropFirst(), before: 2)
        case 0x1B:
            guard let next = body.dropFirst().first else { return .incomplete }
            guard next == UInt8(ascii: "[") || next == UInt8(ascii: "O") else { return .none }
            guard case .sequence(let sequence, let length, _) = take(from: body) else { return take(from: body) }
            return .sequence(sequence, length: length + 1, isAlt: true)
        default: return .none
        }
    }

    private static func takeControl(_ bytes: ArraySlice<UInt8>, before: Int) -> Taken {
        var rest = bytes
        var sequence = EscapeSequence(introducer: .csi, final: 0)
        if let mark = rest.first, mark == UInt8(ascii: "[") || (0x3C...0x3F).contains(mark) {
            sequence.prefix = mark
            rest.removeFirst()
        }
        let parameters = rest.prefix { (0x30...0x3B).contains($0) }
        sequence.parameters = numbers(parameters)
        // `$` is an intermediate byte to the standard, and the end of a shifted key to rxvt.
        let isKeyEnd = sequence.prefix == 0
        rest = rest.dropFirst(parameters.count)
            .drop { (0x20...0x2F).contains($0) && !(isKeyEnd && $0 == UInt8(ascii: "$")) }
        guard let final = rest.first else { return .incomplete }
        guard (0x40...0x7E).contains(final) || final == UInt8(ascii: "$") else { return .none }
        sequence.final = final
        rest.removeFirst()
        let isOldMouse = final == UInt8(ascii: "M") && sequence.prefix == 0 && parameters.isEmpty
        if isOldMouse {
            guard rest.count >= 3 else { return .incomplete }
            sequence.payload = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
        }
        return .sequence(sequence, length: before + bytes.count - rest.count, isAlt: false)
    }

    private static func takeSingleShift(_ bytes: ArraySlice<UInt8>, before: Int) -> Taken {
        let digits = bytes.prefix { (0x30...0x3B).contains($0) }
        guard let final = bytes.dropFirst(digits.count).first else { return .incomplete }
        guard (0x40...0x7E).contains(final) else { return .none }
        let sequence = EscapeSequence(introducer: .ss3, parameters: numbers(digits), final: final)
        return .sequence(sequence, length: before + digits.count + 1, isAlt: false)
    }

    /// The numbers between semicolons; of `a:b` only `a`, since what follows the colon are variants that are not used.
    private static func numbers(_ bytes: ArraySlice<UInt8>) -> [Int] {
        guard !bytes.isEmpty else { return [] }
        return bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { field in
            let digits = field.prefix { $0 != UInt8(ascii: ":") }
            return digits.isEmpty ? -1 : digits.reduce(0) { min($0 * 10 + Int($1 - 0x30), 1 << 24) }
        }
    }
}
