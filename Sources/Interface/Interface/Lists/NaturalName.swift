/// A name as people order names: numbers in it count as such, so that `web-2` comes before `web-10`.
struct NaturalName: Comparable, Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func < (left: NaturalName, right: NaturalName) -> Bool {
        let (left, right) = (left.text.utf8, right.text.utf8)
        var (i, j) = (left.startIndex, right.startIndex)
        while i < left.endIndex, j < right.endIndex {
            guard isDigit(left[i]), isDigit(right[j]) else {
                if left[i] != right[j] { return left[i] < right[j] }
                left.formIndex(after: &i)
                right.formIndex(after: &j)
                continue
            }
            let (one, other) = (number(in: left[i...]), number(in: right[j...]))
            if one.count != other.count { return one.count < other.count }
            if !one.elementsEqual(other) { return one.lexicographicallyPrecedes(other) }
            (i, j) = (one.endIndex, other.endIndex)
        }
        if i < left.endIndex || j < right.endIndex { return i == left.endIndex }
        // Differing in zeros before a number at most.
        return left.lexicographicallyPrecedes(right)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// The digits that a text begins with, without zeros before them.
    private static func number(in text: Substring.UTF8View) -> Substring.UTF8View {
        text.prefix(while: isDigit).drop { $0 == 0x30 }
    }
}
