import EngineAPI

extension Model {
    /// What is in the directory: the one above first, then directories, then the rest, by name where nothing else is said.
    func fileRows(_ place: FilePlace, _ filter: String = "", _ sort: ListSort = ListSort()) -> [PathStat] {
        guard let listing = files, listing.place == place else { return [] }
        let filter = ListFilter(filter)
        let members = (listing.members ?? []).filter {
            filter.isEmpty || filter.passes([$0.name, $0.linkTarget ?? ""])
        }
        let named = members.sorted { NaturalName($0.name) < NaturalName($1.name) }
        let parts = [named.filter(\.isDirectory), named.filter { !$0.isDirectory }]
        let sorted = parts.flatMap { part in
            sort.sorted(part) { ListSort.Facts(bytes: $0.sizeBytes, time: $0.modifiedAt) }
        }
        guard place.path != "/", filter.isEmpty else { return sorted }
        return [Self.above] + sorted
    }

    private static let above = PathStat(
        name: "..", sizeBytes: 0, mode: 0o040755, modifiedAt: Timestamp(nanosecondsSinceEpoch: 0), linkTarget: nil)

    /// The directory on top.
    var filePlace: FilePlace? {
        guard let screen = listScreen, case .files(let place) = screen.kind else { return nil }
        return place
    }

    var selectedFile: PathStat? {
        guard let screen = listScreen, let place = filePlace else { return nil }
        let rows = fileRows(place, screen.filter, screen.sort)
        return rows.indices.contains(screen.cursor.index) ? rows[screen.cursor.index] : nil
    }

    func fileTable(_ place: FilePlace, _ rows: [PathStat], width: Int) -> ListTable {
        let isNarrow = width < 60
        let fixed = [
            ListColumn("MODE", isNarrow ? 0 : 10), ListColumn("SIZE", 7, isRight: true),
            ListColumn(isNarrow ? "AGE" : "CHANGED", isNarrow ? 6 : 16), ListColumn("", 1),
        ]
        let name = max(8, width - fixed.reduce(0) { $0 + ($1.columns > 0 ? $1.columns + 1 : 0) })
        let rows = rows.map { file in
            let path = place.path(of: file.name)
            let mark = files?.changes?[path]
            let isAbove = file.name == ".."
            let link = file.linkTarget.map { " → \($0)" } ?? ""
            return ListTable.Row(
                id: file.name,
                texts: [
                    isAbove ? "" : file.modeText,
                    isAbove || file.isDirectory ? "" : Quantity.shortBytes(UInt64(max(0, file.sizeBytes))),
                    isAbove
                        ? ""
                        : isNarrow
                            ? Quantity.age(since: file.modifiedAt, at: now)
                            : wall.dateAndMinute(file.modifiedAt),
                    mark?.letter ?? "",
                    file.name + (file.isDirectory && !isAbove ? "/" : "") + link,
                ], roles: [.muted, .muted, .muted, .warning, file.role])
        }
        let listing = files?.place == place ? files : nil
        return ListTable(
            title: "files · \(place.container.name):\(place.path)",
            note: listing?.members.map { "\($0.count) here" } ?? "", columns: fixed + [ListColumn("NAME", name)],
            rows: rows,
            empty: listing?.failure ?? (listing?.members == nil ? "asking the engine…" : "an empty directory"))
    }
}

extension PathStat {
    /// As ls(1) has it: `drwxr-xr-x`.
    var modeText: String {
        let types: [UInt32: Character] = [
            0o040000: "d", 0o120000: "l", 0o020000: "c", 0o060000: "b", 0o010000: "p", 0o140000: "s",
        ]
        var text = String(types[mode & 0o170000] ?? "-")
        for (shift, special, letter) in [(6, 0o4000, "s"), (3, 0o2000, "s"), (0, 0o1000, "t")]
            as [(UInt32, UInt32, String)]
        {
            let bits = mode >> shift
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let runs = bits & 1 != 0
            text += mode & special != 0 ? (runs ? letter : letter.uppercased()) : runs ? "x" : "-"
        }
        return text
    }

    var isFile: Bool { mode & 0o170000 == 0o100000 }

    fileprivate var role: Role {
        if isDirectory { return .header }
        if linkTarget != nil { return .statePaused }
        return isFile && mode & 0o111 != 0 ? .success : .text
    }
}

extension PathChange.Kind {
    /// As docker's `diff` has it.
    var letter: String {
        switch self {
        case .added: "A"
        case .modified: "C"
        case .deleted: "D"
        }
    }
}
