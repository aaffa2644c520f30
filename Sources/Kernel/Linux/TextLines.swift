/// The lines of text files, which end in LF, or in CR LF where another system wrote them.
///
/// Not `split(separator: "\n")` of a `String`: CR LF is one `Character` there, and no line end.
package enum TextLines {
    /// Without their ends; an empty one that only follows the last end is none.
    package static func split<Bytes: Collection<UInt8>>(_ text: Bytes) -> [Bytes.SubSequence] {
        var lines = text.split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { line in
            let count = line.count
            return count > 0 && line[line.index(line.startIndex, offsetBy: count - 1)] == 13 ? line.dropLast() : line
        }
    }

    /// The lines of a text, without their ends and without the empty ones.
    package static func said(in text: String) -> [Substring] {
        split(text.utf8).compactMap { $0.isEmpty ? nil : Substring($0) }
    }
}
