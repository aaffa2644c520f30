import CLinux
import Glibc
import Linux

/// Owner, mode, extended attributes and time of an unpacked entry. In this order: a change of the owner clears setuid and
/// capabilities, and a change of the mode rewrites an access control list.
///
/// How another overlay was laid out is left out: on a layer of ours it would be believed, and other files shown.
enum EntryMetadata {
    /// For a file or directory that is open.
    static func apply(_ entry: TarEntry, to file: Descriptor, _ display: String) throws(KernelError) {
        let (user, group) = try owner(entry, display)
        try kernelCall("chown", display) { fchown(file.rawValue, user, group) }
        try kernelCall("chmod", display) { fchmod(file.rawValue, entry.mode) }
        for attribute in entry.attributes where !OverlayMarks.isOwn(attribute: attribute.name) {
            try AttributeRule.tolerating(attribute.name) { () throws(KernelError) in
                _ = try kernelCall("set attribute \(attribute.name) of", display) {
                    gantry_fsetxattr(file.rawValue, attribute.name, attribute.value, attribute.value.count)
                }
            }
        }
    }

    /// For a link, a device or a fifo, which is not opened.
    static func apply(_ entry: TarEntry, toNodeAt place: EntryPlace) throws(KernelError) {
        let (user, group) = try owner(entry, place.display)
        let (parent, name) = (place.parent.number, place.name)
        try kernelCall("chown", place.display) { fchownat(parent, name, user, group, AT_SYMLINK_NOFOLLOW) }
        var isLink = false
        if case .symbolicLink = entry.kind { isLink = true }
        if !isLink {
            try kernelCall("chmod", place.display) { fchmodat(parent, name, entry.mode, AT_SYMLINK_NOFOLLOW) }
        }
        // There is no setxattrat before Linux 6.13: the directory's descriptor is named by /proc instead.
        let path = cString(Array("\(place.parent.descriptor.procPath)/".utf8)).dropLast() + name
        for attribute in entry.attributes where !OverlayMarks.isOwn(attribute: attribute.name) {
            try AttributeRule.tolerating(attribute.name) { () throws(KernelError) in
                _ = try kernelCall("set attribute \(attribute.name) of", place.display) {
                    gantry_lsetxattr(Array(path), attribute.name, attribute.value, attribute.value.count)
                }
            }
        }
        let times = [entry.modified, entry.modified]
        try kernelCall("set time of", place.display) { utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) }
    }

    static func setTime(_ time: timespec, of file: Descriptor, _ display: String) throws(KernelError) {
        let times = [time, time]
        try kernelCall("set time of", display) { futimens(file.rawValue, times) }
    }

    /// Whether the entry's owner is one that a file can have. The highest number means "unchanged" to the kernel.
    static func canBeOwned(_ entry: TarEntry) -> Bool {
        [entry.userID, entry.groupID].allSatisfy { number in uid_t(exactly: number).map { $0 != .max } ?? false }
    }

    private static func owner(_ entry: TarEntry, _ display: String) throws(KernelError) -> (uid_t, gid_t) {
        guard canBeOwned(entry) else {
            throw KernelError("chown to \(entry.userID):\(entry.groupID)", display, .invalidArgument)
        }
        return (uid_t(truncatingIfNeeded: entry.userID), gid_t(truncatingIfNeeded: entry.groupID))
    }
}

/// Extended attributes that a file is to have, and its file system may not be able to keep.
package enum AttributeRule {
    /// Sets one by `body`. What cannot be kept is left out, as docker does; but a capability that is missing would break a
    /// program.
    package static func tolerating(
        _ name: String, _ body: () throws(KernelError) -> Void
    ) throws(KernelError) {
        do throws(KernelError) { try body() } catch {
            let isOptional = name != "security.capability"
            guard isOptional, error.errno == .notSupported || error.errno == .notPermitted else { throw error }
        }
    }
}
