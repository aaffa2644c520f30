import Terminal

/// Text in rows of a width, broken between words where that is possible.
enum TextWrap {
    /// - Parameter limit: how many are wanted; the rest of the text is not looked at.
    static func lines(of text: String, columns: Int, limit: Int = .max) -> [String] {
        guard limit < 1000 else { return wrapped(text, columns: columns) }
        // A row holds no more characters than columns, but for those that take none.
        let seen = text.prefix(max(0, limit) * 2 * (columns + 1))
        return Array(wrapped(String(seen), columns: columns).prefix(max(0, limit)))
    }

    private static func wrapped(_ text: String, columns: Int) -> [String] {
        var lines: [String] = []
        for paragraph in text.split(whereSeparator: \.isNewline) {
            var line = ""
            for word in paragraph.split(separator: " ") {
                let longer = line.isEmpty ? String(word) : "\(line) \(word)"
                if !TextWidth.exceeds(columns, longer) {
                    line = longer
                    continue
                }
                if !line.isEmpty { lines.append(line) }
                line = String(word)
                // A word that is wider than a row by itself.
                while TextWidth.exceeds(columns, line) {
                    let piece = head(of: line, columns: columns)
                    lines.append(String(piece))
                    line.removeFirst(piece.count)
                }
            }
            if !line.isEmpty { lines.append(line) }
        }
        return lines
    }

    /// What of a text fits into so many columns, one character at least.
    private static func head(of text: String, columns: Int) -> Substring {
        var used = 0
        let end = text.indices.first { index in
            used += TextWidth.columns(of: text[index...index])
            return used > columns && index > text.startIndex
        }
        return text[..<(end ?? text.endIndex)]
    }
}
