import EngineAPI
import Terminal

/// The logs of one container or of several, merged by time, full screen. Keeps a bounded number of bytes: the newest, or
/// with a filter the newest of what passes it, so that a filter finds in a log of any length.
struct LogScreen: Hashable, Sendable {
    static let byteLimit = 4 << 20
    var byteLimit = Self.byteLimit
    /// What is kept at most of lines that a filter has yet to look at.
    var unsiftedLimit: Int { 4 * byteLimit }
    /// How many lines are shown over the one that is gone to.
    private static let linesBefore = 8

    private(set) var sources: [LogSource]
    private var kept = LogLines()
    /// Which of them pass the filter; nil without one.
    private(set) var sieve: LogSieve?
    /// Which of the two streams lines have come from since it was read anew.
    private var seenSources: Set<LogEntry.Source> = []
    /// How many were let go for want of room.
    private(set) var droppedLines = 0
    /// How many were let go because the filter does not show them.
    private(set) var passedOver = 0
    var follows = true
    var times = LogTimes.none
    /// By which they are told.
    var wall: WallClock
    var wraps = false
    /// The first column shown while lines are not wrapped.
    var column = 0
    /// Among the lines that are shown.
    var cursor = 0
    /// The line, among all, where one was before the filter had to look for what is to be shown there.
    private var anchor: Int?
    /// The line that is gone to once it has been read again; kept while those around it are what is shown.
    private(set) var goal: LogLine?
    private(set) var isGoalReached = false
    /// Lines after this are left out, since those around the goal leave no room for them; nil while none are.
    private(set) var horizon: Timestamp?
    var scroll = 0
    var search = Search()
    private(set) var filter = ""
    /// The filter that was left to see the lines around one; empty for none.
    private(set) var leftFilter = ""
    /// The filter that is being typed; nil while none is.
    var filterEditor: LineEditor?
    /// How far back, as the menu calls it; nil for the newest lines.
    private(set) var reach: LogReach = .newest

    init(_ containers: [ContainerSummary], serial: Int, wall: WallClock = .utc) {
        self.wall = wall
        sources = containers.map { LogSource($0, serial: serial) }
    }

    var lines: [LogLine] { kept.all }

    var isMerged: Bool { sources.count > 1 }
    /// Whether lines of standard error carry a sign: where there are others, which a colour alone does not tell them from.
    var marksErrors: Bool { seenSources.contains(.stdout) && seenSources.contains(.stderr) }
    /// Their names; of many the first two.
    var title: String {
        let names = sources.map(\.name)
        guard names.count > 4 else { return names.joined(separator: " ") }
        return names.prefix(2).joined(separator: " ") + " and \(names.count - 2) more"
    }
    var count: Int { sieve?.passing.count ?? lines.count }
    /// The log has lines, shown or not.
    var hasLines: Bool { !lines.isEmpty || passedOver > 0 }

    /// A line of those that are shown.
    func line(_ index: Int) -> LogLine { lines[sieve?.passing[index] ?? index] }

    mutating func add(_ news: LogNews, of subscription: LogSubscription) {
        guard let index = sources.firstIndex(where: { $0.subscription == subscription }) else { return }
        switch news {
        case .entries(let entries): add(entries, of: index)
        case .ended(let reason): sources[index].finish(reason ?? "end of log")
        }
    }

    /// What the engine is asked for.
    var subscriptions: [LogSubscription] { sources.filter { !$0.isHeld }.map(\.subscription) }

    /// Reads all anew, from so far back.
    mutating func read(_ reach: LogReach, now: Timestamp, serial: Int) {
        self.reach = reach
        for index in sources.indices { sources[index].read(reach, now: now, serial: serial) }
        forgetLines(goal: nil)
    }

    private mutating func forgetLines(goal: LogLine?) {
        (kept, droppedLines, passedOver, cursor, scroll, anchor) = (LogLines(), 0, 0, 0, 0, nil)
        (self.goal, isGoalReached, horizon) = (goal, false, nil)
        seenSources = []
        sieve = sieve.map { LogSieve($0.filter) }
    }

