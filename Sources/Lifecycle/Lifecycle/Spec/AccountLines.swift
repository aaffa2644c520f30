import Glibc

/// The lines of passwd(5) and group(5), whose fields colons part, as bytes: of a large file most lines are never looked at
/// beyond what was asked for.
enum AccountLines {
    /// The first of what `look` gives for the lines, in their order.
    static func first<Found>(of text: [UInt8], _ look: (AccountLine) -> Found?) -> Found? {
        text.withUnsafeBufferPointer { text in
            var position = 0
            while position < text.count, let base = text.baseAddress {
                let rest = UnsafeBufferPointer(rebasing: text[position...])
                let end =
                    memchr(base + position, 10, rest.count)
                    .map { (base + position).distance(to: $0.assumingMemoryBound(to: UInt8.self)) } ?? rest.count
                position += end + 1
                // Where another system wrote the file, lines end in CR LF.
                let length = end > 0 && rest[end - 1] == 13 ? end - 1 : end
                if let found = look(AccountLine(UnsafeBufferPointer(rebasing: rest[..<length]))) { return found }
            }
            return nil
        }
    }
}

/// One of them; good while it is looked at.
struct AccountLine {
    private let bytes: UnsafeBufferPointer<UInt8>

    fileprivate init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Nil where the line has fewer.
    func field(_ number: Int) -> [UInt8]? { place(number).map { Array(bytes[$0]) } }

    /// Whether the field is this text.
    func field(_ number: Int, is text: [UInt8]) -> Bool { place(number).map { bytes[$0].elementsEqual(text) } ?? false }

    /// Nil where the field is none, or none that a user id fits.
    func number(_ number: Int) -> UInt32? {
        guard let place = place(number), !place.isEmpty else { return nil }
        var value: UInt32 = 0
        for index in place {
            let digit = bytes[index] &- 48
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isPast) = product.addingReportingOverflow(UInt32(digit))
            guard digit < 10, !isTooLarge, !isPast else { return nil }
            value = sum
        }
        return value
    }

    /// Whether a group's members, which commas part, have this one among them.
    func hasMember(_ name: [UInt8]) -> Bool {
        guard !name.isEmpty, var rest = place(3), !rest.isEmpty else { return false }
        while true {
            let end = find(UInt8(ascii: ","), in: rest) ?? rest.upperBound
            if end - rest.lowerBound == name.count, bytes[rest.lowerBound..<end].elementsEqual(name) { return true }
            if end >= rest.upperBound { return false }
            rest = end + 1..<rest.upperBound
        }
    }

    private func place(_ number: Int) -> Range<Int>? {
        var start = 0
        for _ in 0..<number {
            guard let colon = find(UInt8(ascii: ":"), in: start..<bytes.count) else { return nil }
            start = colon + 1
        }
        return start..<(find(UInt8(ascii: ":"), in: start..<bytes.count) ?? bytes.count)
    }

    private func find(_ byte: UInt8, in range: Range<Int>) -> Int? {
        guard !range.isEmpty, let base = bytes.baseAddress else { return nil }
        return memchr(base + range.lowerBound, Int32(byte), range.count)
            .map { base.distance(to: $0.assumingMemoryBound(to: UInt8.self)) }
    }
}
