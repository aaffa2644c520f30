import Archive
import CLinux
import Glibc
import Linux

/// Whose the files of a copied tree are.
package struct TreeOwners: Sendable {
    let translated: @Sendable (uid_t, gid_t) -> (uid_t, gid_t)

    /// - Parameter translated: the owner and the group of the copy of a file that has these.
    package init(_ translated: @escaping @Sendable (uid_t, gid_t) -> (uid_t, gid_t)) { self.translated = translated }

    package static let same = TreeOwners { ($0, $1) }
}

/// Copies a tree with all that a file system keeps of it: owners, modes, times, attributes, devices, holes, and which
/// names are one file. Follows no symbolic link. For trees that nobody changes meanwhile.
struct TreeCopy {
    /// Where each file with several names was copied to first, as a path below the copy's root.
    private var linked: [FileIdentity: [CChar]] = [:]
    private let source: Descriptor
    private let target: Descriptor
    private let owners: TreeOwners

    private struct FileIdentity: Hashable { let device: UInt64, inode: UInt64 }

    /// Copies what is in `source` into the empty directory `target`, and gives that the source's own owner and mode.
    static func copy(
        _ source: Descriptor, into target: Descriptor, owners: TreeOwners = .same
    ) throws(KernelError) {
        var copy = TreeCopy(source: source, target: target, owners: owners)
        try copy.run()
    }

    /// Moves the entries of `source` into `target`, which gets its owner, mode, attributes and time.
    static func move(_ source: Descriptor, into target: Descriptor) throws(KernelError) {
        let copy = TreeCopy(source: source, target: target, owners: .same)
        for entry in try TreeRemoval.entries(of: source) {
            do throws(KernelError) {
                try kernelCall("rename", copy.shown(entry.name)) {
                    // RENAME_NOREPLACE
                    gantry_renameat2(source.rawValue, entry.name, target.rawValue, entry.name, 1)
                }
            } catch  where error.errno == .exists {
                continue
            }
        }
        try copy.finish(source, target, try source.status())
    }

    private init(source: Descriptor, target: Descriptor, owners: TreeOwners) {
        self.source = source
        self.target = target
        self.owners = owners
    }

    /// Paths are kept, and directories opened by them one at a time: depth costs neither stack nor descriptors.
    private mutating func run() throws(KernelError) {
        var pending: [[CChar]] = [[46, 0]]
        var done: [[CChar]] = []
        while let path = pending.popLast() {
            let from = OwnedDescriptor(try open(path, below: source, O_RDONLY | O_DIRECTORY))
            let to = OwnedDescriptor(try open(path, below: target, O_RDONLY | O_DIRECTORY))
            for entry in try TreeRemoval.entries(of: from.descriptor) {
                let child = path.dropLast() + [47] + entry.name
                if try copyEntry(entry.name, Array(child), from.descriptor, to.descriptor) {
                    pending.append(Array(child))
                }
            }
            done.append(path)
        }
        // Children first: making an entry changes the time of its directory.
        for path in done.reversed() {
            let from = OwnedDescriptor(try open(path, below: source, O_RDONLY | O_DIRECTORY))
            let to = OwnedDescriptor(try open(path, below: target, O_RDONLY | O_DIRECTORY))
            try finish(from.descriptor, to.descriptor, try from.descriptor.status())
        }
    }

    /// A directory itself.
    private func finish(_ from: Descriptor, _ to: Descriptor, _ facts: stat) throws(KernelError) {
        try setOwnerAndMode(of: to, facts)
        try copyAttributes(of: [46, 0], from, to)
        try setTime(of: to, facts)
    }

    /// True for a directory, which was made and is still to be filled.
    private mutating func copyEntry(
        _ name: [CChar], _ path: [CChar], _ from: Descriptor, _ to: Descriptor
    ) throws(KernelError) -> Bool {
        var facts = stat()
        try kernelCall("stat", shown(path)) { fstatat(from.rawValue, name, &facts, AT_SYMLINK_NOFOLLOW) }
        let kind = facts.st_mode & S_IFMT
        if kind == S_IFDIR {
            try kernelCall("mkdir", shown(path)) { mkdirat(to.rawValue, name, 0o700) }
            return true
        }
        let identity = FileIdentity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
        if facts.st_nlink > 1 {
            if let first = linked[identity] {
                try kernelCall("link", shown(path)) { linkat(target.rawValue, first, to.rawValue, name, 0) }
                return false
            }
            linked[identity] = path
        }
        switch kind {
        case S_IFREG: try copyFile(name, path, from, to, facts)
        case S_IFLNK: try copyLink(name, path, from, to)
        default:
            let (major, minor) = (gantry_major(UInt64(facts.st_rdev)), gantry_minor(UInt64(facts.st_rdev)))
            try kernelCall("mknod", shown(path)) { gantry_mknod_at(to.rawValue, name, kind | 0o600, major, minor) }
        }
        if kind != S_IFREG { try finishNode(name, path, from, to, facts) }
        return false
    }

    private func copyLink(
        _ name: [CChar], _ path: [CChar], _ from: Descriptor, _ to: Descriptor
    ) throws(KernelError) {
        var text = [CChar](repeating: 0, count: 4097)
        try kernelCall("readlink", shown(path)) { readlinkat(from.rawValue, name, &text, 4096) }
        try kernelCall("symlink", shown(path)) { symlinkat(text, to.rawValue, name) }
    }

