import EngineAPI
import Terminal

/// The logs of one container or of several, merged by time, full screen. Keeps a bounded number of bytes: the newest, or
/// with a filter the newest of what passes it, so that a filter finds in a log of any length.
struct LogScreen: Hashable, Sendable {
    static let byteLimit = 4 << 20
    var byteLimit = Self.byteLimit
    /// What is kept at most of lines that a filter has yet to look at.
    var unsiftedLimit: Int { 4 * byteLimit }
    /// How much is asked for at first, of each container.
    static let firstTail = 2000
    /// How many lines are shown over the one that is gone to.
    private static let linesBefore = 8

    /// A container whose log is shown.
    struct Source: Hashable, Sendable {
        let name: String
        fileprivate(set) var subscription: LogSubscription
        /// Why there is no more, and of which run; nil while it is read.
        fileprivate(set) var end: String?
        fileprivate(set) var run: Timestamp?
        /// It has sent what is kept around the line that was gone to, and is asked for no more.
        fileprivate var isHeld = false
        fileprivate var firstTime: Timestamp?
        fileprivate var lastTime: Timestamp?
    }

    private(set) var sources: [Source]
    private(set) var lines: [LogLine] = []
    /// Which of them pass the filter; nil without one.
    private(set) var sieve: LogSieve?
    private var byteCount = 0
    /// Which of the two streams lines have come from since it was read anew.
    private var seenSources: Set<LogEntry.Source> = []
    /// How many were let go for want of room.
    private(set) var droppedLines = 0
    /// How many were let go because the filter does not show them.
    private(set) var passedOver = 0
    var follows = true
    var showsTimes = false
    var wraps = false
    /// The first column shown while lines are not wrapped.
    var column = 0
    /// Among the lines that are shown.
    var cursor = 0
    /// The line, among all, where one was before the filter had to look for what is to be shown there.
    private var anchor: Int?
    /// The line that is gone to once it has been read again; kept while those around it are what is shown.
    private var goal: LogLine?
    private var isGoalReached = false
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

    init(_ containers: [ContainerSummary], serial: Int) {
        sources = containers.map { container in
            Source(
                name: container.name,
                subscription: LogSubscription(containerID: container.id, tail: Self.firstTail, serial: serial),
                run: container.state.startedAt)
        }
    }

    var isMerged: Bool { sources.count > 1 }
    /// Whether lines of standard error carry a sign: where there are others, which a colour alone does not tell them from.
    var marksErrors: Bool { seenSources.contains(.stdout) && seenSources.contains(.stderr) }
    var title: String { sources.map(\.name).joined(separator: " ") }
    var count: Int { sieve?.passing.count ?? lines.count }
    /// The log has lines, shown or not.
    var hasLines: Bool { !lines.isEmpty || passedOver > 0 }

    /// A line of those that are shown.
    func line(_ index: Int) -> LogLine { lines[sieve?.passing[index] ?? index] }

    mutating func add(_ news: LogNews, of subscription: LogSubscription) {
        guard let index = sources.firstIndex(where: { $0.subscription == subscription }) else { return }
        switch news {
        case .entries(let entries): add(entries, of: index)
        case .ended(let reason): sources[index].end = reason ?? "end of log"
        }
    }

    /// What the engine is asked for.
    var subscriptions: [LogSubscription] { sources.filter { !$0.isHeld }.map(\.subscription) }

    /// Reads all anew, from so far back.
    mutating func read(_ reach: LogReach, now: Timestamp, serial: Int) {
        self.reach = reach
        for index in sources.indices {
            let id = sources[index].subscription.containerID
            sources[index].subscription = LogSubscription(
                containerID: id, tail: reach == .newest ? Self.firstTail : nil, since: reach.start(now), serial: serial)
            (sources[index].end, sources[index].firstTime) = (nil, nil)
        }
        forgetLines(goal: nil)
    }

    private mutating func forgetLines(goal: LogLine?) {
        (lines, byteCount, droppedLines, passedOver, cursor, scroll, anchor) = ([], 0, 0, 0, 0, 0, nil)
        (self.goal, isGoalReached, horizon) = (goal, false, nil)
        for index in sources.indices { (sources[index].isHeld, sources[index].lastTime) = (false, nil) }
        seenSources = []
        sieve = sieve.map { LogSieve($0.filter) }
    }

    /// Whether lines that the filter should look at, or that are to be seen without it, are not here any more.
    var lacksLines: Bool { passedOver > 0 || (sieve != nil && (droppedLines > 0 || horizon != nil)) }

    /// Reads the same lines once more, and what has come since.
    ///
    /// - Parameter goal: the line to go to, of which those around it are kept; nil where the newest are.
    mutating func readAgain(now: Timestamp, serial: Int, goal: LogLine?) {
        for index in sources.indices {
            let source = sources[index]
            let start = reach.start(now) ?? (reach == .newest ? source.firstTime : nil)
            sources[index].subscription = LogSubscription(
                containerID: source.subscription.containerID,
                tail: reach == .newest && start == nil ? Self.firstTail : nil, since: start, serial: serial)
            sources[index].end = nil
        }
        forgetLines(goal: goal)
    }

