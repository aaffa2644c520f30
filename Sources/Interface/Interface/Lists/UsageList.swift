import EngineAPI

/// What the disk usage is told by: docker's parts, and the logs, which docker does not count.
enum UsagePart: String, CaseIterable, Hashable, Sendable {
    case image, container, log, volume

    fileprivate var plural: String { "\(rawValue)s" }
}

/// A part of what the engine's data take on the disk, or one object of it.
enum UsageRow: Hashable, Sendable {
    case part(UsagePart, DiskUsageTotal)
    case object(UsagePart, name: String, bytes: Int64, isUsed: Bool)
    /// The small objects of a part together, so that the next parts are in sight; they stand below it once asked for.
    case rest(UsagePart, count: Int, bytes: Int64, unusedBytes: Int64, isOpen: Bool)

    var part: UsagePart {
        switch self {
        case .part(let part, _), .object(let part, _, _, _), .rest(let part, _, _, _, _): part
        }
    }

    var id: String {
        switch self {
        case .part(let part, _): part.rawValue
        case .object(let part, let name, _, _): "\(part.rawValue)/\(name)"
        case .rest(let part, _, _, _, _): "\(part.rawValue)/"
        }
    }
}

extension UsageRow {
    fileprivate var bytes: Int64 {
        switch self {
        case .part(_, let total): total.bytes
        case .object(_, _, let bytes, _), .rest(_, _, let bytes, _, _): bytes
        }
    }

    fileprivate var isUsed: Bool { if case .object(_, _, _, true) = self { true } else { false } }
}

extension DiskUsage {
    /// Nil for one that the engine does not tell of.
    fileprivate func total(of part: UsagePart) -> DiskUsageTotal? {
        switch part {
        case .image: total(of: DiskUsagePart.image)
        case .container: total(of: DiskUsagePart.container)
        case .volume: total(of: DiskUsagePart.volume)
        case .log: logTotal
        }
    }

    /// The objects of a part, the largest first.
    fileprivate func objects(of part: UsagePart) -> [UsageRow] {
        let objects: [(name: String, bytes: Int64, isUsed: Bool)] =
            switch part {
            case .image: images.map { ($0.tags.first ?? $0.shortID, $0.sizeBytes, $0.containerCount > 0) }
            case .container: containers.map { ($0.name, $0.writtenBytes ?? 0, $0.state.isActive) }
            case .log:
                containers.compactMap { row in row.logBytes.map { (row.name, $0, row.state.isActive) } }
            case .volume: volumes.map { ($0.spec.name, $0.sizeBytes ?? 0, !($0.users ?? []).isEmpty) }
            }
        return objects.sorted { (-$0.bytes, NaturalName($0.name)) < (-$1.bytes, NaturalName($1.name)) }
            .map { .object(part, name: $0.name, bytes: $0.bytes, isUsed: $0.isUsed) }
    }
}

extension Model {
    /// Each part with its objects below it.
    func usageRows(_ filter: String = "") -> [UsageRow] {
        guard let usage else { return [] }
        let filter = ListFilter(filter)
        return UsagePart.allCases.flatMap { part -> [UsageRow] in
            guard let total = usage.total(of: part) else { return [] }
            let objects = usage.objects(of: part).filter { row in
                guard case .object(_, let name, _, let isUsed) = row else { return false }
                return filter.isEmpty || filter.passes([name, part.plural, isUsed ? "" : "unused"])
            }
            guard filter.isEmpty || !objects.isEmpty else { return [] }
            return [.part(part, total)] + (filter.isEmpty ? folded(objects, of: part) : objects)
        }
    }

    /// How many objects of each part are shown by themselves.
    private static let largestCount = 5

    /// The largest, and the others as one row: those that take nothing are many, and say nothing.
    private func folded(_ objects: [UsageRow], of part: UsagePart) -> [UsageRow] {
        let largest = objects.prefix(Self.largestCount).prefix { $0.bytes > 0 }
        let small = objects.dropFirst(largest.count)
        guard small.count > 1 else { return objects }
        let isOpen = openUsage.contains(part)
        let rest = UsageRow.rest(
            part, count: small.count, bytes: small.saturatedSum(of: \.bytes),
            unusedBytes: small.saturatedSum { $0.isUsed ? 0 : $0.bytes }, isOpen: isOpen)
        return largest + [rest] + (isOpen ? Array(small) : [])
    }

    var selectedUsageRow: UsageRow? {
        guard let screen = listScreen, screen.kind == .usage else { return nil }
        let rows = usageRows(screen.filter)
        return rows.indices.contains(screen.cursor.index) ? rows[screen.cursor.index] : nil
    }

    func usageTable(_ filter: String, width: Int) -> ListTable {
        let fixed = [
            ListColumn("TOTAL", width < 60 ? 0 : 6, isRight: true), .init("IN USE", width < 60 ? 0 : 6, isRight: true),
            .init("SIZE", 8, isRight: true), .init("RECLAIMABLE", 15, isRight: true),
        ]
        let name = max(8, width - fixed.reduce(0) { $0 + ($1.columns > 0 ? $1.columns + 1 : 0) })
        let sum = usage.map { usage in UsagePart.allCases.saturatedSum { usage.total(of: $0)?.bytes ?? 0 } }
        return ListTable(
            title: "disk usage", note: sum.map { "\(Quantity.decimalBytes($0)) in all" } ?? "",
            columns: [ListColumn("WHAT", name)] + fixed, rows: usageRows(filter).map(tableRow),
            empty: "counting files…")
    }

    /// Shows the small objects of a part, or folds them away.
    mutating func foldUsage(_ part: UsagePart) {
        if openUsage.remove(part) == nil { openUsage.insert(part) }
    }

    private func tableRow(_ row: UsageRow) -> ListTable.Row {
        switch row {
        case .part(let part, let total):
            let reclaimable = total.reclaimableBytes.multipliedSaturated(by: 100)
            let share = total.bytes > 0 ? " (\(reclaimable / total.bytes)%)" : ""
            return ListTable.Row(
                id: row.id,
                texts: [
                    part.plural, "\(total.count)", "\(total.activeCount)", Quantity.decimalBytes(total.bytes),
                    Quantity.decimalBytes(total.reclaimableBytes) + share,
                ], roles: [.header, .text, .text, .text, .text])
        case .object(_, let name, let bytes, let isUsed):
            return ListTable.Row(
                id: row.id,
                texts: [
                    "  \(name)", "", isUsed ? "yes" : "no", Quantity.decimalBytes(bytes),
                    isUsed ? "" : Quantity.decimalBytes(bytes),
                ])
        case .rest(_, let count, let bytes, let unusedBytes, let isOpen):
            return ListTable.Row(
                id: row.id,
                texts: [
                    "\(isOpen ? "▾" : "▸") \(count) more", "", "", Quantity.decimalBytes(bytes),
                    Quantity.decimalBytes(unusedBytes),
                ], roles: [.muted])
        }
    }
}
