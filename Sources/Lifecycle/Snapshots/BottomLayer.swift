import Glibc
import Linux

/// The bottom layer, below all others of a container's root: what docker puts into each, and the places at which something
/// is mounted in each, where an image lacks them. Made once for all containers, they need not be made, and removed, with
/// each.
extension SnapshotDirectory {
    private static let directories = ["", BottomNames.etc] + BottomNames.directories
    private static let files: [(name: String, mode: mode_t)] =
        [(BottomNames.mark, 0o755)] + BottomNames.etcFiles.map { ("\(BottomNames.etc)/\($0)", 0o644) }

    /// What of it a root has that is a whole copy: the runtime makes the places that it needs. What is there stays.
    func addBottom(to top: String) throws(KernelError) {
        let (mark, mode) = Self.files[0]
        do throws(KernelError) {
            try Descriptor.open(top + mark, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode).close()
        } catch  where error.errno == .exists {}
        let root = OwnedDescriptor(try Descriptor.open(top, O_PATH | O_DIRECTORY))
        // Where no link can be made, none is.
        guard let etc = try? RootedTree(root: root.descriptor).open("etc", O_PATH | O_DIRECTORY) else { return }
        symlinkat(BottomNames.mountTable.target, etc.rawValue, "mtab")
        etc.close()
    }

    /// Its name below the directory of snapshots; made where it is missing. An image that has something of such a name
    /// hides it.
    func bottomName() throws(KernelError) -> String {
        // Another name than that of a layer which an engine made without all of this.
        let name = ".bottom-2"
        let final = "\(path)/\(name)"
        if access(final, F_OK) == 0 { return name }
        let passing = "\(path)/.new-bottom-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        // What stays goes with the other leftovers.
        defer { try? Directory.removeTree(passing) }
        for part in Self.directories {
            try Directory.create(passing + part, mode: 0o755)
            try kernelCall("chmod", passing + part) { chmod(passing + part, 0o755) }
        }
        for (part, mode) in Self.files {
            let file = OwnedDescriptor(try Descriptor.open(passing + part, O_WRONLY | O_CREAT | O_EXCL, mode: mode))
            try kernelCall("chmod", passing + part) { fchmod(file.descriptor.rawValue, mode) }
        }
        let link = passing + BottomNames.mountTable.name
        try kernelCall("symlink", link) { symlink(BottomNames.mountTable.target, link) }
        do throws(KernelError) { try kernelCall("rename", final) { rename(passing, final) } } catch {
            // Another has made it in between.
            guard error.errno == .exists || error.errno == .notEmpty else { throw error }
        }
        return name
    }
}