    /// Goes on reading where a container has been started again since its log ended. Its log goes on where it was.
    mutating func resume(_ containers: [ContainerSummary], serial: () -> Int) {
        guard horizon == nil else { return }
        for index in sources.indices where sources[index].end != nil {
            let subscription = sources[index].subscription
            guard let container = containers.first(where: { $0.id == subscription.containerID }),
                container.state.isAlive, container.state.startedAt != sources[index].run
            else { continue }
            sources[index].run = container.state.startedAt
            sources[index].end = nil
            sources[index].subscription = LogSubscription(
                containerID: subscription.containerID, tail: nil,
                since: sources[index].lastTime?.next ?? container.state.startedAt, serial: serial())
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
    mutating func sift(number: Int) { sieve?.ask(about: lines, number: number) }

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

    /// What is shown as text, line by line, as it is saved.
    var savedText: String {
        var text = ""
        for index in 0..<count {
            let line = line(index)
            if index > 0, line.isContinuation, line.isOfSameStream(as: self.line(index - 1)) {
                text.removeLast()
            } else {
                if isMerged { text += sources[line.container].name + " | " }
                if showsTimes { text += line.timeText + " " }
            }
            text += line.text + "\n"
        }
        return text
    }

    /// The line of the cursor whole, where it is shown in pieces.
    var copiedText: String {
        let chosen = line(cursor)
        var pieces = [cursor]
        var before = cursor
        while line(pieces[0]).isContinuation, before > 0 {
            before -= 1
            if line(before).isOfSameStream(as: chosen) { pieces.insert(before, at: 0) }
        }
        for after in cursor + 1..<max(cursor + 1, count) where line(after).isOfSameStream(as: chosen) {
            guard line(after).isContinuation else { break }
            pieces.append(after)
        }
        return pieces.map { line($0).text }.joined()
    }

    /// How much of a long log the filter has looked at; nil where it is all, or soon will be.
    var siftedPercent: Int? {
        guard let sieve, lines.count - sieve.known > 4096 else { return nil }
        return sieve.known * 100 / lines.count
    }

    /// Older lines than were asked for are likely.
    private var isCut: Bool { reach == .newest && lines.count + passedOver >= Self.firstTail && droppedLines == 0 }

    /// Where else something may be that the search did not find; nil where all has been searched.
    var unsearched: String? {
        if horizon != nil { return "in the lines around; f looks through all of them" }
        if isCut { return "in the newest lines; 0 reads the whole log" }
        return droppedLines > 0 ? "in the newest lines; f looks through all of them" : nil
    }

    /// What the title says of what is shown.
    var summary: String {
        var parts = [sieve.map { "\($0.passing.count) of \(lines.count + passedOver) lines" } ?? "\(lines.count) lines"]
        if marksErrors { parts.append("! stderr") }
        if !filter.isEmpty { parts.append("only \(filter)") }
        if let share = siftedPercent { parts.append("looked at \(share)%") }
        switch reach {
        case .newest: if isCut { parts.append("older ones left out, 0 reads all") }
        case .whole: break
        case .minutes: parts.append(reach.label)
        }
        if goal != nil, !isGoalReached, sieve == nil {
            parts.append("looking for the line…")
            return parts.joined(separator: " · ")
        }
        if horizon != nil { return "\(lines.count) lines around · line \(cursor + 1) · F shows the newest" }
        if droppedLines > 0 { parts.append("\(droppedLines) older ones dropped") }
        let ended = sources.compactMap(\.end)
        if ended.count == sources.count {
            parts.append(isMerged ? "all have ended" : ended.first ?? "")
        } else {
            if !ended.isEmpty { parts.append("\(ended.count) ended") }
            parts.append(follows ? "following" : count > 0 ? "line \(cursor + 1) · F follows" : "F follows")
        }
        return parts.joined(separator: " · ")
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
                sources[container].isHeld = true
                break
            }
            add(entry, of: container, to: &fresh)
            if sources[container].firstTime == nil { sources[container].firstTime = entry.time }
            sources[container].lastTime = entry.time
        }
        merge(fresh)
        if let goal, !isGoalReached, container == goal.container, fresh.contains(where: { $0.time >= goal.time }) {
            reach(goal)
        }
        shrink()
        settleCursor()
    }

    /// To the line that it belongs to, or as one of its own.
    private mutating func add(_ entry: LogEntry, of container: Int, to fresh: inout [LogLine]) {
        byteCount += entry.bytes.count
        seenSources.insert(entry.source)
        if let last = fresh.lastIndex(where: { $0.source == entry.source }) {
            if fresh[last].hasRoom { return fresh[last].append(entry.bytes) }
            if fresh[last].isPartial {
                byteCount += LogLine.overhead
                return fresh.append(fresh[last].next(entry))
            }
        } else if let open = openLine(entry, container) {
            sieve?.forget(from: open)
            if lines[open].hasRoom { return lines[open].append(entry.bytes) }
            byteCount += LogLine.overhead
            return fresh.append(lines[open].next(entry))
        }
        byteCount += LogLine.overhead
        fresh.append(LogLine(entry, of: container))
    }