    private func finishNode(
        _ name: [CChar], _ path: [CChar], _ from: Descriptor, _ to: Descriptor, _ facts: stat
    ) throws(KernelError) {
        let (user, group) = owners.translated(facts.st_uid, facts.st_gid)
        try kernelCall("chown", shown(path)) {
            fchownat(to.rawValue, name, user, group, AT_SYMLINK_NOFOLLOW)
        }
        if facts.st_mode & S_IFMT != S_IFLNK {
            try kernelCall("chmod", shown(path)) {
                fchmodat(to.rawValue, name, facts.st_mode & 0o7777, AT_SYMLINK_NOFOLLOW)
            }
        }
        try copyAttributes(of: name, from, to)
        let times = [facts.st_mtim, facts.st_mtim]
        try kernelCall("set time of", shown(path)) { utimensat(to.rawValue, name, times, AT_SYMLINK_NOFOLLOW) }
    }

    private func copyFile(
        _ name: [CChar], _ path: [CChar], _ from: Descriptor, _ to: Descriptor, _ facts: stat
    ) throws(KernelError) {
        let flags = O_NOFOLLOW | O_CLOEXEC
        let input = OwnedDescriptor(
            Descriptor(
                rawValue: try kernelCall("open", shown(path)) {
                    gantry_openat(from.rawValue, name, O_RDONLY | flags, 0)
                }))
        let output = OwnedDescriptor(
            Descriptor(
                rawValue: try kernelCall("create", shown(path)) {
                    gantry_openat(to.rawValue, name, O_WRONLY | O_CREAT | O_EXCL | flags, 0o600)
                }))
        try copyData(input.descriptor, output.descriptor, size: facts.st_size, path)
        try setOwnerAndMode(of: output.descriptor, facts)
        try copyAttributes(of: name, from, to)
        try setTime(of: output.descriptor, facts)
    }

    /// Data only: where the source has a hole, so has the copy.
    private func copyData(
        _ input: Descriptor, _ output: Descriptor, size: off_t, _ path: [CChar]
    ) throws(KernelError) {
        let (seekData, seekHole): (Int32, Int32) = (3, 4)
        var position: off_t = 0
        while position < size {
            do throws(KernelError) {
                position = try kernelCall("seek", shown(path)) { lseek(input.rawValue, position, seekData) }
            } catch  where error.errno.rawValue == ENXIO {
                break
            }
            let end = try kernelCall("seek", shown(path)) { lseek(input.rawValue, position, seekHole) }
            try kernelCall("seek", shown(path)) { lseek(output.rawValue, position, SEEK_SET) }
            while position < end {
                let count = try kernelCall("copy", shown(path)) {
                    sendfile(output.rawValue, input.rawValue, &position, Int(end - position))
                }
                guard count > 0 else { throw KernelError("copy", shown(path), .inputOutput) }
            }
        }
        try kernelCall("truncate", shown(path)) { ftruncate(output.rawValue, size) }
    }
}

extension TreeCopy {
    private func setOwnerAndMode(of file: Descriptor, _ facts: stat) throws(KernelError) {
        let (user, group) = owners.translated(facts.st_uid, facts.st_gid)
        try kernelCall("chown") { fchown(file.rawValue, user, group) }
        try kernelCall("chmod") { fchmod(file.rawValue, facts.st_mode & 0o7777) }
    }

    private func setTime(of file: Descriptor, _ facts: stat) throws(KernelError) {
        let times = [facts.st_mtim, facts.st_mtim]
        try kernelCall("set time") { futimens(file.rawValue, times) }
    }

    /// The attributes of a name in two directories, which are named by /proc: there is no getxattrat before Linux 6.13.
    private func copyAttributes(of name: [CChar], _ from: Descriptor, _ to: Descriptor) throws(KernelError) {
        let source = Array("\(from.procPath)/".utf8CString.dropLast()) + name
        let target = Array("\(to.procPath)/".utf8CString.dropLast()) + name
        var names = [CChar](repeating: 0, count: 65_536)
        let count = gantry_llistxattr(source, &names, names.count)
        // A file system without attributes has none to be copied.
        guard count > 0 else { return }
        for attribute in names.prefix(count).split(separator: 0).map({ Array($0) + [0] }) {
            var value = [UInt8](repeating: 0, count: 65_536)
            let size = try kernelCall("read attribute \(shown(attribute)) of", shown(name)) {
                gantry_lgetxattr(source, attribute, &value, value.count)
            }
            try AttributeRule.tolerating(shown(attribute)) { () throws(KernelError) in
                _ = try kernelCall("set attribute \(shown(attribute)) of", shown(name)) {
                    gantry_lsetxattr(target, attribute, value, size)
                }
            }
        }
    }

    private func open(_ path: [CChar], below root: Descriptor, _ flags: Int32) throws(KernelError) -> Descriptor {
        let flags = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        // RESOLVE_NO_SYMLINKS 4, RESOLVE_BENEATH 8.
        return Descriptor(
            rawValue: try kernelCall("open", shown(path)) { gantry_openat2(root.rawValue, path, flags, 0, 12) })
    }

    private func shown(_ path: [CChar]) -> String {
        String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
