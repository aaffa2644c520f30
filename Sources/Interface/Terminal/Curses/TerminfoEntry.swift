/// A compiled terminfo entry (term(5)), as far as it takes to make one that speaks 24-bit colour out of one that does not.
///
/// Curses writes the colours that the entry describes, and the entries that users have (`xterm-256color`, `tmux-256color`,
/// `xterm-kitty`) describe 256, whatever the terminal can do. The `-direct` entries exist for few terminals and are in
/// no base system. So the user's own entry is taken and its colours are replaced.
struct TerminfoEntry: Equatable {
    /// Places of capabilities in the tables, from term(5)'s list, which only ever grows at its end.
    private enum Index {
        static let canChangeColor = 27
        static let maxColors = 13
        static let maxPairs = 14
        static let setForeground = 359
        static let setBackground = 360
    }

    private static let smallNumbers = 0o432
    private static let wideNumbers = 0o1036
    private static let absent = -1

    var names: [UInt8]
    var booleans: [UInt8]
    var numbers: [Int]
    /// Without the zero at the end; nil for a string that the entry does not have.
    var strings: [[UInt8]?]

    /// Reads the fixed part; the user-defined part is left out. Nil for what is no such file.
    init?(compiled bytes: [UInt8]) {
        var reader = LittleEndianReader(bytes)
        guard let magic = reader.short(), magic == Self.smallNumbers || magic == Self.wideNumbers,
            let nameSize = reader.short(), let booleanCount = reader.short(), let numberCount = reader.short(),
            let stringCount = reader.short(), let tableSize = reader.short(), numberCount >= 0, stringCount >= 0,
            let names = reader.take(nameSize), let booleans = reader.take(booleanCount)
        else { return nil }
        reader.align()
        var numbers: [Int] = []
        for _ in 0..<numberCount {
            guard let number = magic == Self.wideNumbers ? reader.long() : reader.short() else { return nil }
            numbers.append(number)
        }
        var offsets: [Int] = []
        for _ in 0..<stringCount {
            guard let offset = reader.short() else { return nil }
            offsets.append(offset)
        }
        guard let table = reader.take(tableSize) else { return nil }
        self.names = names
        self.booleans = booleans
        self.numbers = numbers
        strings = offsets.map { offset in
            guard offset >= 0, offset < table.count else { return nil }
            return Array(table[offset...].prefix { $0 != 0 })
        }
    }

    /// The same terminal with 2²⁴ colours: numbers up to 255 are the palette's, all others `0xRRGGBB`.
    func withDirectColor() -> TerminfoEntry {
        var entry = self
        entry.booleans.pad(to: Index.canChangeColor + 1, with: 0)
        entry.booleans[Index.canChangeColor] = 0
        entry.numbers.pad(to: Index.maxPairs + 1, with: Self.absent)
        entry.numbers[Index.maxColors] = 1 << 24
        entry.numbers[Index.maxPairs] = 1 << 16
        entry.strings.pad(to: Index.setBackground + 1, with: nil)
        entry.strings[Index.setForeground] = Self.directColor(selector: 38)
        entry.strings[Index.setBackground] = Self.directColor(selector: 48)
        return entry
    }

    /// In words: below 256 `selector;5;n`, else `selector;2;r;g;b`.
    private static func directColor(selector: Int) -> [UInt8] {
        let channels = "%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d"
        return Array("\u{1B}[%?%p1%{256}%<%t\(selector);5;%p1%d%e\(selector);2;\(channels)%;m".utf8)
    }

    /// The compiled form, with the two user-defined booleans that direct colour needs: `AX` (the default colours can be
    /// chosen) and `RGB` (a colour number holds its channels).
    func compiledWithDirectColorFlags() -> [UInt8] {
        var writer = LittleEndianWriter()
        let (offsets, table) = Self.table(of: strings)
        for value in [Self.wideNumbers, names.count, booleans.count, numbers.count, strings.count, table.count] {
            writer.short(value)
        }
        writer.bytes += names + booleans
        writer.align()
        for number in numbers { writer.long(number) }
        for offset in offsets { writer.short(offset) }
        writer.bytes += table
        writer.align()
        let (flagOffsets, flagTable) = Self.table(of: [Array("AX".utf8), Array("RGB".utf8)])
        // Two booleans, no number, no string; the table holds their two names.
        for value in [2, 0, 0, 2, flagTable.count] { writer.short(value) }
        writer.bytes += [1, 1]
        writer.align()
        for offset in flagOffsets { writer.short(offset) }
        writer.bytes += flagTable
        return writer.bytes
    }

    private static func table(of strings: [[UInt8]?]) -> (offsets: [Int], table: [UInt8]) {
        var table: [UInt8] = []
        let offsets = strings.map { string in
            guard let string else { return absent }
            defer { table += string + [0] }
            return table.count
        }
        return (offsets, table)
    }
}

extension Array {
    fileprivate mutating func pad(to count: Int, with element: Element) {
        while self.count < count { append(element) }
    }
}

private struct LittleEndianReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, offset + count <= bytes.count else { return nil }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    mutating func short() -> Int? { take(2).map { Int(Int16(truncatingIfNeeded: Int($0[0]) | Int($0[1]) << 8)) } }

    mutating func long() -> Int? {
        take(4).map { bytes in
            Int(Int32(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }))
        }
    }

    mutating func align() { offset += offset % 2 }
}

private struct LittleEndianWriter {
    var bytes: [UInt8] = []

    mutating func short(_ value: Int) {
        let bits = UInt16(truncatingIfNeeded: value)
        bytes += [UInt8(bits & 0xFF), UInt8(bits >> 8)]
    }

    mutating func long(_ value: Int) {
        short(value)
        short(value >> 16)
    }

    mutating func align() {
        if bytes.count % 2 == 1 { bytes.append(0) }
    }
}
