/// The text of a statistics file, read in place: no string is made.
struct StatText {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The number that the file holds; nil for a word such as `max`.
    var number: UInt64? {
        var fields = fields(of: 0..<bytes.count)
        return fields.nextNumber()
    }

    /// The number behind `key` at the beginning of a line: `key 123`.
    func value(of key: StaticString) -> UInt64? {
        var found: UInt64?
        forEachLine { line in
            var fields = line
            guard found == nil, fields.nextIs(key) else { return }
            found = fields.nextNumber()
        }
        return found
    }

    /// All numbers up to the first word that is none.
    var numbers: [UInt64] {
        var fields = fields(of: 0..<bytes.count)
        var numbers: [UInt64] = []
        while let number = fields.nextNumber() { numbers.append(number) }
        return numbers
    }

    /// The lines `key 123`, by their keys.
    var counters: [String: UInt64] {
        var counters: [String: UInt64] = [:]
        forEachLine { line in
            var fields = line
            guard let key = fields.next(), let number = fields.nextNumber() else { return }
            counters[String(decoding: key, as: UTF8.self)] = number
        }
        return counters
    }

    func forEachLine(_ body: (Fields) -> Void) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
            body(fields(of: start..<end))
            start = end + 1
        }
    }

    private func fields(of range: Range<Int>) -> Fields {
        Fields(bytes: bytes, position: range.lowerBound, end: range.upperBound)
    }

    /// What of a line has not been taken.
    struct Fields {
        fileprivate let bytes: UnsafeRawBufferPointer
        fileprivate var position: Int
        fileprivate let end: Int

        /// The next word, up to a space, a colon or an equals sign.
        mutating func next() -> UnsafeRawBufferPointer? {
            while position < end, Self.isSeparator(bytes[position]) { position += 1 }
            guard position < end else { return nil }
            let start = position
            while position < end, !Self.isSeparator(bytes[position]) { position += 1 }
            return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        }

        /// Takes the next word and tells whether it is `word`, in capitals or not.
        mutating func nextIs(_ word: StaticString) -> Bool {
            guard let next = next() else { return false }
            return StatText.equals(next, word)
        }

        mutating func nextNumber() -> UInt64? {
            guard let word = next() else { return nil }
            return StatText.number(in: word)
        }

        private static func isSeparator(_ byte: UInt8) -> Bool {
            byte == 32 || byte == 9 || byte == 10 || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "=")
        }
    }

    static func number(in word: UnsafeRawBufferPointer) -> UInt64? {
        var value: UInt64 = 0
        for byte in word {
            guard byte >= 48, byte <= 57 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = product.addingReportingOverflow(UInt64(byte - 48))
            guard !overflow, !overflowToo else { return nil }
            value = sum
        }
        return word.isEmpty ? nil : value
    }

    /// Kernels have spelled `Read` and `read`.
    static func equals(_ word: UnsafeRawBufferPointer, _ expected: StaticString) -> Bool {
        guard word.count == expected.utf8CodeUnitCount else { return false }
        for index in 0..<word.count where lower(word[index]) != lower(expected.utf8Start[index]) { return false }
        return true
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte + 32 : byte }
}
