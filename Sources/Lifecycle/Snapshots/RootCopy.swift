import CLinux
import Glibc
import Linux

/// Copies a directory out of a root file system that is held open.
package enum RootCopy {
    /// - Parameters:
    ///   - path: in the root; symbolic links are followed as the container would follow them.
    ///   - target: an empty directory, which gets the source's owner and mode, too.
    ///   - owners: whose the copies are.
    /// - Returns: false where the root has no such directory.
    package static func copy(
        _ path: String, of root: OpenedRoot, into target: String, owners: TreeOwners = .same
    ) throws(KernelError) -> Bool {
        defer { withExtendedLifetime(root) {} }
        let source: OwnedDescriptor
        do throws(KernelError) {
            let flags = UInt64(UInt32(bitPattern: O_RDONLY | O_DIRECTORY | O_CLOEXEC))
            let number = try kernelCall("open", path) {
                gantry_openat2(root.descriptor.rawValue, path, flags, 0, 0x10)  // RESOLVE_IN_ROOT
            }
            source = OwnedDescriptor(Descriptor(rawValue: number))
        } catch  where error.errno == .noSuchFile || error.errno == .notDirectory { return false }
        let place = OwnedDescriptor(try Descriptor.open(target, O_RDONLY | O_DIRECTORY))
        try TreeCopy.copy(source.descriptor, into: place.descriptor, owners: owners)
        return true
    }

    /// Moves what such a copy has made to where it is to be, on the same file system, owner and mode included. What has a
    /// name there already stays, and its namesake where it was. May be done again, wherever it was cut short.
    package static func move(_ copy: String, into target: String) throws(KernelError) {
        let from = OwnedDescriptor(try Descriptor.open(copy, O_RDONLY | O_DIRECTORY))
        let to = OwnedDescriptor(try Descriptor.open(target, O_RDONLY | O_DIRECTORY))
        try TreeCopy.move(from.descriptor, into: to.descriptor)
    }
}
