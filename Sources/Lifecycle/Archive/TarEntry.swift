import CArchive
import Glibc

/// The header of a member of a tar archive. Names are bytes: the kernel's names are, and no encoding is promised.
package struct TarEntry: Sendable {
    package enum Kind: Hashable, Sendable {
        case file, directory, fifo
        case symbolicLink(target: [UInt8])
        /// A further name of a member that came before, or of a file of a lower layer.
        case hardLink(target: [UInt8])
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
        /// The file type bits of something that cannot be unpacked.
        case other(UInt32)
    }

    package struct Attribute: Hashable, Sendable {
        /// With its namespace: `security.capability`.
        package var name: String
        package var value: [UInt8]
    }

    package var path: [UInt8]
    package var kind: Kind
    package var sizeBytes: Int64
    /// Permissions with setuid, setgid and sticky.
    package var mode: UInt32
    package var userID: Int64
    package var groupID: Int64
    package var modified: timespec
    package var attributes: [Attribute]

    init(_ entry: OpaquePointer) {
        path = Self.bytes(archive_entry_pathname(entry)) ?? Self.bytes(archive_entry_pathname_utf8(entry)) ?? []
        mode = UInt32(archive_entry_perm(entry)) & 0o7777
        sizeBytes = archive_entry_size_is_set(entry) != 0 ? Int64(archive_entry_size(entry)) : 0
        userID = Int64(archive_entry_uid(entry))
        groupID = Int64(archive_entry_gid(entry))
        modified = timespec(
            tv_sec: archive_entry_mtime(entry), tv_nsec: min(max(Int(archive_entry_mtime_nsec(entry)), 0), 999_999_999))
        kind = Self.kind(entry)
        attributes = []
        guard archive_entry_xattr_reset(entry) > 0 else { return }
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while archive_entry_xattr_next(entry, &name, &value, &count) == ARCHIVE_OK {
            guard let name else { continue }
            let bytes = [UInt8](UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : count))
            attributes.append(Attribute(name: String(cString: name), value: bytes))
        }
    }

    /// The path as text for messages, repaired where it is not UTF-8.
    package var displayPath: String { String(decoding: path, as: UTF8.self) }

    private static func kind(_ entry: OpaquePointer) -> Kind {
        let hardLink = archive_entry_hardlink(entry) ?? archive_entry_hardlink_utf8(entry)
        if let target = bytes(hardLink) { return .hardLink(target: target) }
        let type = UInt32(archive_entry_filetype(entry))
        switch type {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFIFO: return .fifo
        case S_IFLNK:
            let target = archive_entry_symlink(entry) ?? archive_entry_symlink_utf8(entry)
            return .symbolicLink(target: bytes(target) ?? [])
        case S_IFCHR, S_IFBLK:
            let major = UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry))
            let minor = UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry))
            return type == S_IFCHR
                ? .characterDevice(major: major, minor: minor) : .blockDevice(major: major, minor: minor)
        default: return .other(type)
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8]? {
        text.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
}
