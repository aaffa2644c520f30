import EngineAPI

/// A name of an image, or an image that has none.
struct ImageRow: Hashable, Sendable {
    var image: ImageSummary
    /// `name:tag`
    var name: String?

    /// What the engine knows it by.
    var id: String { name ?? image.id }
    var displayName: String { name ?? image.shortID }
}

extension ImageSummary {
    var shortID: String {
        let digits = id.split(separator: ":").last.map(String.init) ?? id
        return String(digits.prefix(12))
    }
}

extension Model {
    /// A row for each name, those without one last.
    func imageRows(_ filter: String = "", _ sort: ListSort = ListSort()) -> [ImageRow] {
        let filter = ListFilter(filter)
        let rows = (images ?? []).flatMap { image in
            image.tags.isEmpty ? [ImageRow(image: image)] : image.tags.map { ImageRow(image: image, name: $0) }
        }
        let named = rows.filter { filter.passes([$0.name ?? "<none>", $0.image.shortID]) }
            .sorted {
                ($0.name == nil ? 1 : 0, NaturalName($0.id)) < ($1.name == nil ? 1 : 0, NaturalName($1.id))
            }
        let users = sort.key == .use ? imageUsers : [:]
        return sort.sorted(named) {
            ListSort.Facts(bytes: $0.image.sizeBytes, time: $0.image.createdAt, users: users[$0.image.id] ?? 0)
        }
    }

    /// How many containers each image has, by its id. Not every engine counts them in its list.
    private var imageUsers: [String: Int] {
        let counted = Dictionary((images ?? []).map { ($0.id, $0.containerCount) }, uniquingKeysWith: max)
        let listed = containers.all.reduce(into: [:]) { $0[$1.imageID, default: 0] += 1 }
        return listed.merging(counted, uniquingKeysWith: max)
    }

    var selectedImage: ImageRow? {
        guard let screen = listScreen, screen.kind == .images else { return nil }
        let rows = imageRows(screen.filter, screen.sort)
        return rows.indices.contains(screen.cursor.index) ? rows[screen.cursor.index] : nil
    }

    func imageTable(_ rows: [ImageRow], width: Int) -> ListTable {
        let isNarrow = width < 60
        let fixed = [
            ListColumn("ID", isNarrow ? 0 : 12), .init("SIZE", 8, isRight: true),
            .init("AGE", 5, isRight: true), .init("USED", 5, isRight: true),
        ]
        let name = ListColumn("NAME", max(8, width - fixed.reduce(0) { $0 + ($1.columns > 0 ? $1.columns + 1 : 0) }))
        let users = imageUsers
        let rows = rows.map { row in
            let age = row.image.createdAt.map { Quantity.age(since: $0, at: now) } ?? "-"
            return ListTable.Row(
                id: row.id,
                texts: [
                    row.name.map { ShortName.image($0, to: name.columns) } ?? "<none>", row.image.shortID,
                    Quantity.decimalBytes(row.image.sizeBytes), age,
                    "\(users[row.image.id] ?? 0)",
                ], roles: row.name == nil ? [.muted] : [])
        }
        return ListTable(
            title: "images · \(images?.count ?? 0)", columns: [name] + fixed, rows: rows,
            empty: images == nil ? "reading the store…" : "no images: p pulls one, L loads an archive or a folder")
    }
}
