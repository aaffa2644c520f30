import EngineAPI
import Glibc
import Images
import Linux
import Snapshots
import Tasks

/// Mounts whose source the runtime could not find by a path of the host: images, and parts of volumes and images, which
/// are looked for where no link leads out. The shim makes them in its own mount namespace, below the bundle:
///
///     mounts/3          an image, or the part of a volume that the container's fourth mount is
///     mounts/3.part     the part of that image
struct PreparedMounts: Sendable {
    let bundle: String
    let mounts: [MountSpec]
    let volumes: [String: VolumeSource]
    /// How images are mounted, by the mounts' places.
    let images: [Int: [SnapshotMount]]
    /// Whether the parts of volumes are directories, by the mounts' places; what is not there is missing.
    private let volumeParts: [Int: Bool]

    /// Looks for the parts of volumes, whose files others may serve.
    init(
        bundle: String, mounts: [MountSpec], volumes: [String: VolumeSource], images: [Int: [SnapshotMount]]
    ) async throws(EngineError) {
        (self.bundle, self.mounts, self.volumes, self.images) = (bundle, mounts, volumes, images)
        var parts: [Int: Bool] = [:]
        for (number, mount) in mounts.enumerated() where mount.kind == .volume {
            guard let volume = volumes[mount.source], let subpath = mount.subpath, volume.type == "bind" else {
                continue
            }
            parts[number] = try await ServedFiles.look(into: mount.source) { () throws(EngineError) in
                do throws(KernelError) { return try Self.isDirectory(subpath, of: volume.source) } catch {
                    throw EngineError(error, object: mount.source)
                }
            }
        }
        volumeParts = parts
    }

    /// Where the runtime finds each, by the mount's place among the container's.
    var places: [Int: String] {
        var places: [Int: String] = [:]
        for (number, mount) in mounts.enumerated() where isPrepared(mount) {
            places[number] = place(number) + (mount.kind == .image && mount.subpath != nil ? ".part" : "")
        }
        return places
    }

    private func isPrepared(_ mount: MountSpec) -> Bool {
        mount.kind == .image || mount.kind == .volume && mount.subpath != nil
    }

    private func place(_ number: Int) -> String { "\(bundle)/mounts/\(number)" }

    /// Makes the places, and says what the shim is to mount there. Blocking.
    func make() throws -> [RootMount] {
        var result: [RootMount] = []
        for (number, mount) in mounts.enumerated() where isPrepared(mount) {
            try Directory.create("\(bundle)/mounts", mode: 0o711)
            let place = place(number)
            if let image = images[number] {
                try Directory.create(place, mode: 0o711)
                result += image.map { RootMount($0, at: place) }
                if let subpath = mount.subpath {
                    let kind = try LayeredRoot(mounts: image).kind(of: subpath)
                    result.append(
                        try part(subpath, of: place, isDirectory: kind.map { $0 == .directory }, at: place + ".part"))
                }
            } else if let volume = volumes[mount.source], let subpath = mount.subpath {
                guard volume.type == "bind" else {
                    throw EngineError(
                        .unsupported, "a part of volume \(mount.source), which has a mount of its own, needs root")
                }
                result.append(
                    try part(subpath, of: volume.source, isDirectory: volumeParts[number], at: place))
            }
        }
        return result
    }

    private func part(
        _ subpath: String, of source: String, isDirectory: Bool?, at place: String
    ) throws -> RootMount {
        guard let isDirectory else {
            throw EngineError(.invalid, "cannot access path \(source)/\(subpath): no such file or directory")
        }
        if isDirectory {
            try Directory.create(place, mode: 0o711)
        } else {
            try Descriptor.open(place, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600).close()
        }
        var part = RootMount(type: "bind", source: source, target: place, options: ["rbind"])
        part.beneath = subpath
        return part
    }

    /// Nil where there is nothing.
    private static func isDirectory(_ subpath: String, of source: String) throws(KernelError) -> Bool? {
        let root = OwnedDescriptor(try Descriptor.open(source, O_PATH | O_DIRECTORY))
        do {
            let found = OwnedDescriptor(try RootedTree(root: root.descriptor).place(subpath))
            return try found.descriptor.isDirectory()
        } catch  where error.errno == .noSuchFile || error.errno == .notDirectory { return nil }
    }
}

extension RootMount {
    init(_ mount: SnapshotMount, at place: String) {
        self.init(type: mount.type, source: mount.source, target: place, options: mount.options)
        server = mount.server
    }
}
