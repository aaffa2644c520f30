import EngineAPI

extension Model {
    func volumeRows(_ filter: String = "", _ sort: ListSort = ListSort()) -> [VolumeDetails] {
        let filter = ListFilter(filter)
        let passing = (volumes ?? []).filter {
            filter.isEmpty || filter.passes([$0.spec.name, $0.kindText] + users(of: $0))
        }.sorted { NaturalName($0.spec.name) < NaturalName($1.spec.name) }
        return sort.sorted(passing) {
            ListSort.Facts(bytes: $0.sizeBytes ?? -1, time: $0.createdAt, users: users(of: $0).count)
        }
    }

    var selectedVolume: VolumeDetails? {
        guard let screen = listScreen, screen.kind == .volumes else { return nil }
        let rows = volumeRows(screen.filter, screen.sort)
        return rows.indices.contains(screen.cursor.index) ? rows[screen.cursor.index] : nil
    }

    /// The names of the containers that have a volume, as far as they are known.
    func users(of volume: VolumeDetails) -> [String] {
        (volume.users ?? containers.all.filter { $0.has(volume) }.map(\.id))
            .map { container($0)?.name ?? String($0.prefix(12)) }
            .sorted { NaturalName($0) < NaturalName($1) }
    }

    func volumeTable(_ rows: [VolumeDetails], width: Int) -> ListTable {
        let name = max(12, min(40, width * 2 / 5))
        let rows = rows.map { volume in
            let users = users(of: volume)
            let kind = volume.spec.options.isEmpty ? "" : "  (\(volume.kindText))"
            return ListTable.Row(
                id: volume.spec.name,
                texts: [
                    volume.spec.name, volume.sizeBytes.map { Quantity.shortBytes(UInt64(max(0, $0))) } ?? "-",
                    Quantity.age(since: volume.createdAt, at: now),
                    (users.isEmpty ? "nobody" : users.joined(separator: ", ")) + kind,
                ])
        }
        return ListTable(
            title: "volumes · \(volumes?.count ?? 0)",
            columns: [
                ListColumn("NAME", name), ListColumn("SIZE", 7, isRight: true), ListColumn("AGE", 5, isRight: true),
                ListColumn("USED BY", max(0, width - name - 15)),
            ], rows: rows, empty: volumes == nil ? "asking the engine…" : "no volumes: n makes one")
    }
}

extension ContainerSummary {
    fileprivate func has(_ volume: VolumeDetails) -> Bool {
        mounts.contains { $0.kind == .volume && $0.source == volume.spec.name }
    }
}

extension VolumeDetails {
    /// Where its files are: a directory of the engine's, memory, another directory, another machine.
    var kindText: String {
        guard let type = spec.options["type"] else { return spec.driver }
        let device = spec.options["device"] ?? ""
        return type == "tmpfs" ? "memory" : type == "none" ? device : "\(type) \(device)"
    }
}
