import Archive
import Glibc
import Linux
import OCI

/// Layers are made where they will be used: over the layers below.
extension OverlaySnapshotter {
    package func unpack(
        _ chainID: Digest, onto parents: [Digest], _ apply: (Descriptor) throws(ArchiveError) -> Int64
    ) throws(SnapshotError) -> LayerFacts {
        var facts = LayerFacts(chainID: chainID, parent: parents.last, sizeBytes: 0)
        try use()
        try directory.createLayer(chainID) { (passing) throws(SnapshotError) in
            try makeTop("\(passing)/fs", over: parents.last)
            facts.sizeBytes =
                parents.isEmpty
                ? try applyDirectly("\(passing)/fs", apply) : try applyOverlaid(passing, parents, apply)
            try kernel { () throws(KernelError) in try directory.writeLayer(facts, in: passing) }
        }
        return facts
    }

    private func applyDirectly(
        _ path: String, _ apply: (Descriptor) throws(ArchiveError) -> Int64
    ) throws(SnapshotError) -> Int64 {
        let root = try kernel { () throws(KernelError) in try Descriptor.open(path, O_PATH | O_DIRECTORY) }
        defer { root.close() }
        do throws(ArchiveError) { return try apply(root) } catch { throw .archive(error) }
    }

    /// Applied to a mounted overlay of the layers below, where a link of theirs leads on as it will in a container, and
    /// the kernel itself writes whiteouts and copies files up.
    private func applyOverlaid(
        _ passing: String, _ parents: [Digest], _ apply: (Descriptor) throws(ArchiveError) -> Int64
    ) throws(SnapshotError) -> Int64 {
        try checkUpper()
        let name = PathName.split(passing).name
        let lower = try lowerNames(parents)
        try kernel { () throws(KernelError) in
            try Directory.create("\(passing)/work", mode: 0o700)
            try Directory.create("\(passing)/merged", mode: 0o700)
        }
        let root: OpenedRoot
        do throws(KernelError) {
            // The sync comes once at the end.
            let stack = OverlayStack(lower: lower, upper: name, isVolatile: true)
            root = try assembly.open(stack, at: "\(name)/merged", in: directory.path)
        } catch { throw overlayFailure(error) }
        let size: Int64
        do throws(ArchiveError) {
            defer { withExtendedLifetime(root) {} }
            size = try apply(root.descriptor)
        } catch { throw .archive(error) }
        try kernel { () throws(KernelError) in
            try Directory.removeTree("\(passing)/work")
            try Directory.removeTree("\(passing)/merged")
        }
        return size
    }

    /// The topmost directory gives the root of the whole its owner, mode and time: those of the layer below, at first.
    func makeTop(_ path: String, over below: Digest?) throws(SnapshotError) {
        try kernel { () throws(KernelError) in
            try Directory.create(path, mode: 0o755)
            try kernelCall("chmod", path) { chmod(path, 0o755) }
            guard let below else { return }
            var facts = stat()
            let parent = "\(directory.layerPath(below))/fs"
            try kernelCall("stat", parent) { stat(parent, &facts) }
            try kernelCall("chown", path) { chown(path, facts.st_uid, facts.st_gid) }
            try kernelCall("chmod", path) { chmod(path, facts.st_mode & 0o7777) }
            let times = [facts.st_mtim, facts.st_mtim]
            try kernelCall("set time of", path) { utimensat(AT_FDCWD, path, times, 0) }
        }
    }
}
