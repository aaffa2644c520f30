import CLinux
import Glibc
import Linux

/// A tree that others may change while it is looked at, by its names as the kernel has them. Blocking.
///
/// No symbolic link is followed on the way, so that nobody leads out of the tree. Directories are opened from the top, one
/// at a time: depth costs no descriptors.
struct WalkedTree: ~Copyable {
    private static let pathLimitBytes = 4000

    private let top: OwnedDescriptor

    init(_ path: String) throws(KernelError) {
        top = OwnedDescriptor(try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
    }

    /// What is in a directory, but what goes meanwhile; nil where the directory itself is gone.
    ///
    /// - Parameter path: from the top, beginning with a slash; empty for the top itself.
    func entries(of path: [UInt8]) throws(KernelError) -> [(name: [UInt8], facts: stat)]? {
        guard let opened = try open(path) else { return nil }
        let directory = OwnedDescriptor(opened)
        return try TreeRemoval.entries(of: directory.descriptor).compactMap { entry in
            var facts = stat()
            guard fstatat(directory.descriptor.rawValue, entry.name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else {
                return nil
            }
            return (entry.name.dropLast().map { UInt8(bitPattern: $0) }, facts)
        }
    }

    private func open(_ path: [UInt8]) throws(KernelError) -> Descriptor? {
        var rest = path.isEmpty ? [46] : path.dropFirst()
        do throws(KernelError) {
            // The kernel takes no path of more than 4095 bytes; a tree may be deeper.
            var place = top.descriptor
            defer { if place != top.descriptor { place.close() } }
            while rest.count > Self.pathLimitBytes,
                let slash = rest.prefix(Self.pathLimitBytes).lastIndex(of: 47)
            {
                let next = try open(rest[..<slash], below: place)
                if place != top.descriptor { place.close() }
                place = next
                rest = rest[(slash + 1)...]
            }
            return try open(rest, below: place)
        } catch {
            // A link, or something else, may have taken its place.
            let isGone = [.noSuchFile, .notDirectory, .symbolicLinkLoop].contains(error.errno)
            guard isGone, !path.isEmpty else { throw error }
            return nil
        }
    }

    private func open(_ name: ArraySlice<UInt8>, below place: Descriptor) throws(KernelError) -> Descriptor {
        let flags = UInt64(UInt32(bitPattern: O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        let number = try kernelCall("open", String(decoding: name, as: UTF8.self)) {
            // RESOLVE_BENEATH 8, RESOLVE_NO_SYMLINKS 4.
            gantry_openat2(place.rawValue, name.map { CChar(bitPattern: $0) } + [0], flags, 0, 8 | 4)
        }
        return Descriptor(rawValue: number)
    }
}
