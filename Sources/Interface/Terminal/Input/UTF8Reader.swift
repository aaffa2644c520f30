/// Reads one scalar off the front of bytes that may be cut anywhere or be no UTF-8 at all.
struct UTF8Reader {
    private let bytes: ArraySlice<UInt8>
    /// How many bytes the scalar took.
    private(set) var length = 0

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The scalar; U+FFFD for bytes that are none; nil where more are needed and may still come (`isFinal` false).
    mutating func next(isFinal: Bool) -> Unicode.Scalar? {
        guard let first = bytes.first else { return nil }
        let needed = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        let available = 1 + bytes.dropFirst().prefix(needed - 1).prefix { $0 & 0xC0 == 0x80 }.count
        if available < needed, available == bytes.count, !isFinal { return nil }
        length = available
        var iterator = bytes.prefix(available).makeIterator()
        var decoder = UTF8()
        if case .scalarValue(let scalar) = decoder.decode(&iterator) { return scalar }
        return "\u{FFFD}"
    }
}
