import EngineAPI

/// A volume's sections.
extension Model {
    /// With what the engine tells in its lists alone: the size, and who has it where.
    func inspection(of volume: VolumeDetails) -> InspectScreen {
        InspectScreen(
            volume.spec.name, id: volume.spec.name,
            [
                InspectScreen.Section(title: "volume", entries: identity(volume)),
                InspectScreen.Section(title: "used by", entries: places(of: volume)),
                InspectScreen.Section(title: "options", entries: InspectScreen.pairs(volume.spec.options)),
                InspectScreen.Section(title: "labels", entries: InspectScreen.pairs(volume.spec.labels)),
            ])
    }

    private func identity(_ volume: VolumeDetails) -> [(name: String, value: String)] {
        var entries = [
            ("name", volume.spec.name), ("driver", volume.spec.driver), ("created", volume.createdAt.rfc3339Nano),
            ("mountpoint", volume.mountpoint),
        ]
        if !volume.spec.options.isEmpty { entries.append(("its files are", volume.kindText)) }
        let listed = volumes?.first { $0.spec.name == volume.spec.name }
        if let bytes = volume.sizeBytes ?? listed?.sizeBytes {
            entries.append(("size", Quantity.bytes(UInt64(max(0, bytes)))))
        }
        return entries
    }

    /// Each container with where it has the volume, as far as that is known.
    private func places(of volume: VolumeDetails) -> [(name: String, value: String)] {
        users(of: volume).map { name in
            let mounts = containers.all.first { $0.name == name }?.mounts ?? []
            let places = mounts.filter { $0.kind == .volume && $0.source == volume.spec.name }
            return (name, places.map { $0.target + ($0.readOnly ? " (read only)" : "") }.joined(separator: " "))
        }
    }
}
