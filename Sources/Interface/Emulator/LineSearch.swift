import Terminal

/// Finds a text in a line of cells and tells the columns that it covers.
struct LineSearch {
    private let needle: [Character]
    private let ignoresCase: Bool

    init(_ needle: String) {
        ignoresCase = needle == needle.lowercased()
        self.needle = Array(needle)
    }

    func columns(in cells: [Cell]) -> Range<Int>? { allColumns(in: cells, limit: 1).first }

    func allColumns(in cells: [Cell], limit: Int = .max) -> [Range<Int>] {
        let (characters, starts) = flatten(cells)
        var found: [Range<Int>] = []
        var index = 0
        while index + needle.count <= characters.count, found.count < limit {
            if matches(characters, at: index) {
                found.append(starts[index]..<starts[index + needle.count])
                index += needle.count
            } else {
                index += 1
            }
        }
        return found
    }

    private func matches(_ characters: [Character], at index: Int) -> Bool {
        needle.indices.allSatisfy { offset in
            let character = characters[index + offset]
            return character == needle[offset]
                || ignoresCase && character.lowercased() == String(needle[offset])
        }
    }

    /// The characters of the line and the column where each begins, with the end of the line last.
    private func flatten(_ cells: [Cell]) -> ([Character], [Int]) {
        var characters: [Character] = []
        var starts: [Int] = []
        for (column, cell) in cells.enumerated() where !cell.isContinuation {
            guard let character = cell.text.first else { continue }
            characters.append(character)
            starts.append(column)
        }
        return (characters, starts + [cells.count])
    }
}