    /// Whether lines that the filter should look at, or that are to be seen without it, are not here any more.
    var lacksLines: Bool { passedOver > 0 || (sieve != nil && (droppedLines > 0 || horizon != nil)) }

    /// Reads the same lines once more, and what has come since.
    ///
    /// - Parameter goal: the line to go to, of which those around it are kept; nil where the newest are.
    mutating func readAgain(now: Timestamp, serial: Int, goal: LogLine?) {
        for index in sources.indices { sources[index].read(reach, now: now, serial: serial, isAgain: true) }
        forgetLines(goal: goal)
    }

    /// Goes on reading where a container has been started again since its log ended. Its log goes on where it was.
    mutating func resume(_ containers: [ContainerSummary], serial: () -> Int) {
        guard horizon == nil else { return }
        for index in sources.indices where sources[index].end != nil {
            let id = sources[index].subscription.containerID
            guard let container = containers.first(where: { $0.id == id }) else { continue }
            sources[index].resume(container, serial: serial)
        }
    }

    /// Shows those lines alone that pass; all where it is empty.
    ///
    /// - Throws: `FormError` where it is no filter; nothing is changed then.
    mutating func setFilter(_ text: String) throws(FormError) {
        let text = text.trimmingSpaces
        guard text != filter else { return }
        let made = text.isEmpty ? nil : try LogFilter(text)
        let place = place
        (leftFilter, goal) = ("", nil)
        filter = text
        sieve = made.map { LogSieve($0) }
        // Near the line where one was.
        (cursor, anchor) = (place, made == nil ? nil : place)
        settleCursor()
    }

    /// Shows all lines, those around the chosen one first; a second time goes back to the filter.
    ///
    /// - Throws: never a filter that was taken once.
    mutating func toggleSurroundings() throws(FormError) {
        follows = false
        if filter.isEmpty { return try setFilter(leftFilter) }
        let left = filter
        try setFilter("")
        (leftFilter, scroll) = (left, max(0, cursor - Self.linesBefore))
    }

    /// Has the filter look at what it has not seen.
    mutating func sift(number: Int) { sieve?.ask(about: kept.all, number: number) }

    mutating func take(_ places: [Int], of piece: Int) {
        sieve?.take(places, of: piece)
        shrink()
        settleCursor()
    }

    var wantsSifting: Bool { sieve.map { $0.piece == nil && $0.isBehind(lines) } ?? false }

    /// The line of the cursor, among all.
    private var place: Int {
        guard let sieve else { return cursor }
        return anchor ?? (sieve.passing.indices.contains(cursor) ? sieve.passing[cursor] : 0)
    }

    /// Brings the cursor to the end, where it follows, or to the line where it was.
    private mutating func settleCursor() {
        if follows {
            (cursor, anchor) = (max(0, count - 1), nil)
        } else if let sieve, let anchor {
            cursor = sieve.passing.firstIndex { $0 >= anchor } ?? max(0, count - 1)
            if sieve.known > anchor || !sieve.isBehind(lines) { self.anchor = nil }
        } else {
            cursor = min(cursor, max(0, count - 1))
        }
    }

    mutating func move(_ movement: Movement, page: Int) {
        anchor = nil
        let old = cursor
        cursor = movement.applied(to: old, count: count, page: page)
        let wasFollowing = follows
        follows = horizon == nil && (movement == .bottom || (follows && cursor == count - 1))
        if follows { goal = nil }
        // Who follows sees the last page, wherever it was scrolled to before.
        let start = wasFollowing ? max(0, count - page) : scroll
        scroll = movement.scroll(start, from: old, to: cursor, count: count, page: page)
    }

    /// Goes to the line in a row of the screen; while lines are wrapped a row is not that of a line.
    mutating func choose(row: Int, page: Int) {
        let first = scrollToShow(cursor, from: scroll, count: count, page: page)
        guard !wraps, row >= 0, first + row < count else { return }
        (scroll, cursor, anchor, follows) = (first, first + row, nil, false)
    }

