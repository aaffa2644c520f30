import CLinux
import Glibc

/// Directories: making, listing, emptying and locking them.
package enum Directory {
    /// mkdir(2) of each missing directory of `path`.
    package static func create(_ path: String, mode: mode_t = 0o755) throws(KernelError) {
        if mkdir(path, mode) == 0 { return }
        do throws(KernelError) {
            try kernelCall("mkdir", path) { mkdir(path, mode) }
        } catch {
            switch error.errno {
            case .exists:
                var facts = stat()
                try kernelCall("stat", path) { stat(path, &facts) }
                guard facts.st_mode & S_IFMT == S_IFDIR else { throw KernelError("mkdir", path, .notDirectory) }
            case .noSuchFile:
                let parent = PathName.split(path).parent
                guard parent != path, parent != "." else { throw error }
                try create(parent, mode: mode)
                do throws(KernelError) {
                    try kernelCall("mkdir", path) { mkdir(path, mode) }
                } catch  where error.errno == .exists {
                    // Another process made it in between.
                }
            default: throw error
            }
        }
    }

    /// Asks ext4 to keep what is made in a directory far apart from each other, each directory near its own files
    /// (chattr(1): `T`). Where many come and go, ext4 looks at each file of the neighbourhood that was removed within the
    /// last minutes before it makes a new one: a thousand of them cost more than all else of it. Does nothing elsewhere.
    package static func spread(_ path: String) {
        // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL of linux/fs.h.
        let (get, set, top): (UInt, UInt, Int32) = (0x8008_6601, 0x4008_6602, 0x0002_0000)
        // It only makes things quicker.
        guard let opened = try? Descriptor.open(path, O_RDONLY | O_DIRECTORY) else { return }
        let directory = OwnedDescriptor(opened)
        var flags: Int32 = 0
        guard gantry_ioctl_pointer(directory.descriptor.rawValue, get, &flags) == 0, flags & top == 0 else { return }
        flags |= top
        _ = gantry_ioctl_pointer(directory.descriptor.rawValue, set, &flags)
    }

    /// The names in a directory, without `.` and `..`, in no order. Names that are not UTF-8 come out repaired, so they
    /// cannot be opened by the result; our own directories hold none.
    package static func list(_ path: String) throws(KernelError) -> [String] {
        let descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        return try list(adopting: descriptor, path)
    }

    package static func list(in directory: Descriptor, _ name: String = ".") throws(KernelError) -> [String] {
        try list(adopting: try directory.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), name)
    }

    private static func list(adopting descriptor: Descriptor, _ path: String) throws(KernelError) -> [String] {
        let entries = try DirectoryEntries(adopting: descriptor, named: path)
        var names: [String] = []
        while let (name, _) = try entries.next() {
            names.append(String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        return names
    }

    /// Removes what `path` names with all that is below, following no symbolic link and crossing no mount; does nothing
    /// where it is missing.
    package static func removeTree(_ path: String) throws(KernelError) {
        let (parentPath, name) = PathName.split(path)
        do throws(KernelError) {
            let parent = OwnedDescriptor(try Descriptor.open(parentPath, O_PATH | O_DIRECTORY))
            try removeTree(name, in: parent.descriptor)
        } catch  where error.errno == .noSuchFile {
            // Gone already: what the caller wanted.
        }
    }

    package static func removeTree(_ name: String, in parent: Descriptor) throws(KernelError) {
        try TreeRemoval.remove(Array(name.utf8CString), in: parent)
    }
}

extension Descriptor {
    /// flock(2): an exclusive lock that ends with the last duplicate of this descriptor. Nil wait: EAGAIN where another
    /// holds it.
    package func lock(waiting: Bool = true) throws(KernelError) {
        try kernelCall("lock") { flock(rawValue, LOCK_EX | (waiting ? 0 : LOCK_NB)) }
    }
}
