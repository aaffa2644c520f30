import CLinux
import Glibc
import Linux

/// Masked and read-only paths, applied below the new root before it becomes the root.
struct PathRestrictions {
    let tree: RootedTree
    /// A read-only mount of the host's `/dev/null`, made by the runtime: the image's own may be something else.
    let null: Descriptor

    func apply(masked: [String], readonly: [String]) throws(KernelError) {
        for path in readonly { try makeReadOnly(path) }
        // What covers the first file, or directory, is copied for the others: a mount that is attached nowhere cannot be.
        var covers = Covers()
        defer { covers.close() }
        for path in masked { try mask(path, &covers) }
    }

    private struct Covers {
        /// Whoever made it closes it.
        var file: Descriptor?
        var directory: Descriptor?

        func close() { directory?.close() }
    }

    /// A file becomes `/dev/null`, a directory an empty one; what is missing needs no mask.
    private func mask(_ path: String, _ covers: inout Covers) throws(KernelError) {
        guard let found = try place(path) else { return }
        let target = OwnedDescriptor(found)
        let isDirectory = try target.descriptor.isDirectory()
        if let cover = isDirectory ? covers.directory : covers.file {
            let copy = OwnedDescriptor(try Mount.cloneTree("", in: cover))
            return try Mount.attach(copy.descriptor, at: target.descriptor, named: path)
        }
        // The cover is known by its descriptor from the beginning: looked up again by its path, it could be another one
        // by now (CVE-2025-31133), which the others would then be covered with.
        if isDirectory {
            let empty = try Mount.make(
                "tmpfs", options: [("nr_blocks", "1"), ("nr_inodes", "1"), ("ro", nil)],
                attributes: .powerless.union(.readOnly))
            covers.directory = empty
            try Mount.attach(empty, at: target.descriptor, named: path)
        } else {
            covers.file = null
            try Mount.attach(null, at: target.descriptor, named: path)
        }
    }

    /// The path mounted on itself, without the right to write; what is mounted below it too.
    private func makeReadOnly(_ path: String) throws(KernelError) {
        guard let found = try place(path) else { return }
        let target = OwnedDescriptor(found)
        let copy = OwnedDescriptor(try Mount.cloneTree("", in: target.descriptor, recursive: true))
        try Mount.setAttributes(copy.descriptor, set: .readOnly, recursive: true, named: path)
        try Mount.attach(copy.descriptor, at: target.descriptor, named: path)
    }

    private func place(_ path: String) throws(KernelError) -> Descriptor? {
        do throws(KernelError) {
            return try tree.place(path)
        } catch  where error.errno == .noSuchFile || error.errno == .notDirectory {
            return nil
        }
    }
}