    mutating func find(backwards: Bool, page: Int) -> Bool {
        let found = search.next(from: cursor, count: count, backwards: backwards) { line($0).text }
        guard let found else { return false }
        (cursor, anchor) = (found, nil)
        follows = false
        scroll = scrollToShow(cursor, from: scroll, count: count, page: page)
        return true
    }
}

/// Taking lines in.
extension LogScreen {
    private mutating func add(_ entries: [LogEntry], of container: Int) {
        guard !sources[container].isHeld else { return }
        if sieve != nil, !follows, anchor == nil { anchor = place }
        var fresh: [LogLine] = []
        for entry in entries {
            if let horizon, entry.time > horizon {
                sources[container].hold()
                break
            }
            seenSources.insert(entry.source)
            if let changed = kept.take(entry, of: container, &fresh) { sieve?.forget(from: changed) }
            sources[container].take(entry.time)
        }
        merge(fresh)
        if let goal, !isGoalReached, container == goal.container, fresh.contains(where: { $0.time >= goal.time }) {
            reach(goal)
        }
        shrink()
        settleCursor()
    }

    /// The line that was looked for has come, or one after it: then it is there no more.
    private mutating func reach(_ goal: LogLine) {
        guard let found = kept.index(of: goal) else { return }
        isGoalReached = true
        guard sieve == nil else { return anchor = found }
        (cursor, scroll) = (found, max(0, found - Self.linesBefore))
    }

    private mutating func merge(_ fresh: [LogLine]) {
        // Those of one container as they come: a clock that was set back does not turn a log round.
        // Of those without a time nothing better is known, either.
        guard isMerged, fresh.first?.isTimed ?? false else { return kept.append(fresh) }
        let place = place
        guard let changed = kept.merge(fresh, besides: place) else { return }
        sieve?.forget(from: changed.start)
        // Who does not follow stays at their line.
        let moved = place + changed.before
        if sieve != nil { anchor = moved } else if !follows { cursor = moved }
    }

    private mutating func shrink() {
        guard kept.byteCount > byteLimit else { return }
        if let goal, sieve == nil { return shrink(around: goal) }
        leaveOutUnshown()
        if kept.byteCount > unsiftedLimit, let piece = sieve?.piece {
            // The log comes faster than the filter looks at it beside this thread: it is held up here, and loses nothing.
            sieve?.take(piece.passing, of: piece.number)
            leaveOutUnshown()
        }
        guard kept.byteCount > (wantsSifting || sieve?.piece != nil ? unsiftedLimit : byteLimit) else { return }
        dropFirst(bytes: kept.byteCount - byteLimit)
    }

    /// Half of the room is for the lines before one, half for those after it.
    private mutating func shrink(around goal: LogLine) {
        let before = kept.bytes(before: kept.index(of: goal) ?? lines.count)
        let excess = kept.byteCount - before - byteLimit / 2
        if before > byteLimit / 2 { dropFirst(bytes: before - byteLimit / 2) }
        guard excess > 0 else { return }
        kept.dropLast(bytes: excess)
        let last = lines.last?.time ?? goal.time
        horizon = last
        for index in sources.indices where sources[index].lastTime.map({ $0 > last }) ?? false {
            sources[index].hold()
        }
    }

    /// Lets the oldest go: somewhat more than is needed, so that not each line moves all the others.
    private mutating func dropFirst(bytes: Int) {
        let dropped = kept.dropFirst(bytes: bytes + byteLimit / 8)
        droppedLines += dropped
        let gone = sieve?.drop(dropped) ?? dropped
        anchor = anchor.map { max(0, $0 - dropped) }
        cursor = max(0, cursor - gone)
        scroll = max(0, scroll - gone)
    }

    /// Lets go of what the filter has looked at and does not show.
    private mutating func leaveOutUnshown() {
        guard let old = sieve, old.known > old.passing.count else { return }
        let count = old.known - old.passing.count
        if let place = anchor {
            anchor = place < old.known ? old.passing.prefix { $0 < place }.count : place - count
        }
        kept.keep(old.passing, ofFirst: old.known)
        passedOver += count
        sieve?.keepPassing(leavingOut: count)
    }
}
