import CLinux
import Glibc

/// A file system of the kernel's own (procfs, devpts) as a root shows it, made sure to be that: a container may have put
/// a link, another file system or a part of the true one where it is expected (CVE-2019-19921, CVE-2025-52881).
package struct KernelTree: Sendable {
    package let root: Descriptor

    package static let procMagic: Int64 = 0x9FA0
    package static let devptsMagic: Int64 = 0x1CD1
    package static let tmpfsMagic: Int64 = 0x0102_1994

    /// procfs at `/proc` of a root, whole: its own top directory (inode 1) and not some other one of it.
    package static func proc(in tree: RootedTree) throws(KernelError) -> KernelTree {
        try KernelTree(tree, "/proc", magic: procMagic)
    }

    /// devpts at `/dev/pts` of a root.
    package static func terminals(in tree: RootedTree) throws(KernelError) -> KernelTree {
        try KernelTree(tree, "/dev/pts", magic: devptsMagic)
    }

    private init(_ tree: RootedTree, _ path: String, magic: Int64) throws(KernelError) {
        let found = OwnedDescriptor(try tree.open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW))
        guard gantry_filesystem_magic(found.descriptor.rawValue) == magic, try found.descriptor.status().st_ino == 1
        else { throw KernelError("use", path, .noDevice) }
        root = found.release()
    }

    /// Opens a file of this file system and of no other: nothing that is mounted over a part of it, and no magic link,
    /// is followed.
    package func open(_ path: String, _ flags: Int32) throws(KernelError) -> Descriptor {
        // RESOLVE_NO_XDEV 1, RESOLVE_NO_MAGICLINKS 2, RESOLVE_BENEATH 8.
        let bits = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        return Descriptor(
            rawValue: try kernelCall("open", path) { gantry_openat2(root.rawValue, path, bits, 0, 11) })
    }

    package func close() { root.close() }
}

extension RootedTree {
    /// The root of the calling process; the caller closes its descriptor.
    package static func ofProcess() throws(KernelError) -> RootedTree {
        RootedTree(root: try Descriptor.open("/", O_PATH | O_DIRECTORY))
    }

    /// Opens a directory whose path has no symbolic link in it: ELOOP where it has.
    package func ordinaryDirectory(_ path: String) throws(KernelError) -> Descriptor {
        let rest = Substring(path.utf8.drop { $0 == 47 })
        // RESOLVE_NO_SYMLINKS 4, RESOLVE_IN_ROOT 16.
        let bits = UInt64(UInt32(bitPattern: O_PATH | O_DIRECTORY | O_CLOEXEC))
        return Descriptor(
            rawValue: try kernelCall("open", path) {
                gantry_openat2(root.rawValue, rest.isEmpty ? "." : String(rest), bits, 0, 20)
            })
    }
}
