import CLinux
import Glibc
import Linux

/// Masked and read-only paths, applied below the new root before it becomes the root.
struct PathRestrictions {
    let tree: RootedTree
    /// A copy of the host's `/dev/null`, made by the runtime: the image's own may be something else.
    let null: Descriptor

    func apply(masked: [String], readonly: [String]) throws(KernelError) {
        for path in readonly { try makeReadOnly(path) }
        // What covers the first file, or directory, is copied for the others: a mount that is attached nowhere cannot be.
        var covers = Covers()
        defer { covers.close() }
        for path in masked { try mask(path, &covers) }
    }

    private struct Covers {
        var file: Descriptor?
        var directory: Descriptor?

        func close() {
            file?.close()
            directory?.close()
        }
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
        if isDirectory {
            let flags: MountFlags = [.readOnly, .noSetUID, .noDevices, .noExecution]
            try Mount.mount(
                "tmpfs", at: target.descriptor.procPath, type: "tmpfs", flags, data: "nr_blocks=1,nr_inodes=1")
            covers.directory = try place(path)
        } else {
            try Mount.attach(null, at: target.descriptor, named: path)
            covers.file = try place(path)
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
