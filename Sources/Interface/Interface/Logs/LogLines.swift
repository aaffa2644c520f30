import EngineAPI

/// The lines of a log that are kept, in their order, and what they take.
struct LogLines: Hashable, Sendable {
    private(set) var all: [LogLine] = []
    /// With what each costs beside its bytes; that of lines which were taken and not yet added, too.
    private(set) var byteCount = 0

    /// Takes an entry: to the line that it belongs to, here or among the fresh ones, or as a fresh one of its own.
    ///
    /// - Returns: the place of the kept line that is another now; nil where none is.
    mutating func take(_ entry: LogEntry, of container: Int, _ fresh: inout [LogLine]) -> Int? {
        byteCount += entry.bytes.count
        var changed: Int?
        if let last = fresh.lastIndex(where: { $0.source == entry.source }) {
            if fresh[last].hasRoom {
                fresh[last].append(entry.bytes)
                return nil
            }
            fresh.append(fresh[last].isPartial ? fresh[last].next(entry) : LogLine(entry, of: container))
        } else if let open = openLine(entry, container) {
            changed = open
            if all[open].hasRoom {
                all[open].append(entry.bytes)
                return open
            }
            fresh.append(all[open].next(entry))
        } else {
            fresh.append(LogLine(entry, of: container))
        }
        byteCount += LogLine.overhead
        return changed
    }

    /// The line that an entry goes on with, where it was left open. Others may have come between.
    private func openLine(_ entry: LogEntry, _ container: Int) -> Int? {
        let found = all.indices.suffix(64).last { all[$0].container == container && all[$0].source == entry.source }
        return found.flatMap { all[$0].isPartial ? $0 : nil }
    }

    mutating func append(_ fresh: [LogLine]) { all += fresh }

    /// Adds lines of one container among those of the others, by their time.
    ///
    /// - Parameter place: that of a line whose place is to be known afterwards.
    /// - Returns: from where on others stand than before, and how many have come before that line; nil where all went to
    ///   the end.
    mutating func merge(_ fresh: [LogLine], besides place: Int) -> (start: Int, before: Int)? {
        guard let first = fresh.first else { return nil }
        var start = all.count
        while start > 0, all[start - 1].time > first.time { start -= 1 }
        guard start < all.count else {
            append(fresh)
            return nil
        }
        var old = all[start...]
        var merged: [LogLine] = []
        merged.reserveCapacity(old.count + fresh.count)
        var before = 0
        for line in fresh {
            while let next = old.first, next.time <= line.time {
                merged.append(next)
                old.removeFirst()
            }
            if start + merged.count <= place + before { before += 1 }
            merged.append(line)
        }
        all.replaceSubrange(start..., with: merged + old)
        return (start, before)
    }

    /// Where a line is that was read before, or the first after it where it is there no more.
    func index(of line: LogLine) -> Int? {
        all.lastIndex(where: line.isBegun(by:)) ?? all.firstIndex { $0.time >= line.time }
    }

    func bytes(before place: Int) -> Int { all[..<place].reduce(0) { $0 + $1.cost } }

    /// Lets at least so many bytes of the oldest lines go; returns how many lines that were.
    mutating func dropFirst(bytes: Int) -> Int {
        var excess = bytes
        var dropped = 0
        while excess > 0, dropped < all.count {
            excess -= all[dropped].cost
            byteCount -= all[dropped].cost
            dropped += 1
        }
        all.removeFirst(dropped)
        return dropped
    }

    /// Lets at least so many bytes of the newest go, but one line.
    mutating func dropLast(bytes: Int) {
        var dropped = 0
        var gone = 0
        while gone < bytes, dropped < all.count - 1 {
            dropped += 1
            gone += all[all.count - dropped].cost
        }
        all.removeLast(dropped)
        byteCount -= gone
    }

    /// Of the first so many lines lets all go but those at these places.
    mutating func keep(_ places: [Int], ofFirst count: Int) {
        let before = bytes(before: count)
        let kept = places.map { all[$0] }
        byteCount -= before - kept.reduce(0) { $0 + $1.cost }
        all.replaceSubrange(..<count, with: kept)
    }
}
