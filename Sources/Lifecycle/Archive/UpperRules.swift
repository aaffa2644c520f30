import CLinux
import Glibc
import Linux

/// How an overlay's upper directory is told as a layer: what the kernel writes there as marks of its own becomes the
/// marks of an archive (OCI image specification, "Whiteouts"), and what it keeps beside is left out.
package struct UpperRules {
    /// The top directory itself differs from that of the layers below.
    package var includesTop: Bool
    /// What is no change of the container's, by the path from the root: `/etc/hosts`. A directory goes with all in it.
    private let isLeftOut: (String) -> Bool
    /// What the layers below have at a path, in the kernel's bytes.
    private let below: ([UInt8]) -> stat?
    private let marks: OverlayMarks

    package init(
        includesTop: Bool, marks: OverlayMarks = .kernel, leavingOut isLeftOut: @escaping (String) -> Bool,
        below: @escaping ([UInt8]) -> stat?
    ) {
        self.includesTop = includesTop
        self.marks = marks
        self.isLeftOut = isLeftOut
        self.below = below
    }

    private static let prefix = Array(".wh.".utf8)

    func leavesOut(_ member: [UInt8]) -> Bool { isLeftOut(Self.path(member)) }

    /// Owner and mode, that is: the time of a directory changes with what is left out of it.
    func isAsBelow(_ member: [UInt8], _ facts: stat) -> Bool {
        guard !member.isEmpty, let old = below([47] + member) else { return false }
        return (old.st_mode, old.st_uid, old.st_gid) == (facts.st_mode, facts.st_uid, facts.st_gid)
    }

    private static func path(_ member: [UInt8]) -> String { "/" + String(decoding: member, as: UTF8.self) }

    /// What a file of the upper directory means for the layer.
    ///
    /// - Throws: where its name would hide another one once the layer is unpacked.
    func meaning(of member: [UInt8], _ facts: stat) throws(ArchiveError) -> OverlayMarks.Meaning {
        let name = member.suffix(from: member.lastIndex(of: 47).map { $0 + 1 } ?? 0)
        let meaning = marks.meaning(of: name, facts)
        guard marks == .kernel, name.starts(with: Self.prefix) else { return meaning }
        throw .refused(
            path: String(decoding: member, as: UTF8.self), reason: "a layer cannot hold a name that begins with `.wh.`")
    }

    /// Hides an entry of that name in the directory that `member` is in.
    static func whiteout(of name: [UInt8], beside member: [UInt8]) -> TarMember {
        let start = member.lastIndex(of: 47).map { $0 + 1 } ?? 0
        return mark(member[..<start] + prefix + name)
    }

    static func opaqueMark(in directory: [UInt8]) -> TarMember {
        mark((directory.isEmpty ? [] : directory + [47]) + Array(".wh..wh..opq".utf8))
    }

    private static func mark(_ path: some Sequence<UInt8>) -> TarMember {
        var member = TarMember("", .file, mode: 0)
        member.path = Array(path)
        return member
    }

    /// Whether a directory hides the one of the same name below.
    ///
    /// - Throws: where the kernel only noted that the directory was moved here: its contents are elsewhere then.
    static func isOpaque(_ directory: Descriptor, _ path: [UInt8]) throws(KernelError) -> Bool {
        for name in OverlayMarks.attributePrefixes {
            var value: UInt8 = 0
            if getxattr(directory.procPath, name + "opaque", &value, 1) == 1, value == UInt8(ascii: "y") { return true }
            guard getxattr(directory.procPath, name + "redirect", nil, 0) < 0 else {
                throw KernelError(
                    "read a directory that overlayfs has redirected,", String(decoding: path, as: UTF8.self),
                    .notSupported)
            }
        }
        return false
    }

    /// All that a file system keeps of a file, but what belongs to this overlay or to this machine.
    static func attributes(of place: Descriptor) -> [(name: String, value: [UInt8])] {
        var names = [CChar](repeating: 0, count: 65_536)
        let count = listxattr(place.procPath, &names, names.count)
        // A file system without attributes has none to tell of.
        guard count > 0 else { return [] }
        return names.prefix(count).split(separator: 0).compactMap { bytes in
            let name = String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard isLasting(name) else { return nil }
            var value = [UInt8](repeating: 0, count: 65_536)
            let size = getxattr(place.procPath, name, &value, value.count)
            return size >= 0 ? (name, Array(value[..<size])) : nil
        }.sorted { $0.name < $1.name }
    }

    private static func isLasting(_ name: String) -> Bool {
        !OverlayMarks.isOwn(attribute: name) && !["security.selinux", "security.ima", "security.evm"].contains(name)
    }
}
