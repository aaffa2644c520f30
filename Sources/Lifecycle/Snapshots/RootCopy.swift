import CLinux
import Glibc
import Linux

/// Copies a directory out of a root file system that is not mounted: its layers, put together for the purpose.
package enum RootCopy {
    /// - Parameters:
    ///   - path: in the root; symbolic links are followed as the container would follow them.
    ///   - layers: directories of the host, the uppermost first.
    ///   - target: an empty directory, which gets the source's owner and mode, too.
    ///   - scratch: an empty directory to mount on, where nobody sees it.
    /// - Returns: false where the root has no such directory.
    package static func copy(
        _ path: String, of layers: [String], into target: String, scratch: String
    ) throws(KernelError) -> Bool {
        let root = try open(layers, scratch)
        let source: OwnedDescriptor
        do throws(KernelError) {
            let flags = UInt64(UInt32(bitPattern: O_RDONLY | O_DIRECTORY | O_CLOEXEC))
            let number = try kernelCall("open", path) {
                gantry_openat2(root.descriptor.rawValue, path, flags, 0, 0x10)  // RESOLVE_IN_ROOT
            }
            source = OwnedDescriptor(Descriptor(rawValue: number))
        } catch  where error.errno == .noSuchFile || error.errno == .notDirectory { return false }
        let place = OwnedDescriptor(try Descriptor.open(target, O_RDONLY | O_DIRECTORY))
        try TreeCopy.copy(source.descriptor, into: place.descriptor)
        return true
    }

    /// One layer is a root by itself; overlayfs takes two and more.
    private static func open(_ layers: [String], _ scratch: String) throws(KernelError) -> OpenedRoot {
        if layers.count == 1 { return OpenedRoot(try Descriptor.open(layers[0], O_PATH | O_DIRECTORY)) }
        return try PrivateOverlay.mount(options: "lowerdir=\(layers.joined(separator: ":"))", at: scratch, in: "/")
    }
}