    /// The line that an entry goes on with, where it was left open. Others may have come between.
    private func openLine(_ entry: LogEntry, _ container: Int) -> Int? {
        let found = lines.indices.suffix(64).last {
            lines[$0].container == container && lines[$0].source == entry.source
        }
        return found.flatMap { lines[$0].isPartial ? $0 : nil }
    }

    /// The line that was looked for has come, or one after it: then it is there no more.
    private mutating func reach(_ goal: LogLine) {
        guard let found = index(of: goal) else { return }
        isGoalReached = true
        guard sieve == nil else { return anchor = found }
        (cursor, scroll) = (found, max(0, found - Self.linesBefore))
    }

    private func index(of goal: LogLine) -> Int? {
        lines.lastIndex(where: goal.isBegun(by:)) ?? lines.firstIndex { $0.time >= goal.time }
    }

    /// Lines of one container among those of the others, by their time.
    private mutating func merge(_ fresh: [LogLine]) {
        guard let first = fresh.first else { return }
        guard isMerged else {
            // As they come: a clock that was set back does not turn a log round.
            return lines += fresh
        }
        let kept = place
        var start = lines.count
        while start > 0, lines[start - 1].time > first.time { start -= 1 }
        guard start < lines.count else { return lines += fresh }
        var old = lines[start...]
        var merged: [LogLine] = []
        merged.reserveCapacity(old.count + fresh.count)
        var before = 0
        for line in fresh {
            while let next = old.first, next.time <= line.time {
                merged.append(next)
                old.removeFirst()
            }
            if start + merged.count <= kept + before { before += 1 }
            merged.append(line)
        }
        lines.replaceSubrange(start..., with: merged + old)
        sieve?.forget(from: start)
        // Who does not follow stays at their line.
        if sieve != nil { anchor = kept + before } else if !follows { cursor = kept + before }
    }

    private mutating func shrink() {
        guard byteCount > byteLimit else { return }
        if let goal, sieve == nil { return shrink(around: goal) }
        leaveOutUnshown()
        if byteCount > unsiftedLimit, let piece = sieve?.piece {
            // The log comes faster than the filter looks at it beside this thread: it is held up here, and loses nothing.
            sieve?.take(piece.passing, of: piece.number)
            leaveOutUnshown()
        }
        guard byteCount > (wantsSifting || sieve?.piece != nil ? unsiftedLimit : byteLimit) else { return }
        dropFirst(bytes: byteCount - byteLimit)
    }

    /// Half of the room is for the lines before one, half for those after it.
    private mutating func shrink(around goal: LogLine) {
        let split = index(of: goal) ?? lines.count
        let before = lines[..<split].reduce(0) { $0 + $1.cost }
        let excess = byteCount - before - byteLimit / 2
        if before > byteLimit / 2 { dropFirst(bytes: before - byteLimit / 2) }
        guard excess > 0 else { return }
        var dropped = 0
        var bytes = 0
        while bytes < excess, dropped < lines.count - 1 {
            dropped += 1
            bytes += lines[lines.count - dropped].cost
        }
        lines.removeLast(dropped)
        byteCount -= bytes
        let last = lines.last?.time ?? goal.time
        horizon = last
        for index in sources.indices where sources[index].lastTime.map({ $0 > last }) ?? false {
            sources[index].isHeld = true
        }
    }

    /// Lets the oldest go: somewhat more than is needed, so that not each line moves all the others.
    private mutating func dropFirst(bytes: Int) {
        var excess = bytes + byteLimit / 8
        var dropped = 0
        while excess > 0, dropped < lines.count {
            excess -= lines[dropped].cost
            byteCount -= lines[dropped].cost
            dropped += 1
        }
        lines.removeFirst(dropped)
        droppedLines += dropped
        let gone = sieve?.drop(dropped) ?? dropped
        anchor = anchor.map { max(0, $0 - dropped) }
        cursor = max(0, cursor - gone)
        scroll = max(0, scroll - gone)
    }
}

extension LogScreen {
    /// Lets go of what the filter has looked at and does not show.
    private mutating func leaveOutUnshown() {
        guard let old = sieve, old.known > old.passing.count else { return }
        let count = old.known - old.passing.count
        let known = lines[..<old.known].reduce(0) { $0 + $1.cost }
        let kept = old.passing.map { lines[$0] }
        byteCount -= known - kept.reduce(0) { $0 + $1.cost }
        if let place = anchor {
            anchor = place < old.known ? old.passing.prefix { $0 < place }.count : place - count
        }
        lines.replaceSubrange(..<old.known, with: kept)
        passedOver += count
        sieve?.keepPassing(leavingOut: count)
    }
}
