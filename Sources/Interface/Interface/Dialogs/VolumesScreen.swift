import EngineAPI
import Terminal

/// The volumes of the engine.
struct VolumesScreen: Hashable, Sendable {
    var selection = 0
    var scroll = 0

    mutating func move(_ movement: Movement, count: Int, page: Int) {
        selection = movement.applied(to: selection, count: count, page: page)
        scroll = scrollToShow(selection, from: scroll, count: count, page: page)
    }

    mutating func clamp(count: Int) { selection = min(selection, max(0, count - 1)) }
}

extension Model {
    var selectedVolume: VolumeDetails? {
        guard case .volumes(let screen)? = dialogs.last, let volumes, volumes.indices.contains(screen.selection)
        else { return nil }
        return volumes[screen.selection]
    }

    /// The names of the containers that have a volume, as far as they are known.
    func users(of volume: VolumeDetails) -> [String] {
        (volume.users ?? containers.all.filter { $0.has(volume) }.map(\.id))
            .map { container($0)?.name ?? String($0.prefix(12)) }.sorted()
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

extension Canvas {
    mutating func draw(_ screen: VolumesScreen, _ model: Model) {
        let volumes = model.volumes ?? []
        var rest = drawScreenTitle("volumes · \(volumes.count)", "n makes one · d removes · P prunes", model)
        put("NAME", .header, in: rest)
        var header = rest.takeTop(1)
        let nameColumns = max(12, min(40, header.columns * 2 / 5))
        _ = header.takeLeft(nameColumns + 1)
        put("   SIZE   AGE  USED BY", .header, in: header)
        if volumes.isEmpty {
            let text = model.volumes == nil ? "asking the engine…" : "no volumes: n makes one"
            return putCentered(text, .muted, row: rest.rows / 3, in: rest)
        }
        let page = rest.rows
        let scroll = scrollToShow(screen.selection, from: screen.scroll, count: volumes.count, page: page)
        for index in min(scroll, volumes.count)..<min(volumes.count, scroll + page) {
            let row = rest.takeTop(1)
            draw(volumes[index], nameColumns: nameColumns, model, in: row)
            if index == screen.selection { highlight(row, .selection) }
        }
    }

    private mutating func draw(_ volume: VolumeDetails, nameColumns: Int, _ model: Model, in row: Region) {
        var rest = row
        put(volume.spec.name, in: rest.takeLeft(nameColumns))
        let users = model.users(of: volume)
        let size = volume.sizeBytes.map { Quantity.shortBytes(UInt64(max(0, $0))) } ?? "-"
        let age = Quantity.age(since: volume.createdAt, at: model.now)
        let use = users.isEmpty ? "nobody" : users.joined(separator: ", ")
        let kind = volume.spec.options.isEmpty ? "" : "  (\(volume.kindText))"
        put(Quantity.right(size, 8) + Quantity.right(age, 6) + "  " + use + kind, .muted, column: 1, in: rest)
    }
}
