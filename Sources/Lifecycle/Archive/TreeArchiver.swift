import CLinux
import Glibc
import Linux

/// Writes what is below a directory as members of a tar archive. Blocking.
///
/// No symbolic link is followed, so what another process does to the tree meanwhile cannot lead elsewhere. Directories
/// are opened anew from the top, one at a time: depth costs no descriptors. Sockets are left out, as tar has none.
package final class TreeArchiver {
    private let top: Descriptor
    private let writer: TarWriter<ArchiveError>
    /// Files with several names, by device and inode: the later names are links to the first.
    private var firstNames: [FileIdentity: [UInt8]] = [:]
    private var buffer = [UInt8](repeating: 0, count: 1 << 17)
    /// Whose a file's member is; nil for the files' own.
    package var owners: ((stat) -> (user: UInt64, group: UInt64))?
    /// The tree is an overlay's upper directory, and the archive a layer; nil for a tree as it is.
    private let changes: UpperRules?
    /// The top itself is no member, only what is in it: who unpacks it keeps a directory's own mode and times.
    package var leavesOutTop = false
    /// How many members were written.
    package private(set) var memberCount = 0

    private struct FileIdentity: Hashable {
        let device: dev_t
        let inode: ino_t
    }

    /// A name below the top, and the path that it has in the archive.
    private struct Item {
        let path: [UInt8]
        let member: [UInt8]
        /// It is in another file system than the first.
        var isBeyond = false
    }

    /// - Parameter top: a directory, opened O_PATH or for reading; stays the caller's.
    package init(top: Descriptor, to writer: TarWriter<ArchiveError>, as changes: UpperRules? = nil) {
        self.top = top
        self.writer = writer
        self.changes = changes
    }

    /// Writes what has a name in the top directory, with all below it; `.` means the top itself.
    ///
    /// Other file systems that are met on the way go along, but not those in which the kernel shows what is going on, as
    /// in /proc: of them there are the directories at which they are. Nor do devices outside the first file system.
    ///
    /// - Parameter member: the path in the archive.
    package func append(_ name: String, as member: String) throws(ArchiveError) {
        var pending = [Item(path: Array(name.utf8), member: Array(member.utf8))]
        var first: dev_t?
        while var item = pending.popLast() {
            if changes != nil, try isUnchanged(item) { continue }
            guard let facts = try append(item), facts.st_mode & S_IFMT == S_IFDIR else { continue }
            // Of directories alone: an overlay has its files' own for files.
            first = first ?? facts.st_dev
            item.isBeyond = facts.st_dev != first
            if !item.isBeyond || !isKernelsView(item) { pending += try children(of: item) }
        }
    }

    private func isKernelsView(_ item: Item) -> Bool {
        do throws(KernelError) {
            let directory = OwnedDescriptor(try open(item.path, O_PATH | O_DIRECTORY))
            return KernelView.contains(directory.descriptor)
        } catch { return false }  // What is wrong with it is found again, and told, when it is read.
    }

    /// A directory that is there only for what is left out of it.
    private func isUnchanged(_ item: Item) throws(ArchiveError) -> Bool {
        guard let changes else { return false }
        let facts: stat
        do throws(KernelError) {
            let place = OwnedDescriptor(try open(item.path, O_PATH | O_NOFOLLOW))
            facts = try place.descriptor.status()
        } catch { return false }  // What is wrong with it is found again, and told, when it is written.
        guard facts.st_mode & S_IFMT == S_IFDIR, changes.isAsBelow(item.member, facts) else { return false }
        let all = try names(in: item)
        return !all.isEmpty && all.allSatisfy { changes.leavesOut(Self.joined(item.member, $0)) }
    }

    private func children(of item: Item) throws(ArchiveError) -> [Item] {
        // The last comes off the pile first.
        try names(in: item).sorted { $1.lexicographicallyPrecedes($0) }.map { name in
            Item(
                path: item.path + [47] + name, member: Self.joined(item.member, name), isBeyond: item.isBeyond)
        }.filter { changes?.leavesOut($0.member) != true }
    }

    private static func joined(_ member: [UInt8], _ name: [UInt8]) -> [UInt8] {
        member.isEmpty ? name : member + [47] + name
    }

    private func names(in item: Item) throws(ArchiveError) -> [[UInt8]] {
        do throws(KernelError) {
            let directory = OwnedDescriptor(try open(item.path, O_RDONLY | O_DIRECTORY))
            return try TreeRemoval.entries(of: directory.descriptor).map { entry in
                entry.name.dropLast().map { UInt8(bitPattern: $0) }
            }
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { return [] }
            throw .kernel(error)
        }
    }

    /// Nil where it is gone, or nothing for an archive.
    private func append(_ item: Item) throws(ArchiveError) -> stat? {
        do throws(KernelError) {
            let place = OwnedDescriptor(try open(item.path, O_PATH | O_NOFOLLOW))
            let facts = try place.descriptor.status()
            guard let kind = Self.kind(facts) else { return nil }
            if item.isBeyond, kind == .characterDevice || kind == .blockDevice { return nil }
            if let changes {
                // The top itself has no name: a layer has it only where it was changed.
                if item.member.isEmpty, !changes.includesTop { return facts }
                switch try kernel({ () throws(ArchiveError) in try changes.meaning(of: item.member, facts) }) {
                case .entry: break
                case .aside: return nil
                case .whiteout(let name):
                    try append(UpperRules.whiteout(of: name, beside: item.member))
                    return nil
                }
            }
            if leavesOutTop, item.member.isEmpty { return facts }
            var member = TarMember("", kind, mode: facts.st_mode & 0o7777)
            let path = item.member.isEmpty ? [46] : item.member
            member.path = kind == .directory ? path + [47] : path
            (member.userID, member.groupID) = owners?(facts) ?? (UInt64(facts.st_uid), UInt64(facts.st_gid))
            member.modified = Int64(facts.st_mtim.tv_sec)
            member.attributes = attributes(of: place.descriptor, kind)
            // Of a record of pax the name ends there, and the value would begin with the rest.
            if let name = member.attributes.first(where: { $0.name.utf8.contains(UInt8(ascii: "=")) })?.name {
                throw KernelError(
                    "archive the attribute `\(name)`, whose name no archive can hold, of",
                    String(decoding: item.path, as: UTF8.self), .invalidArgument)
            }
            try append(member, item, facts, place.descriptor)
            if changes != nil, kind == .directory, try UpperRules.isOpaque(place.descriptor, item.path) {
                try append(UpperRules.opaqueMark(in: item.member))
            }
            return facts
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory { return nil }
            throw .kernel(error)
        }
    }

    private func append(
        _ member: TarMember, _ item: Item, _ facts: stat, _ place: Descriptor
    ) throws(KernelError) {
        var member = member
        switch member.kind {
        case .symbolicLink: member.target = try linkText(place)
        case .characterDevice, .blockDevice:
            member.device = (
                UInt64(facts.st_rdev >> 8 & 0xFFF | facts.st_rdev >> 32 & ~0xFFF),
                UInt64(facts.st_rdev & 0xFF | facts.st_rdev >> 12 & 0xFFF00)
            )
        case .file:
            let identity = FileIdentity(device: facts.st_dev, inode: facts.st_ino)
            if facts.st_nlink > 1, let first = firstNames[identity] {
                member.kind = .hardLink
                member.target = first
                member.attributes = []
            } else {
                try appendFile(member, item, facts)
                // Not before: one that went away meanwhile is in the archive by no name.
                if facts.st_nlink > 1 { firstNames[identity] = item.member }
                return
            }
        default: break
        }
        try append(member)
    }

    private func append(_ member: TarMember) throws(KernelError) {
        memberCount += 1
        try kernel { () throws(ArchiveError) in try writer.append(member) }
    }

    /// As many bytes as the header says, whatever becomes of the file meanwhile.
    private func appendFile(_ member: TarMember, _ item: Item, _ facts: stat) throws(KernelError) {
        let file = OwnedDescriptor(try open(item.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
        let now = try file.descriptor.status()
        guard now.st_ino == facts.st_ino, now.st_dev == facts.st_dev else {
            throw KernelError("open", String(decoding: item.path, as: UTF8.self), .noSuchFile)
        }
        var member = member
        memberCount += 1
        if changes == nil, now.st_blocks == 0, now.st_size <= Self.pageBytes {
            return try appendGathered(member, file.descriptor)
        }
        member.sizeBytes = UInt64(max(0, now.st_size))
        try kernel { () throws(ArchiveError) in try writer.begin(member) }
        var left = Int(member.sizeBytes)
        while left > 0 {
            let wanted = min(left, buffer.count)
            let count = try kernelCall("read", String(decoding: item.path, as: UTF8.self)) {
                read(file.descriptor.rawValue, &buffer, wanted)
            }
            let bytes = count > 0 ? Array(buffer[..<count]) : [UInt8](repeating: 0, count: wanted)
            try kernel { () throws(ArchiveError) in try writer.write(bytes) }
            left -= bytes.count
        }
        try kernel { () throws(ArchiveError) in try writer.end(member) }
    }

    private static let pageBytes = 4096
    /// Of a file of the kernel's; what is longer is cut.
    private static let gatheredLimitBytes = 4 << 20

    /// Files of /proc and /sys say that they hold nothing, or a page, and tell what they hold when they are read: with as
    /// many bytes as there are. What they refuse to tell, or have to wait for, is left out.
    private func appendGathered(_ member: TarMember, _ file: Descriptor) throws(KernelError) {
        var bytes: [UInt8] = []
        while bytes.count < Self.gatheredLimitBytes {
            let count = read(file.rawValue, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        var member = member
        member.sizeBytes = UInt64(bytes.count)
        try kernel { () throws(ArchiveError) in try writer.append(member, bytes) }
    }

    private static func kind(_ facts: stat) -> TarMember.Kind? {
        switch facts.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        case S_IFCHR: .characterDevice
        case S_IFBLK: .blockDevice
        case S_IFIFO: .fifo
        default: nil
        }
    }

    private func attributes(of place: Descriptor, _ kind: TarMember.Kind) -> [(name: String, value: [UInt8])] {
        if changes != nil { return UpperRules.attributes(of: place) }
        guard kind == .file || kind == .directory else { return [] }
        // A file system without attributes has none to tell of.
        var value = [UInt8](repeating: 0, count: 1024)
        let count = getxattr(place.procPath, "security.capability", &value, value.count)
        return count > 0 ? [("security.capability", Array(value[..<count]))] : []
    }

    private func linkText(_ link: Descriptor) throws(KernelError) -> [UInt8] {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try kernelCall("readlink") { readlinkat(link.rawValue, "", &text, text.count) }
        return text[..<count].map { UInt8(bitPattern: $0) }
    }

    private func open(_ path: [UInt8], _ flags: Int32) throws(KernelError) -> Descriptor {
        let name = cString(path)
        let flags = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        let number = try kernelCall("open", String(decoding: path, as: UTF8.self)) {
            // RESOLVE_BENEATH 8, RESOLVE_NO_SYMLINKS 4, RESOLVE_NO_MAGICLINKS 2. A link as the last is opened itself.
            gantry_openat2(top.rawValue, name, flags, 0, 8 | 4 | 2)
        }
        return Descriptor(rawValue: number)
    }

    /// The sink's failures are the caller's: they pass as the kernel's, which they nearly always are.
    private func kernel<Value>(_ body: () throws(ArchiveError) -> Value) throws(KernelError) -> Value {
        do throws(ArchiveError) { return try body() } catch {
            if case .kernel(let failure) = error { throw failure }
            throw KernelError("write the archive", "\(error)", .inputOutput)
        }
    }
}
