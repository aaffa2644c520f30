/// An amount of memory as callers of runc write it: `64m`, `1.5GiB`, `1048576`, with units of 1024.
package enum ByteSize {
    /// Nil for what is no such amount, or one of more than 63 bits.
    package static func bytes(_ text: String) -> Int64? {
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        guard let first = number.first, first != ".", number.last != ".", let value = Double(number) else { return nil }
        var unit = text.dropFirst(number.count).lowercased()[...]
        if unit.first == " " { unit = unit.dropFirst() }
        if unit.last == "b" { unit = unit.dropLast() }
        if unit.count == 2, unit.last == "i" { unit = unit.dropLast() }
        guard let scale = scales[String(unit)] else { return nil }
        let bytes = value * scale
        return bytes < 9.2e18 ? Int64(bytes) : nil
    }

    private static let scales: [String: Double] = [
        "": 1, "k": 0x1p10, "m": 0x1p20, "g": 0x1p30, "t": 0x1p40, "p": 0x1p50,
    ]
}
