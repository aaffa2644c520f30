import CLinux
import Glibc

/// Removes trees of any depth, with any names, by a bounded number of descriptors.
///
/// Follows no symbolic link and enters no mount below the tree. Names are bytes, as the kernel has them.
package enum TreeRemoval {
    /// Removes what `name` (a C string) is in `parent`, with all below; does nothing where it is missing.
    package static func remove(_ name: [CChar], in parent: Descriptor) throws(KernelError) {
        guard try !unlinkFile(name, in: parent), let top = try open(name, in: parent) else { return }
        try remove(
            top, { directory throws(KernelError) in try removeFiles(in: directory) },
            { emptied, above throws(KernelError) in try removeDirectory(emptied, in: above) })
        try removeDirectory(name, in: parent)
    }

    /// Removes the directories below a cgroup's, whose files go with them, however long their paths are together. What is
    /// busy stays, and with it what it is in.
    package static func removeCgroups(below directory: String) throws(KernelError) {
        let top = OwnedDescriptor(try Descriptor.open(directory, O_RDONLY | O_DIRECTORY))
        // A directory has a link more for each one in it, and most have none.
        if try top.descriptor.status().st_nlink == 2 { return }
        try remove(
            top.release(),
            { directory throws(KernelError) in
                try entries(of: directory).filter { $0.isDirectory == true }.map(\.name)
            },
            { emptied, above in _ = unlinkat(above.rawValue, emptied, AT_REMOVEDIR) })
    }

    /// Goes down and up again below `top`, which it closes.
    private static func remove(
        _ top: Descriptor, _ directories: (Descriptor) throws(KernelError) -> [[CChar]],
        _ removeEmptied: ([CChar], Descriptor) throws(KernelError) -> Void
    ) throws(KernelError) {
        var current = top
        defer { current.close() }
        var way: [[CChar]] = []
        var remaining = [try directories(current)]
        while let level = remaining.indices.last {
            if let child = remaining[level].popLast() {
                guard let next = try open(child, in: current) else { continue }
                current.close()
                current = next
                way.append(child)
                remaining.append(try directories(current))
            } else {
                remaining.removeLast()
                guard let emptied = way.popLast() else { return }
                // One descriptor for any depth: back by the parent entry, which nobody else moves here.
                let above = try current.open("..", O_RDONLY | O_DIRECTORY)
                current.close()
                current = above
                try removeEmptied(emptied, current)
            }
        }
    }

    /// The entries of a directory as C strings, without `.` and `..`; `isDirectory` is nil where the file system
    /// does not say.
    package static func entries(
        of directory: Descriptor
    ) throws(KernelError) -> [(name: [CChar], isDirectory: Bool?)] {
        let entries = try DirectoryEntries(adopting: try directory.open(".", O_RDONLY | O_DIRECTORY), named: ".")
        var found: [(name: [CChar], isDirectory: Bool?)] = []
        while let (name, type) = try entries.next() {
            found.append((name, Int(type) == Int(DT_UNKNOWN) ? nil : Int(type) == Int(DT_DIR)))
        }
        return found
    }

    /// Unlinks what is no directory and returns the names of the directories.
    private static func removeFiles(in directory: Descriptor) throws(KernelError) -> [[CChar]] {
        var directories: [[CChar]] = []
        for entry in try entries(of: directory) {
            if entry.isDirectory == true {
                directories.append(entry.name)
            } else if try !unlinkFile(entry.name, in: directory) {
                directories.append(entry.name)
            }
        }
        return directories
    }

    /// False for a directory.
    private static func unlinkFile(_ name: [CChar], in parent: Descriptor) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try kernelCall("remove", text(name)) { unlinkat(parent.rawValue, name, 0) }
        } catch {
            if error.errno == .noSuchFile { return true }
            guard error.errno == .isDirectory || error.errno == .notPermitted else { throw error }
            var facts = stat()
            try kernelCall("stat", text(name)) { fstatat(parent.rawValue, name, &facts, AT_SYMLINK_NOFOLLOW) }
            guard facts.st_mode & S_IFMT == S_IFDIR else { throw error }
            return false
        }
        return true
    }

    private static func removeDirectory(_ name: [CChar], in parent: Descriptor) throws(KernelError) {
        do throws(KernelError) {
            try kernelCall("rmdir", text(name)) { unlinkat(parent.rawValue, name, AT_REMOVEDIR) }
        } catch  where error.errno == .noSuchFile {
            // Gone meanwhile: what the caller wanted.
        }
    }

    /// A directory that is no mount; nil where it is missing.
    static func open(_ name: [CChar], in parent: Descriptor) throws(KernelError) -> Descriptor? {
        do throws(KernelError) {
            // RESOLVE_NO_XDEV 1, RESOLVE_NO_SYMLINKS 4: a mount below is reported and not emptied.
            let flags = UInt64(UInt32(bitPattern: O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
            let number = try kernelCall("open", text(name)) {
                gantry_openat2(parent.rawValue, name, flags, 0, 5)
            }
            return Descriptor(rawValue: number)
        } catch  where error.errno == .noSuchFile {
            return nil
        }
    }

    private static func text(_ name: [CChar]) -> String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
