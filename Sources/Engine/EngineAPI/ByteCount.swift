/// Sizes as docker's options write them: `10m`, `1.5g`, `512`, `64kb`; powers of 1024.
package enum ByteCount {
    package static func parse(_ text: String) -> Int64? {
        var word = text.lowercased()
        if word.hasSuffix("ib") { word.removeLast(2) } else if word.hasSuffix("b") { word.removeLast() }
        let shifts: [Character: Int64] = ["k": 10, "m": 20, "g": 30, "t": 40, "p": 50]
        var factor: Int64 = 1
        if let last = word.last, let shift = shifts[last] {
            factor = 1 << shift
            word.removeLast()
        }
        // Docker allows one before the unit.
        if word.hasSuffix(" ") { word.removeLast() }
        // Other forms of numbers, such as `0x10` or `1e3`, are none of docker's.
        let digits = word.hasPrefix("-") ? word.dropFirst() : word[...]
        guard digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }), let number = Double(word),
            number.isFinite
        else { return nil }
        return Int64(exactly: (number * Double(factor)).rounded(.down))
    }
}
