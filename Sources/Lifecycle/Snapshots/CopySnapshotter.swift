import Archive
import Glibc
import Linux
import OCI

/// Layers and roots as whole copies: for a data root where overlayfs does not work. Costs time and space for each.
package final class CopySnapshotter: DirectorySnapshotter {
    let directory: SnapshotDirectory

    /// - Parameter path: the directory of snapshots, made where it is missing.
    package init(path: String) throws(SnapshotError) {
        directory = try kernel { () throws(KernelError) in try SnapshotDirectory(path: path) }
    }

    package func unpack(
        _ chainID: Digest, onto parents: [Digest], _ apply: (Descriptor) throws(ArchiveError) -> Int64
    ) throws(SnapshotError) -> LayerFacts {
        var facts = LayerFacts(chainID: chainID, parent: parents.last, sizeBytes: 0)
        try directory.createLayer(chainID) { (passing) throws(SnapshotError) in
            try copy(parents.last, to: "\(passing)/fs")
            let root = try kernel { () throws(KernelError) in
                try Descriptor.open("\(passing)/fs", O_PATH | O_DIRECTORY)
            }
            defer { root.close() }
            do throws(ArchiveError) { facts.sizeBytes = try apply(root) } catch { throw .archive(error) }
            try kernel { () throws(KernelError) in try directory.writeLayer(facts, in: passing) }
        }
        return facts
    }

    package func prepareRoot(
        _ containerID: String, layers: [Digest], hasBottom: Bool
    ) throws(SnapshotError) -> [SnapshotMount] {
        let path = try directory.rootPath(containerID)
        let present = try kernel { () throws(KernelError) in try directory.readRoot(path) }
        if present != nil { return try rootMounts(containerID, isDisposable: false) }
        for layer in layers where try self.layer(layer) == nil { throw .missingLayer(layer) }
        // One whose record a crash of the machine cut off.
        try removeRoot(containerID)
        try directory.create(path, synced: false) { (passing) throws(SnapshotError) in
            try copy(layers.last, to: "\(passing)/fs")
            try kernel { () throws(KernelError) in
                if hasBottom { try directory.addBottom(to: "\(passing)/fs") }
                // The copy needs its layers no more.
                try directory.writeRoot(.init(layers: []), in: passing)
            }
        }
        return try rootMounts(containerID, isDisposable: false)
    }

    package func rootMounts(_ containerID: String, isDisposable: Bool) throws(SnapshotError) -> [SnapshotMount] {
        let path = try directory.rootPath(containerID)
        guard try kernel({ () throws(KernelError) in try directory.readRoot(path) }) != nil else {
            throw .kernel(KernelError("open the root file system of", containerID, .noSuchFile))
        }
        return [SnapshotMount(type: "bind", source: "\(path)/fs", options: ["rbind"])]
    }

    package func places(_ containerID: String, layers: [Digest]) -> RootPlaces? { nil }

    package func overlayFacts() -> OverlayFacts? { nil }

    package func places(ofLayers layers: [Digest]) -> [String]? { nil }

    package func openRoot(
        _ containerID: String, forWriting: Bool, inside: InnerMounts
    ) throws(SnapshotError) -> OpenedRoot {
        let path = try directory.rootPath(containerID)
        return try kernel { () throws(KernelError) in
            if inside.isEmpty {
                return OpenedRoot(MountedRoot(descriptor: try Descriptor.open("\(path)/fs", O_PATH | O_DIRECTORY)))
            }
            return try PrivateRoot.open(.inPlace, at: "\(path)/fs", in: "/", inside: inside)
        }
    }

    package func changes(
        _ containerID: String, leavingOut isLeftOut: (String) -> Bool
    ) throws(SnapshotError) -> [RootChange] {
        throw .overlayUnavailable("changes are not known where roots are whole copies")
    }

    package func archiveChanges(
        _ containerID: String, leavingOut isLeftOut: @escaping (String) -> Bool, to writer: TarWriter<ArchiveError>
    ) throws(SnapshotError) -> Bool {
        throw .overlayUnavailable("changes are not known where roots are whole copies")
    }

    package func removeLayer(_ chainID: Digest) throws(SnapshotError) {
        try directory.remove(directory.layerPath(chainID))
    }

    private func copy(_ layer: Digest?, to path: String) throws(SnapshotError) {
        try kernel { () throws(KernelError) in
            try Directory.create(path, mode: 0o755)
            try kernelCall("chmod", path) { chmod(path, 0o755) }
            guard let layer else { return }
            let target = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
            let source = OwnedDescriptor(
                try Descriptor.open("\(directory.layerPath(layer))/fs", O_RDONLY | O_DIRECTORY))
            try TreeCopy.copy(source.descriptor, into: target.descriptor)
        }
    }
}
