/// Which lines of a log pass a filter, as far as that is known.
///
/// Lines are looked at away from the screen's thread, a piece at a time and one piece after the other (`LogPiece`).
/// Meanwhile lines come, and go at the beginning: what that makes of a piece under way is decided here.
struct LogSieve: Hashable, Sendable {
    let filter: LogFilter
    /// The places of those that pass, rising.
    private(set) var passing: [Int] = []
    /// So many lines, from the first one on, have been looked at.
    private(set) var known = 0
    /// What is being looked at.
    private(set) var piece: LogPiece?
    /// Where the piece's lines are by now, as far as what is said of them will hold.
    private var pieceStart = 0
    private var pieceEnd = 0

    init(_ filter: LogFilter) { self.filter = filter }

    func isBehind(_ lines: [LogLine]) -> Bool { known < lines.count }

    /// Has the next lines looked at, unless others are.
    mutating func ask(about lines: [LogLine], number: Int) {
        guard piece == nil, isBehind(lines) else { return }
        var end = known
        var bytes = 0
        while end < lines.count, bytes < LogPiece.byteLimit {
            bytes += lines[end].cost
            end += 1
        }
        piece = LogPiece(number: number, filter: filter, lines: Array(lines[known..<end]))
        (pieceStart, pieceEnd) = (known, end)
    }

    /// Takes the answer: the places, in the piece, of lines that pass.
    mutating func take(_ places: [Int], of number: Int) {
        guard piece?.number == number else { return }
        piece = nil
        guard pieceEnd > known else { return }
        passing += places.map { pieceStart + $0 }.filter { (known..<pieceEnd).contains($0) }
        known = pieceEnd
    }

    /// Lines from a place on have changed, or have others between them.
    mutating func forget(from place: Int) {
        pieceEnd = min(pieceEnd, place)
        guard place < known else { return }
        known = place
        passing.removeLast(passing.reversed().prefix { $0 >= place }.count)
    }

    /// Of the lines that are known, those that do not pass are gone, all `count` of them.
    mutating func keepPassing(leavingOut count: Int) {
        passing = Array(passing.indices)
        known = passing.count
        pieceStart -= count
        pieceEnd -= count
    }

    /// The first lines are gone; returns how many of them passed.
    mutating func drop(_ count: Int) -> Int {
        let gone = passing.prefix { $0 < count }.count
        passing = passing.dropFirst(gone).map { $0 - count }
        known = max(0, known - count)
        pieceStart -= count
        pieceEnd -= count
        return gone
    }
}

/// Lines that a filter is asked about.
struct LogPiece: Hashable, Sendable {
    /// With the lines' overhead; a fraction of what a screen keeps, so that the first of them are soon shown, and as much
    /// as a flood brings until the next question.
    static let byteLimit = 1 << 20

    /// Tells pieces apart: what is in them is not compared.
    let number: Int
    let filter: LogFilter
    let lines: [LogLine]

    static func == (left: LogPiece, right: LogPiece) -> Bool { left.number == right.number }

    func hash(into hasher: inout Hasher) { hasher.combine(number) }

    /// The places of the lines that pass.
    var passing: [Int] {
        var test = filter.test
        return lines.indices.filter { test.passes(lines[$0].text) }
    }

    /// As `passing`; nil where the task is cancelled meanwhile. Lets others run again and again.
    func passingUnlessCancelled() async -> [Int]? {
        var test = filter.test
        var places: [Int] = []
        var bytes = 0
        for place in lines.indices {
            if test.passes(lines[place].text) { places.append(place) }
            bytes += lines[place].cost
            guard bytes > 32 << 10 else { continue }
            bytes = 0
            await Task.yield()
            if Task.isCancelled { return nil }
        }
        return places
    }
}
