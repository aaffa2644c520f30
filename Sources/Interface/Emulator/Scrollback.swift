import Terminal

/// The lines that scrolled off a screen, oldest first, within a limit of lines and of bytes.
struct Scrollback {
    private let limit: ScrollbackLimit
    /// The kept lines are those from `head` on; the space before is given back when it is the larger part.
    private var storage: [ScrollbackLine] = []
    private var head = 0
    private var sizeBytes = 0
    /// How many lines have gone at the old end since the beginning.
    private(set) var dropped = 0

    init(limit: ScrollbackLimit) { self.limit = limit }

    var count: Int { storage.count - head }

    func cells(at index: Int) -> [Cell] { storage[head + index].cells }

    mutating func append(_ line: ScrollbackLine) {
        storage.append(line)
        sizeBytes += line.sizeBytes
        while count > 0, count > limit.lines || sizeBytes > limit.bytes { dropOldest() }
        if head > 64, head > storage.count / 2 {
            storage.removeFirst(head)
            head = 0
        }
    }

    /// Takes the newest line back, when a screen grows.
    mutating func removeLast() -> ScrollbackLine? {
        guard count > 0 else { return nil }
        let line = storage.removeLast()
        sizeBytes -= line.sizeBytes
        return line
    }

    mutating func removeAll() {
        dropped += count
        storage = []
        head = 0
        sizeBytes = 0
    }

    private mutating func dropOldest() {
        sizeBytes -= storage[head].sizeBytes
        storage[head] = ScrollbackLine([])
        head += 1
        dropped += 1
    }
}

/// A line of cells in little room: its text as UTF-8 and its styles by runs. The blank cells at the end are left out.
struct ScrollbackLine: Equatable {
    private struct Run: Equatable {
        var style: Style
        var cells: Int
    }

    private let text: [UInt8]
    private let runs: [Run]

    init(_ cells: [Cell]) {
        let plain = Style.plain
        var end = cells.count
        while end > 0, cells[end - 1].scalars[0] == 0x20, cells[end - 1].scalars[1] == 0, cells[end - 1].style == plain
        {
            end -= 1
        }
        var text: [UInt8] = []
        text.reserveCapacity(end)
        var runs: [Run] = []
        var run = Run(style: plain, cells: 0)
        for index in 0..<end where !cells[index].isContinuation {
            Self.append(cells[index], to: &text)
            if !(cells[index].style == run.style) {
                if run.cells > 0 { runs.append(run) }
                run = Run(style: cells[index].style, cells: 0)
            }
            run.cells += 1
        }
        // A line in the plain style alone needs no run.
        if run.cells > 0, !runs.isEmpty || run.style != plain { runs.append(run) }
        self.text = text
        self.runs = runs
    }

    private static func append(_ cell: Cell, to text: inout [UInt8]) {
        if cell.scalars[0] < 0x80, cell.scalars[1] == 0 { return text.append(UInt8(cell.scalars[0])) }
        for index in 0..<4 where cell.scalars[index] != 0 {
            guard let scalar = Unicode.Scalar(cell.scalars[index]) else { continue }
            for byte in UTF8.encode(scalar) ?? Self.replacement { text.append(byte) }
        }
    }

    private static let replacement = UTF8.encodedReplacementCharacter

    /// What the line holds of the memory, with the two allocations' own share.
    var sizeBytes: Int { text.count + runs.count * MemoryLayout<Run>.stride + 96 }

    var cells: [Cell] {
        var cells: [Cell] = []
        cells.reserveCapacity(text.count)
        var runs = runs.makeIterator()
        var run = runs.next()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.value >= 0x300, TextWidth.columns(of: scalar) == 0, let last = lastBase(of: cells) {
                cells[last].combine(scalar)
                continue
            }
            if run?.cells == 0 { run = runs.next() }
            let style = run?.style ?? .plain
            run?.cells -= 1
            cells.append(Cell(scalar, style: style))
            if cells[cells.count - 1].width == 2 { cells.append(.continuation(style: style)) }
        }
        return cells
    }

    private func lastBase(of cells: [Cell]) -> Int? { cells.lastIndex { !$0.isContinuation } }
}
