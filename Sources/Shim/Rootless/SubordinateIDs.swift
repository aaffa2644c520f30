/// The ids beside its own that a user may give away, as /etc/subuid and /etc/subgid grant them: subuid(5).
package struct SubordinateIDs: Hashable, Sendable {
    package struct Range: Hashable, Sendable {
        package var first: UInt32
        package var count: UInt32

        package init(first: UInt32, count: UInt32) {
            self.first = first
            self.count = count
        }

        func contains(_ id: UInt32) -> Bool { id >= first && id - first < count }
    }

    package var ranges: [Range]

    /// - Parameters:
    ///   - text: the file's; lines that are not understood grant nothing, as newuidmap(1) sees them.
    ///   - user: the user's name, where it has one; a line may name the id in its place.
    package init(text: String, user: String?, id: UInt32) {
        ranges = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3, fields[0] == user || fields[0] == String(id), let first = UInt32(fields[1]),
                let count = UInt32(fields[2]), count > 0, first.addingReportingOverflow(count - 1).overflow == false
            else { return nil }
            return Range(first: first, count: count)
        }
    }
}

/// How ids inside of a user namespace stand for ids outside: user_namespaces(7).
package struct IDMap: Hashable, Sendable {
    package struct Extent: Hashable, Sendable {
        package var inside: UInt32
        package var outside: UInt32
        package var count: UInt32
    }

    /// The kernel takes 340.
    private static let extentLimit = 340

    package private(set) var extents: [Extent]

    /// The user itself is root inside; what it was granted follows from 1 on.
    package init(own id: UInt32, granted: SubordinateIDs) {
        extents = [Extent(inside: 0, outside: id, count: 1)]
        var next: UInt32 = 1
        var used: [SubordinateIDs.Range] = []
        for range in granted.ranges where extents.count < Self.extentLimit {
            // Ids may stand for one another only once, and a range is given as a whole.
            let overlaps = used.contains { $0.contains(range.first) || range.contains($0.first) }
            guard !range.contains(id), !overlaps, !next.addingReportingOverflow(range.count).overflow else { continue }
            extents.append(Extent(inside: next, outside: range.first, count: range.count))
            used.append(range)
            next += range.count
        }
    }

    /// Whether there is no id but the user's own.
    package var isSingle: Bool { extents.count == 1 }

    /// As newuidmap(1) takes it.
    var arguments: [String] {
        extents.flatMap { [String($0.inside), String($0.outside), String($0.count)] }
    }

    /// As /proc/PID/uid_map takes it.
    var lines: String { extents.map { "\($0.inside) \($0.outside) \($0.count)\n" }.joined() }
}
